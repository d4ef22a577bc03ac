package keystore_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"pbochsm/keystore"
)

// passphrase gives a fresh copy each time, because a store clears it.
func passphrase() []byte { return []byte("correct horse battery staple") }

// keyOf is an active load key of a set.
func keyOf(set byte) keystore.Key {
	return keystore.Key{
		Ref:    keystore.Ref{Set: set, Usage: keystore.UsageLoad, Version: 1},
		Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
	}
}

// secret reads hexadecimal digits that the test vouches for.
func secret(t testing.TB, digits string) keystore.Secret {
	t.Helper()
	s, err := keystore.ParseSecret([]byte(digits))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	return s
}

// newStore makes a store that is cheap to open.
func newStore(t testing.TB, mode keystore.Mode) (s *keystore.Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s, err := keystore.CreateCheap(rand.Reader, dir, passphrase(), mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	return s, dir
}

// fill generates a key for each set and saves.
func fill(t testing.TB, s *keystore.Store, sets ...byte) {
	t.Helper()
	for _, set := range sets {
		if _, err := s.Generate(rand.Reader, keyOf(set)); err != nil {
			t.Fatal(err)
		}
	}
	must(t, s.Save(rand.Reader))
}

// openStore opens the store in dir as a daemon does.
func openStore(t testing.TB, dir string) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir, passphrase(), keystore.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func keysOf(t testing.TB, s *keystore.Store) []keystore.Key {
	t.Helper()
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func snapshotOf(t testing.TB, s *keystore.Store) *keystore.Snapshot {
	t.Helper()
	snap, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(snap.Release)
	return snap
}

func path(dir string) string { return filepath.Join(dir, "keystore.age") }

func readFile(t testing.TB, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(path(dir))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, dir string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path(dir), b, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sameKeys compares attributes and bytes of every key.
func sameKeys(t testing.TB, got, want *keystore.Snapshot) {
	t.Helper()
	if got.Mode() != want.Mode() || got.Check() != want.Check() || len(got.Keys()) != len(want.Keys()) {
		t.Fatalf("got %d keys, mode %s, check value %s; want %d, %s, %s", len(got.Keys()), got.Mode(), got.Check(),
			len(want.Keys()), want.Mode(), want.Check())
	}
	for i, k := range want.Keys() {
		h := keystore.Handle(i)
		if *got.Key(h) != k {
			t.Errorf("key %d: got %+v, want %+v", i, *got.Key(h), k)
		}
		if !bytes.Equal(got.Secret(h)[:], want.Secret(h)[:]) {
			t.Errorf("key %s: other bytes", k.Ref)
		}
	}
}
