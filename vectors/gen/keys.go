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
	"load":     {"AB", "tac"},
	"unload":   {"AC", "load"},
	"purchase": {"AD", "load"},
	"tac":      {"AE", "load"},
}

// provision lists the keys that a family of the given usage needs.
func provision(usage string) []vectors.TestKey {
	var keys []vectors.TestKey
	for n := range 5 {
		keys = append(keys, testKey(levels(n).key, usage, uint8(n), keystore.StateActive, "plainly a test key"))
	}
	keys[1].Comment = comment(keys[1].Value)
	lone := loneSets[usage]
	trap := testKey(lone.set+"/01/00", lone.usage, 1, keystore.StateActive, "the only key of its set, of another usage than is asked for, with the value of A1/01/00")
	setValue(&trap, secret(usage, "A1/01/00"))
	return append(keys,
		testKey("A0/02/00", usage, 0, keystore.StateActive, "another card's key"),
		testKey("A1/02/00", usage, 1, keystore.StateActive, "a second version"),
		testKey("A1/03/00", usage, 1, keystore.StateRetired, "retired, with the value of A1/01/00"),
		testKey("A1/04/00", usage, 1, keystore.StatePending, "pending, with the value of A1/01/00"),
		testKey("AF/01/00", usage, 0, keystore.StateActive, "weak, equal halves: the default key of blank cards"),
		trap,
	)
}

func testKey(key, usage string, levels uint8, state keystore.State, comment string) vectors.TestKey {
	k := vectors.TestKey{Key: key, Cipher: keystore.Cipher3DES, Levels: levels, State: state, Comment: comment}
	if err := k.Usage.UnmarshalText([]byte(usage)); err != nil {
		panic("gen: " + err.Error())
	}
	setValue(&k, secret(usage, key))
	return k
}

func setValue(k *vectors.TestKey, value string) {
	k.Value = value
	k.KCV = reference.Key(unhex(value)).KCV().String()
}

func comment(value string) string {
	if value == published {
		return "the master key of the published diversification example"
	}
	return "plainly a test key"
}

// levelNames tell the sets A0 to A4 apart. Numbers would not do: the digits 0
// and 1, as 2 and 3, differ only in the bit that DES ignores.
var levelNames = map[string]string{"A0": "none", "A1": "one", "A2": "two", "A3": "three", "A4": "four"}

// secret is the value of a key: published, weak, or sixteen letters that say
// what it is.
func secret(usage, key string) string {
	set, version := key[:2], key[3:5]
	switch {
	case set == "AF":
		return strings.Repeat("FF", 16)
	case set == "A1" && (version == "03" || version == "04"):
		return secret(usage, "A1/01/00")
	case set == "A1" && version == "01" && (usage == "load" || usage == "purchase"):
		return published
	}
	return fmt.Sprintf("%X", fmt.Sprintf("%-8s%-5s v%s", usage, levelNames[set], version[1:]))
}
