package keystore_test

import (
	"errors"
	"testing"

	"pbochsm/keystore"
)

// entriesOf gives each key the bytes partA.
func entriesOf(t testing.TB, keys ...keystore.Key) (entries []keystore.Entry) {
	t.Helper()
	for _, k := range keys {
		entries = append(entries, keystore.Entry{Key: k, Secret: secret(t, partA)})
	}
	return entries
}

func TestNewSnapshot(t *testing.T) {
	a, b := keyOf(1), keyOf(2)
	a.KCV, b.Index = keystore.KCV{1, 2, 3}, 7
	snap, err := keystore.NewSnapshot(keystore.ModeTest, 5, keystore.KCV{4, 5, 6}, entriesOf(t, a, b))
	must(t, err)
	defer snap.Release()
	if snap.Mode() != keystore.ModeTest || snap.Epoch() != 5 || snap.Check() != (keystore.KCV{4, 5, 6}) {
		t.Errorf("mode %s, epoch %d, check value %s", snap.Mode(), snap.Epoch(), snap.Check())
	}
	of := secret(t, partA)
	computed, err := of.KCV(keystore.Cipher3DES)
	must(t, err)
	for i, want := range []keystore.KCV{a.KCV, computed} {
		if got := snap.Key(keystore.Handle(i)).KCV; got != want {
			t.Errorf("key %d: check value %s, want %s", i, got, want)
		}
	}
}

func TestNewSnapshotRefuses(t *testing.T) {
	changed := func(change func(*keystore.Key)) []keystore.Entry {
		k := keyOf(2)
		change(&k)
		return entriesOf(t, keyOf(1), k)
	}
	sound := entriesOf(t, keyOf(1))
	for _, c := range []struct {
		name    string
		mode    keystore.Mode
		entries []keystore.Entry
		want    error
	}{
		{"no mode", 0, sound, keystore.ErrAttribute},
		{"unknown mode", 4, sound, keystore.ErrAttribute},
		{"no key at all", keystore.ModeTest, make([]keystore.Entry, 1), keystore.ErrAlgorithm},
		{"no usage", keystore.ModeTest, changed(func(k *keystore.Key) { k.Usage = 0 }), keystore.ErrAttribute},
		{"unknown usage", keystore.ModeTest, changed(func(k *keystore.Key) { k.Usage = 255 }), keystore.ErrAttribute},
		{"no cipher", keystore.ModeTest, changed(func(k *keystore.Key) { k.Cipher = 0 }), keystore.ErrAlgorithm},
		{"no cipher but a check value", keystore.ModeTest, changed(func(k *keystore.Key) { k.Cipher, k.KCV = 0, keystore.KCV{1} }), keystore.ErrAttribute},
		{"no state", keystore.ModeTest, changed(func(k *keystore.Key) { k.State = 0 }), keystore.ErrAttribute},
		{"too many levels", keystore.ModeTest, changed(func(k *keystore.Key) { k.Levels = 5 }), keystore.ErrAttribute},
		{"an index of four digits", keystore.ModeTest, changed(func(k *keystore.Key) { k.Index = 0x1000 }), keystore.ErrAttribute},
		{"the last uint16 as index", keystore.ModeTest, changed(func(k *keystore.Key) { k.Index = 0xFFFF }), keystore.ErrAttribute},
		{"an identity twice", keystore.ModeTest, entriesOf(t, keyOf(1), keyOf(1)), keystore.ErrDuplicate},
		{"an index twice", keystore.ModeTest, func() []keystore.Entry {
			a, b := keyOf(1), keyOf(2)
			a.Index, b.Index = 3, 3
			return entriesOf(t, a, b)
		}(), keystore.ErrDuplicate},
		{"more keys than handles", keystore.ModeTest, make([]keystore.Entry, 1<<16+1), keystore.ErrAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			if snap, err := keystore.NewSnapshot(c.mode, 1, keystore.KCV{}, c.entries); snap != nil || !errors.Is(err, c.want) {
				t.Errorf("%v, %v; want %v", snap, err, c.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	retired, pending := keyOf(2), keyOf(3)
	retired.State, pending.State = keystore.StateRetired, keystore.StatePending
	snap, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entriesOf(t, keyOf(1), retired, pending))
	must(t, err)
	defer snap.Release()
	of := func(set byte, usage keystore.Usage, version, algorithm byte) keystore.Ref {
		return keystore.Ref{Set: set, Usage: usage, Version: version, Algorithm: algorithm}
	}
	for _, c := range []struct {
		name string
		ref  keystore.Ref
		want error
	}{
		{"the key", of(1, keystore.UsageLoad, 1, 0), nil},
		{"retired", of(2, keystore.UsageLoad, 1, 0), keystore.ErrRetired},
		{"pending", of(3, keystore.UsageLoad, 1, 0), keystore.ErrRetired},
		{"another algorithm", of(1, keystore.UsageLoad, 1, 1), keystore.ErrAlgorithm},
		{"another usage", of(1, keystore.UsageTAC, 1, 0), keystore.ErrUsage},
		{"another usage and algorithm", of(1, keystore.UsageTAC, 1, 1), keystore.ErrNotFound},
		{"another version", of(1, keystore.UsageLoad, 2, 0), keystore.ErrNotFound},
		{"another set", of(4, keystore.UsageLoad, 1, 0), keystore.ErrNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := snap.Find(c.ref)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err == nil && snap.Key(h).Ref != c.ref {
				t.Errorf("found %s", snap.Key(h).Ref)
			}
		})
	}
}

func TestByIndex(t *testing.T) {
	a, b := keyOf(1), keyOf(2)
	b.Index, b.State = 9, keystore.StateRetired
	snap, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entriesOf(t, a, b))
	must(t, err)
	defer snap.Release()
	if h, err := snap.ByIndex(9); err != nil || snap.Key(h).Ref != b.Ref {
		t.Errorf("index 9: %d, %v", h, err)
	}
	for _, index := range []uint16{0, 1, 8, 10, 0xFFF, 0xFFFF} {
		if _, err := snap.ByIndex(index); !errors.Is(err, keystore.ErrNotFound) {
			t.Errorf("index %d: %v, want ErrNotFound", index, err)
		}
	}
}

func TestWords(t *testing.T) {
	for _, u := range keystore.Usages() {
		var usage keystore.Usage
		if err := usage.UnmarshalText([]byte(u)); err != nil || usage.String() != u {
			t.Errorf("usage %q reads as %s, %v", u, usage, err)
		}
	}
	for _, word := range []string{"", "Load", "load ", "0?"} {
		var usage keystore.Usage
		if err := usage.UnmarshalText([]byte(word)); err == nil {
			t.Errorf("%q was taken as usage %s", word, usage)
		}
	}
	for _, name := range []string{"test", "production"} {
		var mode keystore.Mode
		if err := mode.UnmarshalText([]byte(name)); err != nil || mode.String() != name {
			t.Errorf("mode %q reads as %s, %v", name, mode, err)
		}
	}
}
