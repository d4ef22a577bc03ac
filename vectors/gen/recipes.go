package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A recipe is an operation in the words of [PBOC] 5. A MAC input is a list of
// words: a field by its name, or hexadecimal digits as they are.
type recipe struct {
	operation string
	usage     string
	types     []string // values of the field "type"
	fixed     string   // the type, where it is no field
	session   string   // input of the session key; empty: the TAC key is folded
	claim     string   // the field that holds the MAC claimed, if any
	claimed   string   // input of the MAC claimed
	made      string   // input of the MAC made, if any
}

// [PBOC] 5.1
var loadRecipe = recipe{
	operation: "load", usage: "load", types: []string{"01", "02"},
	session: "random online-counter 8000",
	claim:   "mac1", claimed: "balance amount type terminal",
	made: "amount type terminal date time",
}

// [PBOC] 5.1
var loadTACRecipe = recipe{
	operation: "load-tac", usage: "tac", types: []string{"01", "02"},
	claim: "tac", claimed: "new-balance online-counter amount type terminal date time",
}

// [PBOC] 5.5
var unloadRecipe = recipe{
	operation: "unload", usage: "unload", fixed: "03",
	session: "random online-counter 8000",
	claim:   "mac1", claimed: "balance amount type terminal",
	made: "amount type terminal date time",
}

// [PBOC] 5.5
var unloadMAC3Recipe = recipe{
	operation: "unload-mac3", usage: "unload", fixed: "03",
	session: "random online-counter 8000",
	claim:   "mac3", claimed: "new-balance online-counter amount type terminal date time",
}

// [PBOC] 5.2, 5.4
var purchaseRecipe = recipe{
	operation: "purchase", usage: "purchase", types: []string{"05", "06", "04"},
	session: "random offline-counter serial-low",
	made:    "amount type terminal date time",
}

// [PBOC] 5.2
var purchaseMAC2Recipe = recipe{
	operation: "purchase-mac2", usage: "purchase",
	session: "random offline-counter serial-low",
	claim:   "mac2", claimed: "amount",
}

// [PBOC] 5.2
var purchaseTACRecipe = recipe{
	operation: "purchase-tac", usage: "tac", types: []string{"05", "06", "04"},
	claim: "tac", claimed: "amount type terminal terminal-serial date time",
}

// recipeOf finds the recipe of a vector.
func recipeOf(v vectors.Vector) recipe {
	for _, r := range []recipe{
		loadRecipe, loadTACRecipe, unloadRecipe, unloadMAC3Recipe,
		purchaseRecipe, purchaseMAC2Recipe, purchaseTACRecipe,
	} {
		if r.operation == v.Operation {
			return r
		}
	}
	panic("gen: no recipe for " + v.Operation)
}

// compute fills in what v claims and what it is answered, under a key of the
// given value, and expects success.
func (r recipe) compute(v *vectors.Vector, value string) {
	key := r.finalKey(v, value)
	if r.claim != "" {
		v.Fields = fields(v.Fields).with(r.claim, r.mac(key, r.claimed, v.Fields)[:8])
		v.Expect = vectors.Accept
	}
	if r.made != "" {
		v.Answer = r.mac(key, r.made, v.Fields)[:8]
	}
	if r.claim == "" {
		v.Expect = vectors.Made
	}
}

// finalKey is the key that MACs.
func (r recipe) finalKey(v *vectors.Vector, value string) [8]byte {
	key := reference.Key(unhex(value))
	for _, factor := range v.Factors {
		key = key.Diversify(mac.Factor(unhex(factor)))
	}
	if r.session == "" {
		return key.TACKey()
	}
	return key.SessionKey([8]byte(r.concat(r.session, v.Fields)))
}

// mac gives the last block of the CBC chain; the MAC is its left half.
func (r recipe) mac(key [8]byte, words string, values fields) string {
	chain := reference.ChainBlocks(key, reference.Pad(r.concat(words, values)))
	return fmt.Sprintf("%X", chain[len(chain)-1])
}

func (r recipe) concat(words string, values fields) []byte {
	values = maps.Clone(values)
	if r.fixed != "" {
		values["type"] = r.fixed
	}
	if serial, ok := values["terminal-serial"]; ok {
		values["serial-low"] = serial[4:]
	}
	var text strings.Builder
	for _, word := range strings.Fields(words) {
		if value, ok := values[word]; ok {
			word = value
		}
		text.WriteString(word)
	}
	return unhex(text.String())
}

// unhex decodes what this program itself spelt.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("gen: %q: %v", s, err))
	}
	return b
}
