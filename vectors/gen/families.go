package main

import (
	"fmt"
	"slices"
	"strings"

	"pbochsm/keystore"
	"pbochsm/vectors"
)

const generated = "generated: vectors/gen, cross-checked with OpenSSL"

// generatedBy is the source of a generated vector: with SM4 it says what is not
// known.
func generatedBy(key string) string {
	if cipherOf(key) == keystore.CipherSM4 {
		return generated + "; the use of SM4 in this operation is not confirmed by any public source"
	}
	return generated
}

// generate makes every family that is not kept by hand.
func generate() ([]vectors.Family, error) {
	var families []vectors.Family
	for _, r := range recipes {
		families = append(families, operationFamily(r, "00"), operationFamily(r, "04"))
	}
	families = append(families, profileFamilies()...)
	families = append(families, genericFamilies()...)
	for _, name := range publishedFamilies {
		published, err := vectors.Read(name)
		if err != nil {
			return nil, err
		}
		families = append(families, neighboursOf(published))
	}
	return families, nil
}

// A family under construction: one operation, and values that suit it.
type family struct {
	vectors.Family
	recipe    recipe
	usual     fields
	algorithm string // identifier of the keys
}

// A card is what computes a claim: a master key and the factors that lead to
// the card's own.
type card struct {
	key     string
	factors []string
}

// publishedFamilies are kept by hand.
var publishedFamilies = []string{"published-load", "published-purchase"}

// operationFamily has what all families of an operation have in common, under
// keys of one algorithm identifier: every number of levels, the ends of the
// ranges, and inputs that must be refused.
func operationFamily(r recipe, algorithm string) vectors.Family {
	f := &family{
		Family: vectors.Family{Name: r.operation, Comment: about[r.operation], Provision: provision(r.usage, algorithm)},
		recipe: r, usual: usual[r.operation], algorithm: algorithm,
	}
	if algorithm == "04" {
		f.Name, f.Comment = "sm4-"+f.Name, "In SM4, which no public number confirms (see [PBOC] 12). "+f.Comment
		f.usual = inSM4(f.usual, r)
		if r.operation == "write-key" {
			f.usual = f.usual.with("new-algorithm", algorithm)
		}
	}
	if r.operation == "write-key" {
		f.provideNew(algorithm)
	}
	f.addLevels()
	f.addEnds()
	f.addOwn()
	f.addRefused()
	return f.Family
}

// inSM4 makes a challenge as long as a block where it is what is enciphered.
func inSM4(values fields, r recipe) fields {
	if r.command != nil && r.command.form == response {
		return values.with("challenge", "C2D3E4F5A6B7C8D90112233445566778")
	}
	return values
}

// levels are the cards of sets A0 to A4, by the number of their levels. The
// card's own factor is that of the published diversification example.
func (f *family) levels(n int) card {
	all := []string{"A1A2A3A4A5A6A7A8", "B1B2B3B4B5B6B7B8", "C1C2C3C4C5C6C7C8", "1122334455667788"}
	return card{key: f.key("A"+string(rune('0'+n)), "01"), factors: all[len(all)-n:]}
}

// key names a key of the family's algorithm identifier.
func (f *family) key(set, version string) string { return set + "/" + version + "/" + f.algorithm }

func (f *family) addLevels() {
	comments := []string{
		"the card's own key", "one level", "two levels", "three levels", "four levels",
	}
	for n, comment := range comments {
		values := f.usual
		if types := f.recipe.types; len(types) > 0 {
			t := types[n%len(types)]
			values, comment = values.with("type", t), comment+", type "+t
		}
		v := f.add("level-"+string(rune('0'+n)), comment, f.levels(n), values)
		if n == 1 {
			f.addThorough(v)
		}
	}
}

func (f *family) addEnds() {
	f.add("lowest", "every field and the factor at its lowest",
		card{f.levels(1).key, []string{"0000000000000000"}}, f.usual.at(lowest))
	f.add("highest", "every field and the factor at its highest",
		card{f.levels(1).key, []string{"FFFFFFFFFFFFFFFF"}}, f.usual.at(highest))
	f.add("weak-key", "a weak key with equal halves, which folds to a TAC key of zeros; cards are delivered with it, so it must work",
		card{key: f.key("AF", "01")}, f.usual)
	if _, dated := f.usual["date"]; dated {
		f.add("leap-day", "29 February of a leap century", f.levels(1), f.usual.with("date", "20000229"))
	}
}

// add makes a vector that must succeed and, where something is claimed, its
// rejecting neighbours.
func (f *family) add(name, comment string, c card, values fields) vectors.Vector {
	v := vectors.Vector{
		ID: f.Name + "/" + name, Comment: comment, Source: generatedBy(c.key), Operation: f.recipe.operation,
		Key: c.key, Factors: c.factors, Fields: values,
	}
	r := recipeOf(v)
	r.compute(&v, secret(r.usage, c.key))
	f.Vectors = append(f.Vectors, v)
	if v.Expect == vectors.Accept {
		f.Vectors = append(f.Vectors, neighbours(v, slices.Concat(wrongMACs, wrongInputs), generatedBy(c.key))...)
	}
	return v
}

// neighboursOf makes the rejecting neighbours of published vectors.
func neighboursOf(published vectors.Family) vectors.Family {
	f := vectors.Family{
		Name:      published.Name + "-neighbours",
		Comment:   "What a module must refuse next to each vector of " + published.Name + ".json that claims a MAC or TAC.",
		Provision: slices.Clone(published.Provision),
	}
	for _, v := range published.Vectors {
		if v.Expect == vectors.Accept {
			source := "generated: vectors/gen, from the published " + v.ID
			f.Vectors = append(f.Vectors, neighbours(v, slices.Concat(wrongMACs, wrongInputs), source)...)
		}
	}
	return f
}

// addOwn adds what one operation alone has.
func (f *family) addOwn() {
	own := f.levels(1)
	switch f.recipe.operation {
	case "purchase":
		f.add("serial-left-half", "the left half of the terminal serial enters nothing: the MAC of level-1",
			own, f.usual.with("terminal-serial", "FFFF0203"))
		f.add("amount-zero", "a compound purchase of nothing, as at an entry gate", own, f.usual.with("type", "09").with("amount", "00000000"))
	case "pin-unblock", "pin-reload":
		for n, pin := range []string{"1234", "12345678", "1234567890AB", "1234567890ABCD", "1234567890ABCDEF"} {
			f.add("pin-"+string(rune('a'+n)), "a PIN of another length", own, f.usual.with("pin", pin))
		}
	case "write-key":
		f.addNewKeys()
	case "update-binary", "update-record":
		f.addContents()
	case "external-auth", "internal-auth":
		if f.algorithm == "04" { // has 16 bytes anyway
			break
		}
		f.add("challenge-16", "a challenge of 16 bytes", own,
			f.usual.with("challenge", "C2D3E4F5A6B7C8D90112233445566778"))
		if f.recipe.claim == "" {
			f.add("challenge-4", "a challenge of 4 bytes: zeros follow", own, f.usual.with("challenge", "C2D3E4F5"))
		}
	}
	if _, challenged := f.usual["challenge"]; challenged && f.recipe.command.form == messaging {
		f.add("challenge-8", "a challenge of 8 bytes", own, f.usual.with("challenge", "C2D3E4F5A6B7C8D9"))
	}
}

// addContents adds data of lengths around the ends of blocks, in the clear and
// enciphered, up to the most that a command takes.
func (f *family) addContents() {
	for _, n := range []int{1, 2, 3, 6, 7, 8, 11, 14, 15, 16, 23, 31, 32, 63, 127, 239} {
		var content strings.Builder
		for i := range n {
			fmt.Fprintf(&content, "%02X", byte(7*i+n))
		}
		values := f.usual.with("content", content.String())
		f.add(fmt.Sprintf("content-%d", n), fmt.Sprintf("%d bytes in the clear", n), f.levels(1), values.with("enciphered", "00"))
		f.add(fmt.Sprintf("content-%d-enciphered", n), fmt.Sprintf("%d bytes enciphered", n), f.levels(1), values.with("enciphered", "01"))
	}
}
