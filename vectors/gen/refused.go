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
}

// otherTypes is a type that another operation has.
var otherTypes = map[string]string{"load": "06", "load-tac": "03", "purchase": "02", "purchase-tac": "03"}

// addRefused adds what must be refused before any MAC is looked at. The MAC of
// each is right for the values given, so only the refusal stands in its way.
func (f *family) addRefused() {
	for _, b := range append(badValues, bad{"type-of-another", "the type of another operation", "type", otherTypes[f.Name]}) {
		if _, ok := f.usual[b.field]; ok {
			f.refuseValue(b)
		}
	}
	if f.recipe.operation == "purchase" {
		f.refuseValue(bad{"auth-code", "an authentication code, which the key's scheme does not have", "auth-code", "8588D32B7688D32B76"})
	}
	own := levels(1)
	f.refuse("factors-none", "no factor for a key with one level", vectors.Invalid, own.key, card{key: own.key})
	f.refuse("factors-two", "two factors for a key with one level", vectors.Invalid, own.key, card{own.key, levels(2).factors})
	f.refuse("factors-five", "five factors, which no key has", vectors.Invalid, own.key,
		card{own.key, append([]string{"0000000000000000"}, levels(4).factors...)})
	f.refuse("unknown-set", "a key set that does not exist", vectors.NotFound, "EE/01/00", own)
	f.refuse("unknown-version", "a key version that does not exist", vectors.NotFound, "A1/7F/00", own)
	f.refuse("wrong-algorithm", "an algorithm identifier that the key does not have", vectors.Algorithm, "A1/01/7F", own)
	f.refuse("wrong-usage", "a set that has only a key of another usage", vectors.Usage, loneSets[f.recipe.usage].set+"/01/00", own)
	f.refuse("retired-key", "a retired key", vectors.Retired, "A1/03/00", own)
	f.refuse("pending-key", "a pending key", vectors.Retired, "A1/04/00", own)
}

func (f *family) refuseValue(b bad) {
	v := f.refused(b.name, b.comment, vectors.Invalid, levels(1), f.usual.with(b.field, b.value))
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
		ID: f.Name + "/refused/" + name, Comment: comment, Source: generated, Operation: f.recipe.operation,
		Key: c.key, Factors: c.factors, Fields: values,
	}
	f.recipe.compute(&v, secret(f.recipe.usage, c.key))
	v.Expect, v.Answer = expect, ""
	return v
}
