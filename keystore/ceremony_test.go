package keystore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
)

// Components without fault, whose exclusive or has none either.
const (
	partA = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
	partB = "5B7D1A90E4C62F83A1B6C0D59E7F3142"
	partC = "C3A5971E60D84B2F7E1906B3D85A9C64"
	zeros = "00000000000000000000000000000000"
)

// xor is the component that makes up digits together with other.
func xor(t testing.TB, digits, other string) string {
	t.Helper()
	a, b := secret(t, digits), secret(t, other)
	for i := range a {
		a[i] ^= b[i]
	}
	return fmt.Sprintf("%X", a[:])
}

// flip changes the parity bit of every byte.
func flip(t testing.TB, digits string) string {
	t.Helper()
	return xor(t, digits, strings.Repeat("01", 16))
}

// A ceremonyCase is components, the rules that they break in the order in
// which production mode minds them, and what test mode says to it all.
type ceremonyCase struct {
	name       string
	components []string
	broken     []error
}

func ceremonyCases(t testing.TB) []ceremonyCase {
	const article = "11223344556677888877665544332211" // blog.csdn.net/slj_win 42240855
	zero, published, weak := keystore.ErrZero, keystore.ErrPublished, keystore.ErrWeak
	equal, repeated, reused := keystore.ErrEqualHalves, keystore.ErrRepeated, keystore.ErrReused
	const halves = "0F1E2D3C4B5A69780F1E2D3C4B5A6978"
	const halvesButParity = "0F1E2D3C4B5A69780E1F2C3D4A5B6879"
	return []ceremonyCase{
		{"two components", []string{partA, partB}, nil},
		{"three components", []string{partA, partB, partC}, nil},
		{"a zero component", []string{partA, zeros}, []error{zero, weak, equal}},
		{"a component of parity bits", []string{partA, strings.Repeat("01", 16)}, []error{zero, weak, equal}},
		{"a component twice", []string{partA, partA}, []error{repeated, zero, weak, equal}},
		{"a component twice of three", []string{partA, partB, partA}, []error{repeated}},
		{"a component twice but for parity", []string{partA, partB, flip(t, partA)}, []error{repeated}},
		{"a component thrice", []string{partA, partA, partA}, []error{repeated, repeated, repeated}},
		{"a sum of zero", []string{partA, partB, xor(t, partA, partB)}, []error{zero, weak, equal}},
		{"a sum of parity bits", []string{partA, partB, flip(t, xor(t, partA, partB))}, []error{zero, weak, equal}},
		{"equal halves of a component", []string{halves, partB}, []error{equal}},
		{"equal halves of a component but for parity", []string{halvesButParity, partB}, []error{equal}},
		{"equal halves of the key", []string{partB, xor(t, partB, halves)}, []error{equal}},
		{"equal halves of the key but for parity", []string{partB, xor(t, partB, halvesButParity)}, []error{equal}},
		{"a published component", []string{article, partB}, []error{published}},
		{"a published key", []string{partA, xor(t, partA, article)}, []error{published}},
		{"a published key but for parity", []string{partA, xor(t, partA, flip(t, article))}, []error{published}},
		{"all ones", []string{partA, xor(t, partA, strings.Repeat("F", 32))}, []error{published, weak, equal}},
		{"another key of the store", []string{partC, xor(t, partC, xor(t, partA, partB))}, []error{reused}},
		{"another key of the store but for parity", []string{partC, flip(t, xor(t, partC, xor(t, partA, partB)))}, []error{reused}},
	}
}

// holding gives a store in which another key is partA xor partB already, if
// the case is about that.
func holding(t testing.TB, mode keystore.Mode, c ceremonyCase) *keystore.Store {
	t.Helper()
	s, _ := newStore(t, mode)
	if slices.Contains(c.broken, keystore.ErrReused) {
		other := keystore.Key{
			Ref:    keystore.Ref{Set: 7, Usage: keystore.UsageTAC, Version: 3, Algorithm: 1},
			Cipher: keystore.Cipher3DES, State: keystore.StatePending,
		}
		_, _, err := s.Import(other, secrets(t, partA, partB))
		must(t, err)
	}
	return s
}

func secrets(t testing.TB, digits ...string) (list []keystore.Secret) {
	t.Helper()
	for _, d := range digits {
		list = append(list, secret(t, d))
	}
	return list
}

func TestCeremonyInProduction(t *testing.T) {
	for _, c := range ceremonyCases(t) {
		t.Run(c.name, func(t *testing.T) {
			s := holding(t, keystore.ModeProduction, c)
			before := keysOf(t, s)
			key, warnings, err := s.Import(keyOf(1), secrets(t, c.components...))
			if warnings != nil {
				t.Errorf("warnings in production mode: %v", warnings)
			}
			if len(c.broken) == 0 {
				wantImported(t, s, key, err, c.components)
				return
			}
			if key != (keystore.Key{}) || !errors.Is(err, c.broken[0]) {
				t.Errorf("%v, %v; want %v", key, err, c.broken[0])
			}
			if after := keysOf(t, s); !slices.Equal(after, before) {
				t.Error("the store has changed")
			}
		})
	}
}

func TestCeremonyInTestMode(t *testing.T) {
	for _, c := range ceremonyCases(t) {
		t.Run(c.name, func(t *testing.T) {
			s := holding(t, keystore.ModeTest, c)
			key, warnings, err := s.Import(keyOf(1), secrets(t, c.components...))
			wantImported(t, s, key, err, c.components)
			wantWarnings(t, warnings, c.broken)
		})
	}
}

// wantImported checks the key that is the last in the store.
func wantImported(t *testing.T, s *keystore.Store, key keystore.Key, err error, components []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	want := zeros
	for _, c := range components {
		want = xor(t, want, c)
	}
	snap := snapshotOf(t, s)
	h, err := snap.Find(keyOf(1).Ref)
	must(t, err)
	if *snap.Secret(h) != secret(t, want) {
		t.Error("the key is not the exclusive or of its components")
	}
	if kcv, err := snap.Secret(h).KCV(key.Cipher); err != nil || key.KCV != kcv || *snap.Key(h) != key {
		t.Errorf("got %+v, stored %+v, check value %s (%v)", key, *snap.Key(h), kcv, err)
	}
}

func wantWarnings(t *testing.T, got []keystore.Warning, want []error) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("warnings %q, want %v", got, want)
	}
	for i, w := range got {
		if !errors.Is(w.Rule, want[i]) || w.String() != w.Rule.Error() {
			t.Errorf("warning %d is %q, want %v", i+1, w, want[i])
		}
	}
}

func TestNumberOfComponents(t *testing.T) {
	for _, c := range []struct {
		mode       keystore.Mode
		components []string
		want       error
		warnings   []error
	}{
		{keystore.ModeProduction, nil, keystore.ErrComponents, nil},
		{keystore.ModeProduction, []string{partA}, keystore.ErrComponents, nil},
		{keystore.ModeTest, nil, keystore.ErrComponents, nil},
		{keystore.ModeTest, []string{partA}, nil, nil},
		{keystore.ModeTest, []string{strings.Repeat("F", 32)}, nil, []error{keystore.ErrPublished, keystore.ErrWeak, keystore.ErrEqualHalves}},
	} {
		t.Run(fmt.Sprintf("%s with %d", c.mode, len(c.components)), func(t *testing.T) {
			s, _ := newStore(t, c.mode)
			_, warnings, err := s.Import(keyOf(1), secrets(t, c.components...))
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			wantWarnings(t, warnings, c.warnings)
		})
	}
}

// Every weak and semi-weak key, as either half, of a component and of the key,
// with and without its parity.
func TestWeakHalves(t *testing.T) {
	s, _ := newStore(t, keystore.ModeProduction)
	const sound = "0F1E2D3C4B5A6978"
	weak := keystore.WeakKeys()
	if len(weak) != 16 {
		t.Fatalf("%d weak keys, want 4 and 12", len(weak))
	}
	for _, w := range weak {
		half := fmt.Sprintf("%X", w[:])
		for _, digits := range []string{half + sound, sound + half} {
			for _, bad := range []string{digits, flip(t, digits)} {
				for _, components := range [][]string{{bad, partB}, {partB, bad}, {partB, xor(t, partB, bad)}} {
					if _, _, err := s.Import(keyOf(1), secrets(t, components...)); !errors.Is(err, keystore.ErrWeak) {
						t.Errorf("weak half %s in %v: %v, want ErrWeak", half, components, err)
					}
				}
			}
		}
	}
	if n := len(keysOf(t, s)); n != 0 {
		t.Errorf("%d keys imported", n)
	}
}

func TestComponentsAreCleared(t *testing.T) {
	for _, mode := range []keystore.Mode{keystore.ModeTest, keystore.ModeProduction} {
		for _, components := range [][]string{{partA, partB}, {partA, partA}, {partA}} {
			s, _ := newStore(t, mode)
			list := secrets(t, components...)
			_, _, _ = s.Import(keyOf(1), list)
			for i := range list {
				if list[i] != (keystore.Secret{}) {
					t.Errorf("%s mode: component %d of %d is left", mode, i+1, len(list))
				}
			}
		}
	}
}
