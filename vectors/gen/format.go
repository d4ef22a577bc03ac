package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"pbochsm/mac"
	"pbochsm/vectors"
)

// format writes a family for eyes: a key on a line, a vector on six, its
// fields in the order of the wire.
func format(f vectors.Family) ([]byte, error) {
	var keys, cases, schemes []string
	for _, p := range f.Profiles {
		text, err := oneLine(p)
		if err != nil {
			return nil, err
		}
		schemes = append(schemes, "  "+text)
	}
	for _, k := range f.Provision {
		text, err := oneLine(k)
		if err != nil {
			return nil, err
		}
		keys = append(keys, "  "+text)
	}
	for _, v := range f.Vectors {
		cases = append(cases, vector(v))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n %s,\n", member("comment", f.Comment))
	if len(schemes) > 0 {
		fmt.Fprintf(&out, " \"profiles\": [\n%s\n ],\n", strings.Join(schemes, ",\n"))
	}
	fmt.Fprintf(&out, " \"provision\": [\n%s\n ],\n \"vectors\": [\n%s\n ]\n}\n",
		strings.Join(keys, ",\n"), strings.Join(cases, ",\n"))
	return out.Bytes(), nil
}

// oneLine is JSON with a space after each comma and colon that is not within a
// string; no string here holds either of the two sequences.
func oneLine(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(`,"`, `, "`, `":`, `": `).Replace(string(text)), nil
}

func vector(v vectors.Vector) string {
	var factors []string
	for _, f := range v.Factors {
		factors = append(factors, quote(f))
	}
	lines := []string{
		"  {" + member("id", v.ID) + ", " + member("operation", v.Operation) + ", " + member("expect", string(v.Expect)),
		"   " + member("comment", v.Comment),
		"   " + member("source", v.Source),
		"   " + member("key", v.Key) + `, "factors": [` + strings.Join(factors, ", ") + "]",
		`   "fields": {` + strings.Join(inputs(v), ", ") + "}",
	}
	if v.Field != "" {
		lines = append(lines, "   "+member("field", v.Field))
	}
	if v.Answer != "" {
		lines = append(lines, "   "+member("answer", v.Answer))
	}
	return strings.Join(lines, ",\n") + "}"
}

// inputs lists the fields of v in the order of the wire.
func inputs(v vectors.Vector) []string {
	var members []string
	for _, name := range genericFields {
		if value, ok := v.Fields[name]; ok && isGeneric(v) {
			members = append(members, member(name, value))
		}
	}
	for _, k := range mac.Kinds() {
		if k.String() != v.Operation {
			continue
		}
		for _, f := range k.Inputs() {
			if value, ok := v.Fields[f.String()]; ok {
				members = append(members, member(f.String(), value))
			}
		}
	}
	return members
}

func member(name, value string) string { return quote(name) + ": " + quote(value) }

// quote is a JSON string. Nothing that this program writes needs an escape
// that Go spells otherwise.
func quote(s string) string { return fmt.Sprintf("%q", s) }
