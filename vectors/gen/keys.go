package main

import (
	"fmt"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// published is the master key of the published diversification example.
const published = "00112233445566778899AABBCCDDEEFF"

// A lone set has a single key: one whose usage is not the one it is asked for.
type lone struct{ set, usage string }

// loneSets names, for a usage, the set in which nothing but a key of another
// usage exists. That key has the very value of A1/01/00, so a module that
// overlooks the usage accepts what it must refuse.
var loneSets = map[string]lone{
	"load":         {"AB", "tac"},
	"unload":       {"AC", "load"},
	"purchase":     {"AD", "load"},
	"tac":          {"AE", "load"},
	"overdraft":    {"B0", "load"},
	"unlock":       {"B1", "unload"},
	"pin-unblock":  {"B2", "maintenance"},
	"pin-reload":   {"B3", "maintenance"},
	"maintenance":  {"B4", "purchase"},
	"card-control": {"B5", "maintenance"},
	"authenticate": {"B6", "maintenance"},
	"key-control":  {"B7", "maintenance"},
}

// provision lists the keys that a family of the given usage needs.
func provision(usage, algorithm string) []vectors.TestKey {
	var keys []vectors.TestKey
	f := family{algorithm: algorithm}
	for n := range 5 {
		keys = append(keys, testKey(f.levels(n).key, usage, uint8(n), keystore.StateActive, "plainly a test key"))
	}
	keys[1].Comment = comment(keys[1].Value)
	one := f.key("A1", "01")
	lone := loneSets[usage]
	trap := testKey(f.key(lone.set, "01"), lone.usage, 1, keystore.StateActive,
		"the only key of its set, of another usage than is asked for, with the value of "+one)
	setValue(&trap, secret(usage, one))
	return append(keys,
		testKey(f.key("A0", "02"), usage, 0, keystore.StateActive, "another card's key"),
		testKey(f.key("A1", "02"), usage, 1, keystore.StateActive, "a second version"),
		testKey(f.key("A1", "03"), usage, 1, keystore.StateRetired, "retired, with the value of "+one),
		testKey(f.key("A1", "04"), usage, 1, keystore.StatePending, "pending, with the value of "+one),
		testKey(f.key("AF", "01"), usage, 0, keystore.StateActive, "weak, equal halves: the default key of blank cards"),
		trap,
	)
}

func testKey(key, usage string, levels uint8, state keystore.State, comment string) vectors.TestKey {
	k := vectors.TestKey{Key: key, Cipher: cipherOf(key), Levels: levels, State: state, Comment: comment}
	if err := k.Usage.UnmarshalText([]byte(usage)); err != nil {
		panic("gen: " + err.Error())
	}
	setValue(&k, secret(usage, key))
	return k
}

func setValue(k *vectors.TestKey, value string) {
	k.Value = value
	zeros := make([]byte, reference.Of(k.Cipher).Block)
	k.KCV = fmt.Sprintf("%X", reference.Of(k.Cipher).Encipher(reference.Key(unhex(value)), zeros)[:3])
}

func comment(value string) string {
	if value == published {
		return "the master key of the published diversification example"
	}
	return "plainly a test key"
}

// levelNames tell the sets apart. Numbers would not do: the digits 0 and 1, as
// 2 and 3, differ only in the bit that DES ignores.
var levelNames = map[string]string{
	"A0": "none", "A1": "one", "A2": "two", "A3": "three", "A4": "four",
	"C0": "key", setCity: "city", setOther: "other", setMixed: "mixed",
}

// usageNames have at most 8 letters.
var usageNames = map[string]string{
	"overdraft": "overdrft", "pin-unblock": "pinunblk", "pin-reload": "pinreld", "maintenance": "maintain",
	"app-block": "appblock", "app-unblock": "appunblk", "card-control": "cardctrl", "authenticate": "authentc", "key-control": "keyctrl",
}

// secret is the value of a key: published, weak, or sixteen letters that say
// what it is.
func secret(usage, key string) string {
	set, version, algorithm := key[:2], key[3:5], key[6:]
	letter := "v"
	if algorithm == "04" {
		letter = "s"
	}
	switch {
	case set == "AF":
		return strings.Repeat("FF", 16)
	case set == "A1" && (version == "03" || version == "04"):
		return secret(usage, "A1/01/"+algorithm)
	case set == "A1" && version == "01" && letter == "v" && (usage == "load" || usage == "purchase"):
		return published
	}
	name := usage
	if short, ok := usageNames[usage]; ok {
		name = short
	}
	return fmt.Sprintf("%X", fmt.Sprintf("%-8s%-5s %s%s", name, levelNames[set], letter, version[1:]))
}
