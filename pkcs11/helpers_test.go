//go:build cgo && !nopkcs11 && !windows

package pkcs11_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

const tokenName = "main"

// install puts the 3DES keys into the token, and gives the catalogue that points
// there.
func install(t testing.TB, f tokentest.Fixture, entries []keystore.Entry, profiles ...keystore.Profile) *keystore.Snapshot {
	t.Helper()
	token, err := pkcs11.Open(t.Context(), f.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	}()
	homed := make([]keystore.Entry, len(entries))
	for i, e := range entries {
		if homed[i] = e; e.Cipher != keystore.Cipher3DES {
			continue // no token here has another; the key stays in the file
		}
		e.Home = keystore.Home{Token: tokenName, Label: "pboc/" + e.Ref.String(), ID: fmt.Sprintf("%c%c%c%c", e.Set, e.Usage, e.Version, e.Algorithm)}
		if e.KCV == (keystore.KCV{}) {
			if e.KCV, err = e.Secret.KCV(e.Cipher); err != nil {
				t.Fatal(err)
			}
		}
		if err := token.Install(e.Home.Label, e.Home.ID, 0x14, e.Secret[:], false); err != nil {
			t.Fatal(err)
		}
		if pkcs11.NeedsFolded(&e.Key) {
			folded := reference.Key(e.Secret).TACKey()
			err := token.Install(pkcs11.Folded(e.Home).Label, pkcs11.Folded(e.Home).ID, 0x14, append(folded[:], folded[:]...), true)
			if err != nil {
				t.Fatal(err)
			}
		}
		e.Secret = keystore.Secret{}
		homed[i] = e
	}
	return snapshot(t, homed, profiles...)
}

func snapshot(t testing.TB, entries []keystore.Entry, profiles ...keystore.Profile) *keystore.Snapshot {
	t.Helper()
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries, profiles...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve starts a backend, and closes it with the test.
func serve(t testing.TB, cfg pkcs11.Config) *pkcs11.Backend {
	t.Helper()
	cfg.Name = tokenName
	if testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	b, err := pkcs11.Serve(context.WithoutCancel(t.Context()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// A source draws keys and chains.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 11))} }

func (s source) fill(b []byte) {
	for i := range b {
		b[i] = byte(s.Uint32())
	}
}

// entries draws one key for each number of levels and each of four usages.
func (s source) entries() []keystore.Entry {
	var all []keystore.Entry
	for levels := range uint8(keystore.MaxLevels + 1) {
		for _, usage := range []keystore.Usage{keystore.UsageLoad, keystore.UsageTAC, keystore.UsagePurchase, keystore.UsageMaintenance} {
			e := keystore.Entry{Key: keystore.Key{
				Ref:    keystore.Ref{Set: levels, Usage: usage, Version: 1},
				Cipher: keystore.Cipher3DES, Levels: levels, State: keystore.StateActive,
			}}
			s.fill(e.Secret[:])
			all = append(all, e)
		}
	}
	return all
}

// chain draws a chain that fits its key, with data also where it has no use for
// them.
func (s source) chain(keys []keystore.Entry) (c mac.Chain) {
	c.Key = keystore.Handle(s.IntN(len(keys)))
	k := keys[c.Key]
	c.Levels, c.Final = k.Levels, mac.FinalSession
	for i := range c.Factors {
		s.fill(c.Factors[i][:])
	}
	s.fill(c.Data[:])
	s.fill(c.Lock[:])
	switch k.Usage {
	case keystore.UsageTAC:
		c.Final = mac.FinalTAC
	case keystore.UsagePurchase:
		c.Final = mac.FinalLock
	case keystore.UsageMaintenance:
		c.Final, c.Script = mac.FinalCard, s.script(&c)
		return c
	}
	for i := range c.Message {
		c.Message[i].Blocks = uint8(s.IntN(mac.MaxBlocks + 1))
		s.fill(c.Message[i].Data[:])
	}
	return c
}

// another draws a chain of the same card.
func (s source) another(of mac.Chain) mac.Chain {
	c := clone([]mac.Chain{of})[0]
	s.fill(c.Data[:])
	s.fill(c.Lock[:])
	for i := range c.Message {
		s.fill(c.Message[i].Data[:])
	}
	if c.Script != nil {
		s.fill(c.Script.Data)
	}
	return c
}

// script draws what a chain of an issuer script computes on; the retail MAC of a
// card's own key is of one block, since a token makes no other.
func (s source) script(c *mac.Chain) *mac.Script {
	blocks := 1 + s.IntN(mac.MaxScript/8)
	if c.Mode = mac.ModeEncipher; s.IntN(2) == 0 {
		c.Mode = mac.ModeRetail
	}
	if c.Mode == mac.ModeRetail && c.Levels == 0 {
		blocks = 1
	}
	script := &mac.Script{Data: make([]byte, 8*blocks)}
	s.fill(script.IV[:8])
	s.fill(script.Data)
	return script
}

func (s source) chains(n int, keys []keystore.Entry) []mac.Chain {
	chains := make([]mac.Chain, n)
	for i := range chains {
		chains[i] = s.chain(keys)
	}
	return chains
}

// judged runs chains with the reference.
func judged(t testing.TB, keys []keystore.Entry, chains []mac.Chain) []mac.Chain {
	t.Helper()
	s := snapshot(t, keys)
	defer s.Release()
	want := clone(chains)
	if err := (reference.Backend{}).Run(context.Background(), s, want); err != nil {
		t.Fatal(err)
	}
	return want
}

// clone copies chains, and what their scripts write to.
func clone(chains []mac.Chain) []mac.Chain {
	copies := slices.Clone(chains)
	for i := range copies {
		if script := copies[i].Script; script != nil {
			copies[i].Script = script.Clone()
		}
	}
	return copies
}

// same compares chains with what their scripts hold.
func same(a, b mac.Chain) bool {
	if a.Script != nil && b.Script != nil && a.Script.IV == b.Script.IV && bytes.Equal(a.Script.Data, b.Script.Data) {
		a.Script, b.Script = nil, nil
	}
	return a == b
}
