package keystore_test

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"pbochsm/keystore"
)

func TestLifeOfAKey(t *testing.T) {
	type step struct {
		do   string
		want error
	}
	for _, c := range []struct {
		name  string
		state keystore.State
		steps []step
	}{
		{"used and retired", keystore.StatePending, []step{{"activate", nil}, {"retire", nil}, {"delete", nil}, {"delete", keystore.ErrNotFound}}},
		{"never used", keystore.StatePending, []step{{"retire", keystore.ErrState}, {"delete", nil}, {"activate", keystore.ErrNotFound}}},
		{"active from the start", keystore.StateActive, []step{{"activate", keystore.ErrState}, {"delete", keystore.ErrState}, {"retire", nil}}},
		{"retired for good", keystore.StateActive, []step{{"retire", nil}, {"activate", keystore.ErrState}, {"retire", keystore.ErrState}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newStore(t, keystore.ModeProduction)
			key := keyOf(1)
			key.State = c.state
			key, err := s.Generate(rand.Reader, key)
			must(t, err)
			do := map[string]func(keystore.Ref) error{"activate": s.Activate, "retire": s.Retire, "delete": s.Delete}
			for i, step := range c.steps {
				if err := do[step.do](key.Ref); !errors.Is(err, step.want) {
					t.Fatalf("step %d, %s: %v, want %v", i+1, step.do, err, step.want)
				}
			}
		})
	}
}

func TestStatesAreSaved(t *testing.T) {
	s, dir := newStore(t, keystore.ModeProduction)
	pending := keyOf(1)
	pending.State = keystore.StatePending
	_, err := s.Generate(rand.Reader, pending)
	must(t, err)
	fill(t, s, 2, 3)
	must(t, s.Retire(keyOf(3).Ref))
	must(t, s.Save(rand.Reader))
	snap := snapshotOf(t, openStore(t, dir))
	sameKeys(t, snap, snapshotOf(t, s))
	for set, want := range map[byte]error{1: keystore.ErrRetired, 2: nil, 3: keystore.ErrRetired} {
		if _, err := snap.Find(keyOf(set).Ref); !errors.Is(err, want) {
			t.Errorf("set %d: %v, want %v", set, err, want)
		}
	}
}

func TestIndexIsNeverReused(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	fill(t, s, 1, 2)
	must(t, s.Retire(keyOf(2).Ref))
	must(t, s.Delete(keyOf(2).Ref))
	must(t, s.Save(rand.Reader))
	must(t, s.Close())
	s, err := keystore.Open(dir, passphrase(), keystore.Options{})
	must(t, err)
	defer s.Close()
	key, err := s.Generate(rand.Reader, keyOf(2))
	must(t, err)
	if key.Index != 3 {
		t.Errorf("index %d after 1 and a deleted 2, want 3", key.Index)
	}
}

func TestFullTable(t *testing.T) {
	s, dir := newStore(t, keystore.ModeProduction)
	for set := range byte(255) {
		_, err := s.Generate(rand.Reader, keyOf(set))
		must(t, err)
	}
	s.SetNext(0xFFF)
	last, err := s.Generate(rand.Reader, keyOf(255))
	must(t, err)
	must(t, s.Save(rand.Reader))
	if last.Index != 0xFFF {
		t.Errorf("last index %X, want FFF", last.Index)
	}
	again := last
	again.Version++
	if _, err := s.Generate(rand.Reader, again); !errors.Is(err, keystore.ErrFull) {
		t.Errorf("one key more: %v, want ErrFull", err)
	}
	snap := snapshotOf(t, openStore(t, dir))
	sameKeys(t, snap, snapshotOf(t, s))
	if h, err := snap.ByIndex(0xFFF); err != nil || snap.Key(h).Ref != last.Ref {
		t.Errorf("K+FFF is %d, %v", h, err)
	}
}

func TestNewKeyIsRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	fill(t, s, 1)
	for _, c := range []struct {
		name   string
		change func(*keystore.Key)
		want   error
	}{
		{"there already", func(k *keystore.Key) { k.Set = 1 }, keystore.ErrDuplicate},
		{"no usage", func(k *keystore.Key) { k.Usage = 0 }, keystore.ErrAttribute},
		{"unknown usage", func(k *keystore.Key) { k.Usage = 200 }, keystore.ErrAttribute},
		{"no cipher", func(k *keystore.Key) { k.Cipher = 0 }, keystore.ErrAlgorithm},
		{"unknown cipher", func(k *keystore.Key) { k.Cipher = 200 }, keystore.ErrAlgorithm},
		{"no state", func(k *keystore.Key) { k.State = 0 }, keystore.ErrAttribute},
		{"unknown state", func(k *keystore.Key) { k.State = 200 }, keystore.ErrAttribute},
		{"retired", func(k *keystore.Key) { k.State = keystore.StateRetired }, keystore.ErrState},
		{"too many levels", func(k *keystore.Key) { k.Levels = keystore.MaxLevels + 1 }, keystore.ErrAttribute},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := keyOf(2)
			c.change(&key)
			if got, err := s.Generate(rand.Reader, key); got != (keystore.Key{}) || !errors.Is(err, c.want) {
				t.Errorf("Generate: %+v, %v; want %v", got, err, c.want)
			}
			got, warnings, err := s.Import(key, []keystore.Secret{secret(t, "0F1E2D3C4B5A69788796A5B4C3D2E1F0")})
			if got != (keystore.Key{}) || warnings != nil || !errors.Is(err, c.want) {
				t.Errorf("Import: %+v, %v, %v; want %v", got, warnings, err, c.want)
			}
			if n := len(keysOf(t, s)); n != 1 {
				t.Errorf("%d keys in the store, want the 1 of before", n)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	key, err := s.Generate(strings.NewReader("\x11\x22\x33\x44\x55\x66\x77\x89\x88\x77\x66\x55\x44\x33\x22\x11"), keyOf(1))
	if key != (keystore.Key{}) || !errors.Is(err, keystore.ErrPublished) {
		t.Errorf("a source that knows the literature: %+v, %v; want ErrPublished", key, err)
	}
	if _, err := s.Generate(strings.NewReader(strings.Repeat("\x00", 16)), keyOf(1)); !errors.Is(err, keystore.ErrZero) {
		t.Errorf("a source of zeros: %v, want ErrZero", err)
	}
	if _, err := s.Generate(strings.NewReader("fifteen bytes.."), keyOf(1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: %v, want ErrUnexpectedEOF", err)
	}
	if n := len(keysOf(t, s)); n != 0 {
		t.Errorf("%d keys in the store, want none", n)
	}
	key, err = s.Generate(strings.NewReader("sixteen bytes .."), keyOf(1))
	must(t, err)
	want := keystore.Secret([]byte("sixteen bytes .."))
	if *snapshotOf(t, s).Secret(0) != want {
		t.Error("the key is not what the source gave: its parity was adjusted")
	}
	if kcv, err := want.KCV(keystore.Cipher3DES); err != nil || key.KCV != kcv {
		t.Errorf("check value %s, want %s (%v)", key.KCV, kcv, err)
	}
}
