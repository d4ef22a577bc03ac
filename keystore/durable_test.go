package keystore_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pbochsm/keystore"
)

func TestTwoWriters(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	if second, err := keystore.Open(dir, passphrase(), keystore.Options{}); second != nil || !errors.Is(err, keystore.ErrLocked) {
		t.Fatalf("a second writer: %v, %v; want ErrLocked", second, err)
	}
	if second, err := keystore.CreateCheap(rand.Reader, dir, passphrase(), keystore.ModeTest); second != nil || !errors.Is(err, keystore.ErrLocked) {
		t.Fatalf("a second creator: %v, %v; want ErrLocked", second, err)
	}
	openStore(t, dir) // a reader is not kept out
	must(t, s.Close())
	second, err := keystore.Open(dir, passphrase(), keystore.Options{})
	if err != nil {
		t.Fatalf("after the first closed: %v", err)
	}
	must(t, second.Close())
}

// A wrong pass-phrase does not leave the store locked.
func TestFailedOpenUnlocks(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	must(t, s.Close())
	if _, err := keystore.Open(dir, []byte("wrong"), keystore.Options{}); !errors.Is(err, keystore.ErrPassphrase) {
		t.Fatal(err)
	}
	again, err := keystore.Open(dir, passphrase(), keystore.Options{})
	must(t, err)
	must(t, again.Close())
}

// What a crash before the rename leaves is never read and does not stand in
// the way of the next save.
func TestInterruptedSave(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(t *testing.T, dir, temp string)
	}{
		{"empty", func(t *testing.T, _, temp string) { must(t, os.WriteFile(temp, nil, 0o600)) }},
		{"half", func(t *testing.T, dir, temp string) { must(t, os.WriteFile(temp, readFile(t, dir)[:200], 0o600)) }},
		{"whole", func(t *testing.T, dir, temp string) { must(t, os.WriteFile(temp, readFile(t, dir), 0o600)) }},
		{"long", func(t *testing.T, _, temp string) { must(t, os.WriteFile(temp, make([]byte, 1<<16), 0o444)) }},
		{"a link elsewhere", func(t *testing.T, dir, temp string) { must(t, os.Symlink(filepath.Join(dir, "elsewhere"), temp)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := newStore(t, keystore.ModeTest)
			fill(t, s, 1)
			temp := filepath.Join(dir, "keystore.age.tmp")
			c.leave(t, dir, temp)
			sameKeys(t, snapshotOf(t, openStore(t, dir)), snapshotOf(t, s))
			fill(t, s, 2)
			sameKeys(t, snapshotOf(t, openStore(t, dir)), snapshotOf(t, s))
			if _, err := os.Lstat(temp); !os.IsNotExist(err) {
				t.Errorf("the leftover is still there: %v", err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); !os.IsNotExist(err) {
				t.Errorf("the save followed a link: %v", err)
			}
		})
	}
}

// When a save fails the old file stands, and the store can try again.
func TestFailedSave(t *testing.T) {
	for _, c := range []struct {
		name           string
		obstruct, free func(dir string) error
	}{
		{
			"no place for the new file",
			func(dir string) error { return os.MkdirAll(filepath.Join(dir, "keystore.age.tmp", "x"), 0o700) },
			func(dir string) error { return os.RemoveAll(filepath.Join(dir, "keystore.age.tmp")) },
		},
		{
			"no renaming",
			func(dir string) error {
				return errors.Join(os.Rename(path(dir), path(dir)+".bak"), os.MkdirAll(filepath.Join(path(dir), "x"), 0o700))
			},
			func(dir string) error {
				return errors.Join(os.RemoveAll(path(dir)), os.Rename(path(dir)+".bak", path(dir)))
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := newStore(t, keystore.ModeTest)
			fill(t, s, 1)
			before := readFile(t, dir)
			must(t, c.obstruct(dir))
			_, err := s.Generate(rand.Reader, keyOf(2))
			must(t, err)
			if err := s.Save(rand.Reader); err == nil {
				t.Fatal("saved")
			}
			must(t, c.free(dir))
			if string(readFile(t, dir)) != string(before) {
				t.Error("the old file has changed")
			}
			if _, err := os.Lstat(filepath.Join(dir, "keystore.age.tmp")); !os.IsNotExist(err) {
				t.Errorf("a leftover: %v", err)
			}
			must(t, s.Save(rand.Reader))
			snap := snapshotOf(t, openStore(t, dir))
			if snap.Epoch() != 3 || len(snap.Keys()) != 2 {
				t.Errorf("epoch %d with %d keys, want 3 with 2", snap.Epoch(), len(snap.Keys()))
			}
		})
	}
}
