package keystore_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
)

var someHome = keystore.Home{Token: "main", Label: "pbochsm/02/load/01/00", ID: "\x01\xAB"}

// tokenKey is an active load key of a set that lives in a token.
func tokenKey(set byte) keystore.Key {
	k := keyOf(set)
	k.KCV = keystore.KCV{0xAB, 0xCD, set}
	k.Home = keystore.Home{Token: "main", Label: fmt.Sprintf("pbochsm/%02X/load/01/00", set), ID: "\x01\xAB"}
	return k
}

// homed is the example of the package comment with its key in a token.
var homed = strings.NewReplacer(
	`"format":1`, `"format":2`,
	`"kcv":"491510"`, `"kcv":"491510","home":{"token":"main","label":"pbochsm/02/load/01/00","id":"01AB"}`,
).Replace(documented)

func TestTokenKeyIsReadAsWritten(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	snap, err := s.Decode(payload(t, s, homed, zeros))
	must(t, err)
	defer snap.Release()
	if got := snap.Key(0).Home; got != someHome {
		t.Errorf("home %+v", got)
	}
	if got := snap.Key(0).Home.String(); got != "main:pbochsm/02/load/01/00#01AB" {
		t.Errorf("home %s", got)
	}
}

func TestTokenKeyHasNoBytes(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	if snap, err := s.Decode(payload(t, s, homed, partA)); snap != nil || !errors.Is(err, keystore.ErrHome) {
		t.Errorf("a token key with bytes: %v", err)
	}
	snap, err := s.Decode(payload(t, s, homed, zeros))
	must(t, err)
	defer snap.Release()
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "01/load/01/00 are in a token") {
			t.Errorf("asked for its bytes: %v", p)
		}
	}()
	snap.Secret(0)
	t.Error("got bytes")
}

func TestHomesRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	home := homed[strings.Index(homed, `"home":`) : len(homed)-3]
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"format of a file without token keys", `"format":2`, `"format":1`, keystore.ErrDamaged},
		{"empty", home, `"home":{"token":"","label":"","id":""}`, keystore.ErrDamaged},
		{"null", home, `"home":null`, keystore.ErrDamaged},
		{"no token", `"main"`, `""`, keystore.ErrHome},
		{"no label", `"label":"pbochsm/02/load/01/00"`, `"label":""`, keystore.ErrHome},
		{"no identifier", `"01AB"`, `""`, keystore.ErrHome},
		{"half an identifier", `"01AB"`, `"01A"`, keystore.ErrDamaged},
		{"lower case", `"01AB"`, `"01ab"`, keystore.ErrDamaged},
		{"missing member", `,"id":"01AB"`, ``, keystore.ErrDamaged},
		{"unknown member", `,"id":`, `,"pin":"1","id":`, keystore.ErrDamaged},
		{"order", `"token":"main","label":"pbochsm/02/load/01/00"`, `"label":"pbochsm/02/load/01/00","token":"main"`, keystore.ErrDamaged},
		{"a label too long", `pbochsm/02`, strings.Repeat("p", 129), keystore.ErrHome},
		{"a line end", `pbochsm/02`, `pbochsm\n02`, keystore.ErrHome},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(homed, c.old, c.new, 1)
			if text == homed {
				t.Fatal("nothing changed")
			}
			if snap, err := s.Decode(payload(t, s, text, zeros)); snap != nil || !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	s, dir := newStore(t, keystore.ModeProduction)
	fill(t, s, 1)
	added, err := s.Adopt(tokenKey(2))
	must(t, err)
	if added.Index != 2 || added.KCV != tokenKey(2).KCV {
		t.Errorf("index %d, check value %s", added.Index, added.KCV)
	}
	pending := tokenKey(3)
	pending.State = keystore.StatePending
	_, err = s.Adopt(pending)
	must(t, err)
	must(t, s.Save(rand.Reader))
	opened := openStore(t, dir)
	sameKeysButBytes(t, keysOf(t, opened), keysOf(t, s))
	if got := *snapshotOf(t, opened).Secret(0); got != *snapshotOf(t, s).Secret(0) {
		t.Error("the key in the file has other bytes")
	}

	must(t, s.Activate(pending.Ref))
	must(t, s.Retire(pending.Ref))
	must(t, s.Delete(pending.Ref))
	must(t, s.Retire(added.Ref))
	must(t, s.Delete(added.Ref))
	must(t, s.Save(rand.Reader))
	if payload, err := s.Encode(rand.Reader, snapshotOf(t, s)); err != nil || !strings.Contains(string(payload), `{"format":1,`) {
		t.Errorf("without token keys the store is not of format 1: %v", err)
	}
}

func sameKeysButBytes(t testing.TB, got, want []keystore.Key) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d keys, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	s, _ := newStore(t, keystore.ModeProduction)
	fill(t, s, 1)
	_, err := s.Adopt(tokenKey(2))
	must(t, err)
	for _, c := range []struct {
		name   string
		change func(k *keystore.Key)
		want   error
	}{
		{"a key of the file", func(k *keystore.Key) { k.Home = keystore.Home{} }, keystore.ErrHome},
		{"an identity twice", func(k *keystore.Key) { k.Set = 1 }, keystore.ErrDuplicate},
		{"an object twice", func(k *keystore.Key) { k.Home = tokenKey(2).Home }, keystore.ErrDuplicate},
		{"the check value of another key", func(k *keystore.Key) { k.KCV = tokenKey(2).KCV }, keystore.ErrReused},
		{"retired", func(k *keystore.Key) { k.State = keystore.StateRetired }, keystore.ErrState},
		{"half a home", func(k *keystore.Key) { k.Home.ID = "" }, keystore.ErrHome},
	} {
		k := tokenKey(3)
		c.change(&k)
		if _, err := s.Adopt(k); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	in := tokenKey(4)
	if _, _, err := s.Import(in, secrets(t, partA, partB)); !errors.Is(err, keystore.ErrHome) {
		t.Errorf("imported into the file with a home in a token: %v", err)
	}
}

// A key that is in a token already is known by its check value.
func TestCombine(t *testing.T) {
	s, _ := newStore(t, keystore.ModeProduction)
	got, warnings, err := s.Combine(secrets(t, partA, partB))
	must(t, err)
	if len(warnings) != 0 {
		t.Errorf("warnings %v", warnings)
	}
	in := tokenKey(2)
	in.KCV, err = got.KCV(keystore.Cipher3DES)
	must(t, err)
	_, err = s.Adopt(in)
	must(t, err)
	for name, parts := range map[string][]string{"reused": {partA, partB}, "one component": {partA}, "none": {}, "repeated": {partA, partA}} {
		components := secrets(t, parts...)
		if _, _, err := s.Combine(components); err == nil {
			t.Errorf("%s: combined", name)
		}
		for _, c := range components {
			if c != (keystore.Secret{}) {
				t.Errorf("%s: a component is not cleared", name)
			}
		}
	}
}
