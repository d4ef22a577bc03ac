package keystore_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"pbochsm/keystore"
)

func rawKey(set byte) keystore.Key {
	k := keyOf(set)
	k.Raw, k.Export = true, true
	return k
}

// The rights of a key are sealed with it, can be taken and never be given.
func TestRightsAreSealedAndTaken(t *testing.T) {
	for _, mode := range []keystore.Mode{keystore.ModeTest, keystore.ModeMigration} {
		s, dir := newStore(t, mode)
		plain, err := s.Generate(rand.Reader, keyOf(1))
		must(t, err)
		raw, err := s.Generate(rand.Reader, rawKey(2))
		must(t, err)
		must(t, s.Save(rand.Reader))
		opened := openStore(t, dir)
		sameKeysButBytes(t, keysOf(t, opened), keysOf(t, s))
		if k := snapshotOf(t, opened).Key(1); !k.Raw || !k.Export {
			t.Errorf("%s: the rights of %s are gone", mode, k.Ref)
		}
		if payload, err := s.Encode(rand.Reader, snapshotOf(t, s)); err != nil || !strings.Contains(string(payload), `{"format":3,`) {
			t.Errorf("%s: a store with raw keys is not of format 3: %v", mode, err)
		}
		if err := s.Restrict(plain.Ref); !errors.Is(err, keystore.ErrState) {
			t.Errorf("%s: rights taken from a key without: %v", mode, err)
		}
		must(t, s.Restrict(raw.Ref))
		if k := snapshotOf(t, s).Key(1); k.Raw || k.Export {
			t.Errorf("%s: %s still has rights", mode, k.Ref)
		}
	}
}

func TestProductionHasNoRawKeys(t *testing.T) {
	s, _ := newStore(t, keystore.ModeProduction)
	if _, err := s.Generate(rand.Reader, rawKey(1)); !errors.Is(err, keystore.ErrAttribute) {
		t.Errorf("generated: %v", err)
	}
	if _, _, err := s.Import(rawKey(1), []keystore.Secret{secret(t, partA), secret(t, partB)}); !errors.Is(err, keystore.ErrAttribute) {
		t.Errorf("imported: %v", err)
	}
	adopted := tokenKey(1)
	adopted.Raw = true
	if _, err := s.Adopt(adopted); !errors.Is(err, keystore.ErrAttribute) {
		t.Errorf("adopted: %v", err)
	}
}

// A key that controls others has no rights, however it comes into a store.
func TestKeyControlIsNeverRaw(t *testing.T) {
	for _, mode := range []keystore.Mode{keystore.ModeTest, keystore.ModeMigration} {
		s, _ := newStore(t, mode)
		control, adopted := rawKey(1), tokenKey(1)
		control.Usage, adopted.Usage, adopted.Raw = keystore.UsageKeyControl, keystore.UsageKeyControl, true
		if _, err := s.Generate(rand.Reader, control); !errors.Is(err, keystore.ErrAttribute) {
			t.Errorf("%s: generated: %v", mode, err)
		}
		if _, _, err := s.Import(control, []keystore.Secret{secret(t, partA), secret(t, partB)}); !errors.Is(err, keystore.ErrAttribute) {
			t.Errorf("%s: imported: %v", mode, err)
		}
		if _, err := s.Adopt(adopted); !errors.Is(err, keystore.ErrAttribute) {
			t.Errorf("%s: adopted: %v", mode, err)
		}
		control.Raw, control.Export = false, false
		_, err := s.Generate(rand.Reader, control)
		must(t, err)
	}
}

func TestMigrationKeepsTheCeremony(t *testing.T) {
	s, _ := newStore(t, keystore.ModeMigration)
	if _, _, err := s.Import(rawKey(1), []keystore.Secret{secret(t, partA)}); !errors.Is(err, keystore.ErrComponents) {
		t.Errorf("one component: %v", err)
	}
}

func TestRightsRefused(t *testing.T) {
	raw := strings.NewReplacer(`"format":1`, `"format":3`, `"kcv":"491510"`, `"kcv":"491510","raw":true,"export":true`).Replace(documented)
	s, _ := newStore(t, keystore.ModeTest)
	snap, err := s.Decode(payload(t, s, raw, partA))
	must(t, err)
	snap.Release()
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"format of a store without", `"format":3`, `"format":1`, keystore.ErrDamaged},
		{"format of token keys", `"format":3`, `"format":2`, keystore.ErrDamaged},
		{"export without raw", `"raw":true,`, ``, keystore.ErrDamaged},
		{"a right that is false", `"raw":true`, `"raw":false`, keystore.ErrDamaged},
		{"order", `"raw":true,"export":true`, `"export":true,"raw":true`, keystore.ErrDamaged},
		{"in a production store", `"mode":"test"`, `"mode":"production"`, keystore.ErrAttribute},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(raw, c.old, c.new, 1)
			if text == raw {
				t.Fatal("nothing changed")
			}
			if snap, err := s.Decode(payload(t, s, text, partA)); snap != nil || !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}
