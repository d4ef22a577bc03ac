package main

import (
	"slices"
	"strings"

	"pbochsm/vectors"
)

// thorough are further neighbours, made for one vector of each operation: each
// input on its own, and mistakes that implementations make.
var thorough = []twist{
	{"wrong-version", "a version of the key that exists, but another one", func(v *vectors.Vector) bool {
		v.Key = "A1/02" + v.Key[5:]
		return true
	}},
	{"wrong-random", "another random number", changed("random")},
	{"wrong-balance", "another balance", changed("balance")},
	{"wrong-new-balance", "another balance", changed("new-balance")},
	{"wrong-terminal", "another terminal", changed("terminal")},
	{"wrong-date", "another date", changed("date")},
	{"wrong-time", "another time", changed("time")},
	{"wrong-limit", "another limit", changed("limit")},
	{"wrong-new-limit", "another limit", changed("new-limit")},
	{"wrong-terminal-random", "another random number of the terminal", changed("terminal-random")},
	{"wrong-p1", "another P1", changed("p1")},
	{"wrong-p2", "another P2", changed("p2")},
	{"wrong-challenge", "another challenge", changed("challenge")},
	{"wrong-pin", "another PIN", changed("pin")},
	{"wrong-content", "other data", changed("content")},
	{"wrong-key-header", "another header of the key", changed("key-header")},
}

// Mistakes of a claim; they need the key.
var mistakes = []twist{
	{"mac-zero", "a MAC of zeros", claimed(func(mac string) string { return strings.Repeat("0", len(mac)) })},
	{"mac-right-half", "the right half of the last block instead of the left", func(v *vectors.Vector) bool {
		r := recipeOf(*v)
		if r.command != nil {
			return false
		}
		v.Fields = fields(v.Fields).with(r.claim, r.lastBlock(v, secret(r.usage, v.Key), r.claimed)[8:16])
		return true
	}},
	{"serial-truncated", "the TAC covers all four bytes of the terminal serial: the first differs", func(v *vectors.Vector) bool {
		if v.Operation != "purchase-tac" {
			return false
		}
		v.Fields = fields(v.Fields).with("terminal-serial", flip(v.Fields["terminal-serial"], 0))
		return true
	}},
}

// addThorough adds the further neighbours of v. Where nothing is claimed, each
// change must lead to a MAC of its own instead of a refusal.
func (f *family) addThorough(v vectors.Vector) {
	if v.Expect == vectors.Accept {
		f.Vectors = append(f.Vectors, neighbours(v, slices.Concat(thorough, mistakes), generatedBy(v.Key))...)
		return
	}
	others := neighbours(v, slices.Concat(wrongInputs, thorough), generatedBy(v.Key))
	for i := range others {
		o := &others[i]
		o.ID = strings.Replace(o.ID, "/wrong-", "/other-", 1)
		f.recipe.compute(o, secret(f.recipe.usage, o.Key))
	}
	f.Vectors = append(f.Vectors, others...)
}
