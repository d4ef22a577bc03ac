package main

import (
	"fmt"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// genericFields are the fields of a generic MAC, in the order in which they are
// written.
var genericFields = []string{"mac-algorithm", "padding", "part", "iv", "size", "message", "mac"}

func isGeneric(v vectors.Vector) bool { return v.Operation == "mac" || v.Operation == "mac-verify" }

// The generic key, one beside it, and what must be refused. They are cards of no
// scheme, in a set of their own; C4 has only a key of another usage, with the
// value of the first.
const (
	genericKey     = "C0/01/00"
	genericSM4     = "C0/01/04"
	genericRetired = "C0/04/00"
	genericOther   = "C0/02/00"
	genericTrap    = "C4/01/00"
)

// genericFamilies have the MACs of ISO/IEC 9797-1 that are no card's.
func genericFamilies() []vectors.Family {
	made := genericFamily("mac", "MACs of messages by ISO/IEC 9797-1 algorithms 1 and 3, by a key for generic MACs: whole messages and messages in parts.")
	verified := genericFamily("mac-verify", "The same MACs as claims.")
	for _, algorithm := range []string{"01", "03"} {
		for _, padding := range []string{"00", "01", "02"} {
			for _, n := range []int{1, 7, 8, 9, 16, 63, 64, 300} {
				if padding == "00" && n%8 != 0 {
					continue
				}
				name := fmt.Sprintf("algorithm-%s/padding-%s/%d", algorithm[1:], padding[1:], n)
				comment := fmt.Sprintf("%d bytes", n)
				values := genericValues(algorithm, padding, "08", text(n, algorithm, padding))
				made.addGeneric(name, comment+", all 8 bytes of the MAC", values)
				verified.addGeneric(name, comment, values.with("size", "04"))
			}
			made.addParts(algorithm, padding)
		}
	}
	for _, f := range []*family{made, verified} {
		f.addGeneric("short", "a MAC of 4 bytes", genericValues("03", "02", "04", text(21, "03", "02")))
		f.addGenericRefused()
	}
	return []vectors.Family{made.Family, verified.Family}
}

func genericFamily(name, comment string) *family {
	keys := []vectors.TestKey{
		testKey(genericKey, "mac", 0, keystore.StateActive, "plainly a test key"),
		testKey(genericSM4, "mac", 0, keystore.StateActive, "of a cipher that these MACs are not made with"),
		testKey(genericOther, "mac", 0, keystore.StateActive, "another key"),
		testKey(genericRetired, "mac", 0, keystore.StateRetired, "retired"),
		testKey(genericTrap, "load", 0, keystore.StateActive, "the only key of its set, of another usage, with the value of "+genericKey),
	}
	setValue(&keys[4], secret("mac", genericKey))
	return &family{Family: vectors.Family{Name: name, Comment: comment, Provision: keys}}
}

func genericValues(algorithm, padding, size, message string) fields {
	return fields{"mac-algorithm": algorithm, "padding": padding, "part": "00", "size": size, "message": message}
}

// text is a message of n bytes, another one for each algorithm and padding: of
// whole blocks, and of one block, they make the same.
func text(n int, algorithm, padding string) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "%02X", byte(11*i+n)^unhex(algorithm)[0]<<6^unhex(padding)[0]<<4)
	}
	return s.String()
}

// addGeneric adds a MAC that is made, or one that is verified with its wrong
// neighbours.
func (f *family) addGeneric(name, comment string, values fields) string {
	v := f.generic(name, comment, genericKey, values)
	answer := genericMAC(v)
	if f.Name == "mac" {
		v.Expect, v.Answer = vectors.Made, answer
		f.Vectors = append(f.Vectors, v)
		return answer
	}
	v.Expect, v.Fields = vectors.Accept, values.with("mac", answer)
	f.Vectors = append(f.Vectors, v)
	for _, w := range []struct{ name, comment, field, value string }{
		{"mac-first-bit", "the first bit of the MAC is inverted", "mac", flip(answer, 0)},
		{"mac-last-bit", "the last bit of the MAC is inverted", "mac", flip(answer, -1)},
		{"other-message", "the last bit of the message is inverted", "message", flip(values["message"], -1)},
		{"other-algorithm", "the other algorithm", "mac-algorithm", map[string]string{"01": "03", "03": "01"}[values["mac-algorithm"]]},
	} {
		wrong := v
		wrong.ID, wrong.Comment, wrong.Expect = v.ID+"/"+w.name, w.comment, vectors.Mismatch
		wrong.Fields = fields(v.Fields).with(w.field, w.value)
		if genericMAC(wrong) != wrong.Fields["mac"] { // of one block both algorithms make the same
			f.Vectors = append(f.Vectors, wrong)
		}
	}
	other := v
	other.ID, other.Comment, other.Expect, other.Key = v.ID+"/wrong-key", "another key", vectors.Mismatch, genericOther
	f.Vectors = append(f.Vectors, other)
	return answer
}

// addParts cuts a message of 37 bytes, or 40 where nothing is padded, in three.
func (f *family) addParts(algorithm, padding string) {
	n := 37
	if padding == "00" {
		n = 40
	}
	message, values := text(n, algorithm, padding), genericValues(algorithm, padding, "08", "")
	name := "algorithm-" + algorithm[1:] + "/padding-" + padding[1:]
	if padding == "02" { // the same of every padding
		iv := f.addGeneric(name+"/first", "a first part: answered with the IV of the next", values.with("part", "01").with("message", message[:32]))
		f.addGeneric(name+"/middle", "a middle part", values.with("part", "02").with("iv", iv).with("message", message[32:64]))
	}
	v := f.generic("", "", genericKey, values.with("part", "01").with("message", message[:64]))
	f.addGeneric(name+"/last", "the last part", values.with("part", "03").with("iv", genericMAC(v)).with("message", message[64:]))
}

func (f *family) generic(name, comment, key string, values fields) vectors.Vector {
	return vectors.Vector{
		ID: f.Name + "/" + name, Comment: comment, Source: generated, Operation: f.Name, Key: key, Fields: values,
	}
}

// addGenericRefused adds what must be refused before anything is computed.
func (f *family) addGenericRefused() {
	usual := genericValues("03", "01", "04", text(16, "03", "01"))
	if f.Name == "mac-verify" {
		usual = usual.with("mac", genericMAC(f.generic("", "", genericKey, usual)))
	}
	refuse := func(name, comment, key string, expect vectors.Expect, field string, values fields) {
		v := f.generic("refused/"+name, comment, key, values)
		v.Expect, v.Field = expect, field
		f.Vectors = append(f.Vectors, v)
	}
	for _, b := range []bad{
		{"algorithm-2", "an algorithm that is not made", "mac-algorithm", "02"},
		{"padding-3", "a padding method that is not made", "padding", "03"},
		{"part-4", "no such part", "part", "04"},
		{"size-6", "no such size", "size", "06"},
		{"message-none", "no message", "message", ""},
	} {
		refuse(b.name, b.comment, genericKey, vectors.Invalid, b.field, usual.with(b.field, b.value))
	}
	refuse("no-padding", "bytes that fill no block, and no padding", genericKey, vectors.Invalid, "message", usual.with("padding", "00").with("message", text(15, "03", "01")))
	refuse("part-not-whole", "a first part that is not whole blocks", genericKey, vectors.Invalid, "message", usual.with("part", "01").with("message", text(15, "03", "01")))
	refuse("unknown-set", "a key set that does not exist", "EE/01/00", vectors.NotFound, "", usual)
	refuse("unknown-version", "a key version that does not exist", "C0/7F/00", vectors.NotFound, "", usual)
	refuse("wrong-algorithm", "an algorithm identifier that the key does not have", "C0/01/7F", vectors.Algorithm, "", usual)
	refuse("sm4", "an SM4 key", genericSM4, vectors.Algorithm, "", usual)
	refuse("wrong-usage", "a set that has only a purse key", genericTrap, vectors.Usage, "", usual)
	refuse("retired-key", "a retired key", genericRetired, vectors.Retired, "", usual)
}

// genericMAC is the MAC of a message, or the IV of the next part.
func genericMAC(v vectors.Vector) string {
	key := reference.Key(unhex(secret("mac", v.Key)))
	data, ends := unhex(v.Fields["message"]), v.Fields["part"] == "00" || v.Fields["part"] == "03"
	if ends && v.Fields["padding"] == "02" {
		data = pad(data, 8)
	}
	for ends && len(data)%8 != 0 {
		data = append(data, 0)
	}
	var iv [8]byte
	copy(iv[:], unhex(v.Fields["iv"]))
	var chain [][]byte
	switch {
	case v.Fields["mac-algorithm"] == "01":
		chain = key.Triple(iv, data)
	case ends:
		chain = key.Retail([16]byte(append(iv[:], make([]byte, 8)...)), data)
	default:
		chain = key.Single(iv, data)
	}
	answer := fmt.Sprintf("%X", chain[len(chain)-1])
	if ends && v.Fields["size"] == "04" {
		return answer[:8]
	}
	return answer
}
