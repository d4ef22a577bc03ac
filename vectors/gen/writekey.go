package main

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// newUsages are the usages of the keys that are written, by their numbers.
var newUsages = map[string]string{"01": "load", "04": "tac", "0F": "key-control"}

// withNewKey are the fields of v and, where it writes a key, that key as the
// card is to have it.
func withNewKey(v vectors.Vector) fields {
	usage, ok := newUsages[v.Fields["new-usage"]]
	if !ok {
		return v.Fields
	}
	name := v.Key[:3] + v.Fields["new-version"] + "/" + v.Fields["new-algorithm"]
	a, key := reference.Of(cipherOf(name)), reference.Key(unhex(secret(usage, name)))
	for _, factor := range v.Factors {
		key = a.Diversify(key, mac.Factor(unhex(factor)))
	}
	return fields(v.Fields).with("new-key", fmt.Sprintf("%X", key[:]))
}

// provideNew provisions what is written: load keys of every number of levels,
// and in the set of one level keys of other usages and states.
func (f *family) provideNew(algorithm string) {
	provide := func(key, usage string, levels uint8, state keystore.State, comment string) {
		k := testKey(key, usage, levels, state, comment)
		if k.Value == published {
			k.Comment = "the master key of the published diversification example"
		}
		f.Provision = append(f.Provision, k)
	}
	for n := range 5 {
		provide(f.levels(n).key, "load", uint8(n), keystore.StateActive, "plainly a test key")
	}
	one := f.key("A1", "01")
	provide(f.key("AF", "01"), "load", 0, keystore.StateActive, "weak, equal halves: the default key of blank cards")
	provide(one, "tac", 1, keystore.StateActive, "plainly a test key")
	provide(f.key("A1", "03"), "load", 1, keystore.StateRetired, "retired, with the value of "+one)
	if algorithm == "00" {
		provide("A1/01/04", "load", 1, keystore.StateActive, "plainly a test key")
	}
}

// addNewKeys adds the headers of other cards, and other keys.
func (f *family) addNewKeys() {
	own := f.levels(1)
	f.add("header-3", "the header of a PSAM: usage, version, algorithm", own, f.usual.with("key-header", "220100"))
	f.add("header-5", "the header of FMCOS: type, use, change, version, algorithm", own, f.usual.with("key-header", "3FF0020100"))
	f.add("tac", "a TAC key", own, f.usual.with("new-usage", "04").with("p1", "08"))
	f.add("itself", "the control key itself", own, f.usual.with("new-usage", "0F").with("p1", "39"))
	if f.algorithm == "00" {
		f.add("sm4", "an SM4 key under a 3DES key", own, f.usual.with("new-algorithm", "04"))
	}
}

// refuseNewKeys adds what is wrong with the key that is to be written.
func (f *family) refuseNewKeys() {
	own := f.levels(1)
	refuse := func(name, comment string, expect vectors.Expect, field string, values fields) {
		f.Vectors = append(f.Vectors, vectors.Vector{
			ID: f.Name + "/refused/" + name, Comment: comment, Source: generatedBy(own.key), Operation: f.recipe.operation,
			Key: own.key, Factors: own.factors, Fields: values, Expect: expect, Field: field,
		})
	}
	refuse("new-usage-00", "no usage", vectors.Invalid, "new-usage", f.usual.with("new-usage", "00"))
	refuse("new-usage-mac", "a key that no card has", vectors.Invalid, "new-usage", f.usual.with("new-usage", "0E"))
	refuse("header-2", "a header of 2 bytes", vectors.Invalid, "key-header", f.usual.with("key-header", "0100"))
	refuse("new-version", "a new key that does not exist", vectors.NotFound, "", f.usual.with("new-version", "7F"))
	refuse("new-usage", "the set has the new key for other usages only", vectors.Usage, "", f.usual.with("new-usage", "0A"))
	refuse("new-retired", "a new key that is retired", vectors.Retired, "", f.usual.with("new-version", "03"))
}
