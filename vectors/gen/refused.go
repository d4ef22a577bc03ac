package main

import "pbochsm/vectors"

// A bad value is out of range for its field.
type bad struct{ name, comment, field, value string }

var badValues = []bad{
	{"date-0230", "30 February", "date", "20240230"},
	{"date-0229-common", "29 February of a common year", "date", "20230229"},
	{"date-0229-century", "29 February of a century that was not leap", "date", "19000229"},
	{"date-0431", "31 April", "date", "20240431"},
	{"date-month-13", "month 13", "date", "20241301"},
	{"date-day-00", "day 0", "date", "20240100"},
	{"date-digit", "a digit A", "date", "2024010A"},
	{"time-24", "hour 24", "time", "240000"},
	{"time-second-60", "second 60", "time", "120060"},
	{"time-digit", "a digit A", "time", "1A0000"},
	{"type-08", "type 08, which no operation has", "type", "08"},
	{"challenge-5", "a challenge of 5 bytes", "challenge", "C2D3E4F5A6"},
	{"challenge-none", "no challenge", "challenge", ""},
	{"pin-1", "a PIN of one byte", "pin", "12"},
	{"enciphered-02", "neither in the clear nor enciphered", "enciphered", "02"},
	{"content-none", "nothing to write", "content", ""},
}

// unknownAlgorithm names a key by an identifier that it does not have.
var unknownAlgorithm = map[string]string{"00": "A1/01/7F", "04": "A1/01/7E"}

// otherTypes is a type that another operation has.
var otherTypes = map[string]string{"load": "06", "load-tac": "03", "purchase": "02", "purchase-tac": "03",
	"lock": "94", "lock-tac": "96", "unlock": "92", "unlock-mac3": "03"}

// addRefused adds what must be refused before any MAC is looked at. The MAC of
// each is right for the values given, so only the refusal stands in its way.
func (f *family) addRefused() {
	for _, b := range append(badValues, bad{"type-of-another", "the type of another operation", "type", otherTypes[f.recipe.operation]}) {
		if _, ok := f.usual[b.field]; ok {
			f.refuseValue(b)
		}
	}
	if f.recipe.operation == "purchase" {
		f.refuseValue(bad{"auth-code", "an authentication code, which the key's scheme does not have", "auth-code", "8588D32B7688D32B76"})
	}
	if f.recipe.operation == "app-block" {
		f.refuseValue(bad{"p2-02", "neither for a time nor for good", "p2", "02"})
	}
	if f.recipe.operation == "write-key" {
		f.refuseNewKeys()
	}
	own, key := f.levels(1), f.key
	f.refuse("factors-none", "no factor for a key with one level", vectors.Invalid, own.key, card{key: own.key})
	f.refuse("factors-two", "two factors for a key with one level", vectors.Invalid, own.key, card{own.key, f.levels(2).factors})
	f.refuse("factors-five", "five factors, which no key has", vectors.Invalid, own.key,
		card{own.key, append([]string{"0000000000000000"}, f.levels(4).factors...)})
	f.refuse("unknown-set", "a key set that does not exist", vectors.NotFound, key("EE", "01"), own)
	f.refuse("unknown-version", "a key version that does not exist", vectors.NotFound, key("A1", "7F"), own)
	f.refuse("wrong-algorithm", "an algorithm identifier that the key does not have", vectors.Algorithm, unknownAlgorithm[f.algorithm], own)
	f.refuse("wrong-usage", "a set that has only a key of another usage", vectors.Usage, key(loneSets[f.recipe.usage].set, "01"), own)
	f.refuse("retired-key", "a retired key", vectors.Retired, key("A1", "03"), own)
	f.refuse("pending-key", "a pending key", vectors.Retired, key("A1", "04"), own)
}

func (f *family) refuseValue(b bad) {
	v := f.refused(b.name, b.comment, vectors.Invalid, f.levels(1), f.usual.with(b.field, b.value))
	v.Field = b.field
	f.Vectors = append(f.Vectors, v)
}

// refuse names a key other than the one whose card computes the claim.
func (f *family) refuse(name, comment string, expect vectors.Expect, key string, c card) {
	v := f.refused(name, comment, expect, c, f.usual)
	v.Key = key
	if expect == vectors.Invalid {
		v.Field = "factors"
	}
	f.Vectors = append(f.Vectors, v)
}

func (f *family) refused(name, comment string, expect vectors.Expect, c card, values fields) vectors.Vector {
	v := vectors.Vector{
		ID: f.Name + "/refused/" + name, Comment: comment, Source: generatedBy(c.key), Operation: f.recipe.operation,
		Key: c.key, Factors: c.factors, Fields: values,
	}
	r := recipeOf(v)
	r.compute(&v, secret(r.usage, c.key))
	v.Expect, v.Answer = expect, ""
	return v
}
