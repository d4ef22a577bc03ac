package keystore_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"pbochsm/keystore"
)

// A profile goes through the file and comes back as it was, with the others.
func TestProfilesAreKept(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	city, ok := keystore.SchemeNamed("cjt166", 0x02)
	if !ok {
		t.Fatal("there is no cjt166")
	}
	fuel, _ := keystore.SchemeNamed("fuel", 0x01)
	must(t, fuel.Turn("lock-counter", "one"))
	for _, p := range []keystore.Profile{city, {Set: 2, Name: "replaced"}, city, fuel} {
		must(t, s.SetProfile(p))
	}
	must(t, s.Save(rand.Reader))
	must(t, s.Close())
	snap, err := openStore(t, dir).Snapshot()
	must(t, err)
	defer snap.Release()
	if got := snap.Profiles(); len(got) != 2 || got[0] != fuel || got[1] != city {
		t.Errorf("profiles %+v", got)
	}
	if *snap.Profile(2) != city || snap.Profile(3).Name != keystore.ProfilePlain {
		t.Errorf("set 02 has %s, set 03 %s", snap.Profile(2).Name, snap.Profile(3).Name)
	}
}

// A key and a profile that contradict each other do not come together, in
// whichever order.
func TestProfileJudgesIdentifiers(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	p, _ := keystore.SchemeNamed("jtt978", 1)
	must(t, s.SetProfile(p))
	key := keyOf(1)
	key.Cipher, key.Algorithm = keystore.CipherSM4, 0x04
	_, _, err := s.Import(key, secrets(t, "11223344556677888877665544332211"))
	must(t, err)
	key.Algorithm = 0x00
	if _, _, err := s.Import(key, secrets(t, "11223344556677888877665544332212")); !errors.Is(err, keystore.ErrAlgorithm) {
		t.Errorf("an SM4 key by the identifier of 3DES: %v", err)
	}
	p, _ = keystore.SchemeNamed("pboc2", 1)
	if err := s.SetProfile(p); !errors.Is(err, keystore.ErrAlgorithm) {
		t.Errorf("a profile that does not know the key's identifier: %v", err)
	}
}

func TestProfileRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	bad := keystore.Profile{Set: 1, Name: "x"}
	bad.Switches[keystore.SwitchScriptIV] = 2
	odd := keystore.Profile{Set: 1, Name: "x"}
	odd.Ciphers[7] = 9
	for name, p := range map[string]keystore.Profile{
		"unknown reading": bad, "unknown cipher": odd,
		"no name": {Set: 1}, "long name": {Set: 1, Name: strings.Repeat("x", 33)},
	} {
		if err := s.SetProfile(p); !errors.Is(err, keystore.ErrAttribute) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := keystore.SchemeNamed("none", 1); ok {
		t.Error("there is a profile none")
	}
}

// The record of the file is one text: any other spelling is refused.
func TestProfileRecordsRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	const profiles = `,"profiles":[{"set":"01","name":"city","switches":{"auth-code":"compound"},"ciphers":{"00":"3des"}}]}`
	good := strings.TrimSuffix(documented, "}") + profiles
	value := "11223344556677888877665544332211"
	snap, err := s.Decode(payload(t, s, good, value))
	must(t, err)
	if p := snap.Profile(1); p.Name != "city" || p.Switches[keystore.SwitchAuthCode] != keystore.AuthCodeCompound {
		t.Errorf("profile %+v", p.Name)
	}
	snap.Release()
	for name, edit := range map[string][2]string{
		"a switch that nobody knows":  {"auth-code", "auth-mode"},
		"a reading of no switch":      {"compound", "composed"},
		"the usual reading":           {`"auth-code":"compound"`, `"auth-code":"none"`},
		"an identifier in lower case": {`"ciphers":{"00":"3des"}`, `"ciphers":{"0a":"3des"}`},
		"a cipher that nobody knows":  {`"3des"}}]`, `"aes"}}]`},
		"a further member":            {`"name":"city"`, `"name":"city","more":1`},
		"the same set twice":          {`"profiles":[`, `"profiles":[{"set":"01","name":"city","switches":{},"ciphers":{}},`},
	} {
		text := strings.Replace(good, edit[0], edit[1], 1)
		if text == good {
			t.Fatalf("%s: nothing to replace", name)
		}
		if _, err := s.Decode(payload(t, s, text, value)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
