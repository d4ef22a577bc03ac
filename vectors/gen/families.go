package main

import (
	"slices"

	"pbochsm/vectors"
)

const generated = "generated: vectors/gen, cross-checked with OpenSSL"

// generate makes every family that is not kept by hand.
func generate() ([]vectors.Family, error) {
	families := []vectors.Family{
		loadFamily(), loadTACFamily(),
		unloadFamily(), unloadMAC3Family(),
		purchaseFamily(), purchaseMAC2Family(), purchaseTACFamily(),
	}
	for _, name := range []string{"published-load", "published-purchase"} {
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
	recipe recipe
	usual  fields
}

// A card is what computes a claim: a master key and the factors that lead to
// the card's own.
type card struct {
	key     string
	factors []string
}

// begin makes a family with what all families have in common: every number of
// levels, the ends of the ranges, and inputs that must be refused.
func begin(comment string, r recipe, usual fields) *family {
	f := &family{
		Family: vectors.Family{Name: r.operation, Comment: comment, Provision: provision(r.usage)},
		recipe: r, usual: usual,
	}
	f.addLevels()
	f.addEnds()
	f.addRefused()
	return f
}

// levels are the cards of sets A0 to A4, by the number of their levels. The
// card's own factor is that of the published diversification example.
func levels(n int) card {
	all := []string{"A1A2A3A4A5A6A7A8", "B1B2B3B4B5B6B7B8", "C1C2C3C4C5C6C7C8", "1122334455667788"}
	return card{key: "A" + string(rune('0'+n)) + "/01/00", factors: all[len(all)-n:]}
}

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
		v := f.add("level-"+string(rune('0'+n)), comment, levels(n), values)
		if n == 1 {
			f.addThorough(v)
		}
	}
}

func (f *family) addEnds() {
	f.add("lowest", "every field and the factor at its lowest",
		card{levels(1).key, []string{"0000000000000000"}}, f.usual.at(lowest))
	f.add("highest", "every field and the factor at its highest",
		card{levels(1).key, []string{"FFFFFFFFFFFFFFFF"}}, f.usual.at(highest))
	f.add("weak-key", "a weak key with equal halves, which folds to a TAC key of zeros; cards are delivered with it, so it must work",
		card{key: "AF/01/00"}, f.usual)
	if _, dated := f.usual["date"]; dated {
		f.add("leap-day", "29 February of a leap century", levels(1), f.usual.with("date", "20000229"))
	}
}

// add makes a vector that must succeed and, where something is claimed, its
// rejecting neighbours.
func (f *family) add(name, comment string, c card, values fields) vectors.Vector {
	v := vectors.Vector{
		ID: f.Name + "/" + name, Comment: comment, Source: generated, Operation: f.recipe.operation,
		Key: c.key, Factors: c.factors, Fields: values,
	}
	f.recipe.compute(&v, secret(f.recipe.usage, c.key))
	f.Vectors = append(f.Vectors, v)
	if v.Expect == vectors.Accept {
		f.Vectors = append(f.Vectors, neighbours(v, slices.Concat(wrongMACs, wrongInputs), generated)...)
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
