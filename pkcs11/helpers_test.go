//go:build cgo && !nopkcs11 && !windows

package pkcs11_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

// entries draws one key for each number of levels and each of two usages.
func (s source) entries() []keystore.Entry {
	var all []keystore.Entry
	for levels := range uint8(keystore.MaxLevels + 1) {
		for _, usage := range []keystore.Usage{keystore.UsageLoad, keystore.UsageTAC} {
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
	if k.Usage == keystore.UsageTAC {
		c.Final = mac.FinalTAC
	}
	for i := range c.Factors {
		s.fill(c.Factors[i][:])
	}
	s.fill(c.Data[:])
	for i := range c.Message {
		c.Message[i].Blocks = uint8(s.IntN(mac.MaxBlocks + 1))
		s.fill(c.Message[i].Data[:])
	}
	return c
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
	want := append([]mac.Chain(nil), chains...)
	if err := (reference.Backend{}).Run(context.Background(), s, want); err != nil {
		t.Fatal(err)
	}
	return want
}
