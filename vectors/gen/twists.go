package main

import (
	"slices"

	"pbochsm/vectors"
)

// A twist makes one thing wrong in a right vector. It returns false where the
// vector has no such thing.
type twist struct {
	name    string
	comment string
	apply   func(v *vectors.Vector) bool
}

// Every right claim has these neighbours: the MAC itself is wrong, or what it
// was made from is.
var (
	wrongMACs = []twist{
		{"mac-first-bit", "the first bit of the MAC is inverted", claimed(func(mac string) string { return flip(mac, 0) })},
		{"mac-last-bit", "the last bit of the MAC is inverted", claimed(func(mac string) string { return flip(mac, -1) })},
	}
	wrongInputs = []twist{
		{"wrong-card", "another card: its factor, or its own key, differs", wrongCard},
		{"wrong-issuer", "another issuer: the outermost factor differs", wrongIssuer},
		{"factors-reversed", "the right factors in the reverse order", factorsReversed},
		{"wrong-counter", "the counter after its increment", wrongCounter},
		{"wrong-serial", "another terminal serial", changed("terminal-serial")},
		{"wrong-type", "another transaction type", wrongType},
		{"wrong-amount", "another amount", changed("amount")},
	}
)

// neighbours makes the wrong neighbours of a right vector.
func neighbours(right vectors.Vector, twists []twist, source string) []vectors.Vector {
	var wrong []vectors.Vector
	for _, t := range twists {
		v := right
		v.Factors = slices.Clone(right.Factors)
		if !t.apply(&v) {
			continue
		}
		v.ID, v.Comment, v.Source = right.ID+"/"+t.name, t.comment, source
		v.Expect, v.Answer = vectors.Mismatch, ""
		wrong = append(wrong, v)
	}
	return wrong
}

// claimed twists the MAC that is claimed.
func claimed(twist func(string) string) func(*vectors.Vector) bool {
	return func(v *vectors.Vector) bool {
		claim := recipeOf(*v).claim
		v.Fields = fields(v.Fields).with(claim, twist(v.Fields[claim]))
		return true
	}
}

// changed inverts the last bit of a field, if that enters the claim.
func changed(name string) func(*vectors.Vector) bool {
	return func(v *vectors.Vector) bool {
		if !recipeOf(*v).uses(name) {
			return false
		}
		v.Fields = fields(v.Fields).with(name, flip(v.Fields[name], -1))
		return true
	}
}

// uses tells whether a field enters the key or the MAC claimed, or what is made
// where nothing is claimed.
func (r recipe) uses(name string) bool { return slices.Contains(r.words(), name) }

// otherKeys pairs the keys that are a card's own.
var otherKeys = map[string]string{
	"A0/01/00": "A0/02/00", "AF/01/00": "A0/02/00", "A0/01/04": "A0/02/04", "AF/01/04": "A0/02/04",
	"01/01/00": "02/01/00", "02/01/00": "01/01/00", "03/00/00": "01/01/00", "04/00/01": "02/01/00",
}

func wrongCard(v *vectors.Vector) bool {
	if last := len(v.Factors) - 1; last >= 0 {
		v.Factors[last] = flip(v.Factors[last], -1)
		return true
	}
	v.Key = otherKeys[v.Key]
	// Of the published cards with a TAC key there are two.
	if v.Operation == "load-tac" && v.Key == "01/01/00" {
		v.Key = "04/00/01"
	}
	return true
}

func wrongIssuer(v *vectors.Vector) bool {
	if len(v.Factors) < 2 {
		return false
	}
	v.Factors[0] = flip(v.Factors[0], -1)
	return true
}

func factorsReversed(v *vectors.Vector) bool {
	slices.Reverse(v.Factors)
	return len(v.Factors) > 1
}

func wrongCounter(v *vectors.Vector) bool {
	for _, name := range []string{"online-counter", "offline-counter"} {
		if recipeOf(*v).uses(name) {
			v.Fields = fields(v.Fields).with(name, next(v.Fields[name]))
			return true
		}
	}
	return false
}

// wrongType names another type of the same operation. An operation whose type
// is fixed gets the right MAC of a load instead.
func wrongType(v *vectors.Vector) bool {
	r := recipeOf(*v)
	if i := slices.Index(r.types, v.Fields["type"]); i >= 0 {
		v.Fields = fields(v.Fields).with("type", r.types[(i+1)%len(r.types)])
		return true
	}
	if r.fixed == "" {
		return false
	}
	r.fixed = "01"
	r.compute(v, secret(r.usage, v.Key))
	return true
}
