package main

import (
	"strings"

	"pbochsm/keystore"
	"pbochsm/vectors"
)

// Sets with a profile. All keys in them are cards' own, two levels above or one
// as the family says.
const (
	setCity  = "C1" // the ready-made profile cjt166
	setOther = "C2" // every switch at its other reading
	setMixed = "C3" // jtt978: 3DES and SM4 keys of one version side by side
)

// profiles are the profiles of those sets.
var profiles = map[string]vectors.TestProfile{
	setCity: {Set: setCity, Name: "cjt166", Switches: map[string]string{"auth-code": "compound", "block-key": "own"}, Ciphers: withSM4},
	setOther: {Set: setOther, Name: "other", Switches: map[string]string{
		"auth-code": "purchase", "overdraft-tac-key": "direct", "unlock-mac1": "amount", "unlock-key": "unload",
		"lock-counter": "one", "script-iv": "zero", "aligned-padding": "block", "pin-reload-mac": "header", "block-key": "own",
	}, Ciphers: withSM4},
	setMixed: {Set: setMixed, Name: "jtt978", Switches: map[string]string{}, Ciphers: withSM4},
}

var withSM4 = map[string]keystore.Cipher{"00": keystore.Cipher3DES, "01": keystore.Cipher3DES, "04": keystore.CipherSM4}

// in is the recipe as the cards of a set have it.
func (r recipe) in(set string) recipe {
	if r.command != nil {
		c := *r.command
		r.command = &c
	}
	if set == setCity || set == setOther {
		if r.operation == "purchase" {
			r.made += " auth-code"
		}
		if r.operation == "app-block" || r.operation == "app-unblock" {
			r.usage = r.operation
		}
	}
	if set != setOther {
		return r
	}
	switch r.operation {
	case "overdraft-tac":
		r.direct = true
	case "unlock":
		r.usage, r.claimed = "unload", "balance amount type terminal"
	case "unlock-mac3":
		r.usage = "unload"
	case "lock-mac2", "lock-debit":
		r.claimed = "balance counter-low"
	case "pin-reload":
		r.command.form = reloadAll
	}
	if r.command != nil {
		r.command.aligned = true
	}
	return r
}

// profileFamilies are, for each set with a profile and each operation in which
// it differs, a right vector with its neighbours, in both ciphers.
func profileFamilies() []vectors.Family {
	city := profileFamily(setCity, "What the profile cjt166 changes: the authentication code in MAC1 of a compound purchase, and keys of their own for blocking and unblocking an application. See [PBOC] 5.3 and 6.",
		"purchase", "app-block", "app-unblock")
	other := profileFamily(setOther, "Every switch of a profile at the reading that is not the usual one. See [PBOC] 11.",
		"purchase", "overdraft-tac", "lock-mac2", "lock-debit", "unlock", "unlock-mac3", "pin-reload", "pin-unblock",
		"app-block", "app-unblock", "card-block", "update-binary", "update-record")
	mixed := profileFamily(setMixed, "3DES and SM4 keys of one set and version side by side: the algorithm identifier that the card reports tells which. See [PBOC] 8.",
		"load", "load-tac", "purchase", "purchase-mac2", "purchase-tac")
	return []vectors.Family{city, other, mixed}
}

func profileFamily(set, comment string, operations ...string) vectors.Family {
	p := profiles[set]
	f := family{Family: vectors.Family{Name: "profile-" + p.Name, Comment: comment, Profiles: []vectors.TestProfile{p}}}
	for _, operation := range operations {
		f.recipe, f.usual = recipeNamed(operation).in(set), usual[operation]
		for _, algorithm := range []string{"00", "04"} {
			f.addInProfile(set, algorithm)
		}
	}
	return f.Family
}

// addInProfile adds the vectors of one operation and one cipher.
func (f *family) addInProfile(set, algorithm string) {
	key := set + "/01/" + algorithm
	f.provideOnce(key, 1)
	own := card{key, []string{"1122334455667788"}}
	name := f.recipe.operation + "/" + strings.ToLower(cipherOf(key).String())
	values := f.usual
	if set == setOther && f.recipe.command != nil {
		values = values.without("challenge") // the IV is zero
	}
	if f.recipe.operation == "purchase" {
		for _, t := range []string{"09", "06"} {
			f.addPurchase(name, own, values.with("type", t), set == setOther || set == setCity && t == "09")
		}
		return
	}
	f.add(name, "one level", own, values)
	if f.recipe.command != nil && f.recipe.command.cipher != "" {
		f.add(name+"-aligned", "the length and the data end on a block", own, f.aligned(values, algorithm))
	}
}

// addPurchase adds a MAC1 with or without an authentication code, as the
// profile has it, and the other form, which must be refused.
func (f *family) addPurchase(name string, c card, values fields, coded bool) {
	const code = "8588D32B7688D32B76"
	name += "-" + values["type"]
	right, wrong := values, values.with("auth-code", code)
	comment := "without an authentication code"
	if coded {
		right, wrong = wrong, right
		comment = "with the authentication code"
	}
	f.add(name, comment+", type "+values["type"], c, right)
	v := f.refused("refused-"+name, "not "+comment, vectors.Invalid, c, wrong)
	v.ID, v.Field = f.Name+"/refused/"+name, "auth-code"
	f.Vectors = append(f.Vectors, v)
}

// aligned gives values whose body and its length fill whole blocks.
func (f *family) aligned(values fields, algorithm string) fields {
	digits := "01020304050607"
	if algorithm == "04" && f.recipe.command.body != "pin" {
		digits = "0102030405060708090A0B0C0D0E0F"
	}
	if f.recipe.command.body == "pin" {
		return values.with("pin", digits)
	}
	return values.with("content", digits).with("enciphered", "01")
}

// provideOnce provisions a key unless the family has it.
func (f *family) provideOnce(key string, levels uint8) {
	for _, k := range f.Provision {
		if k.Key == key && k.Usage.String() == f.recipe.usage {
			return
		}
	}
	f.Provision = append(f.Provision, testKey(key, f.recipe.usage, levels, keystore.StateActive, "plainly a test key"))
}
