package lanes_test

import (
	"bytes"
	"context"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// mixedKeys are keys of both ciphers in turn.
func mixedKeys(t testing.TB, s source, n int) *keystore.Snapshot {
	t.Helper()
	entries := make([]keystore.Entry, n)
	for i := range entries {
		entries[i].Key = keystore.Key{
			Ref:    keystore.Ref{Set: byte(i), Usage: keystore.UsageMaintenance, Version: 1},
			Cipher: keystore.Cipher3DES + keystore.Cipher(i%2), State: keystore.StateActive,
		}
		s.fill(entries[i].Secret[:])
	}
	snap, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// any draws a chain of any mode that fits the cipher of its key.
func (s source) any(keys *keystore.Snapshot) mac.Chain {
	c := s.chain(len(keys.Keys()))
	sm4 := keys.Key(c.Key).Cipher == keystore.CipherSM4
	if sm4 {
		for m := range c.Message {
			c.Message[m].Blocks &^= 1
		}
	}
	if s.IntN(2) == 0 {
		return c
	}
	n := 8 * (1 + s.IntN(mac.MaxScript/8))
	if sm4 {
		n = 16 * (1 + s.IntN(mac.MaxScript/16))
	}
	c.Mode, c.Final = mac.ModeRetail+mac.Mode(s.IntN(2)), mac.FinalCard
	if !sm4 {
		c.Mode = mac.ModeRetail + mac.Mode(s.IntN(5))
		if c.Mode == mac.ModeRetail {
			c.Final = [...]mac.Final{mac.FinalCard, mac.FinalSession, mac.FinalTAC}[s.IntN(3)]
		}
	}
	c.Script = &mac.Script{Data: make([]byte, n)}
	s.fill(c.Script.Data)
	s.fill(c.Script.IV[:])
	if c.Mode == mac.ModeEncipher && n >= 24 && s.IntN(2) == 0 {
		c.Script.Insert = &mac.Insert{Key: keystore.Handle(s.IntN(len(keys.Keys()))), At: s.IntN(n - 15)}
	}
	return c
}

// own gives chains with scripts of their own.
func own(chains []mac.Chain) []mac.Chain {
	copied := append([]mac.Chain(nil), chains...)
	for i := range copied {
		if s := copied[i].Script; s != nil {
			copied[i].Script = s.Clone()
		}
	}
	return copied
}

// Both ciphers, transactions and scripts, in one batch and in any order.
func TestMixturesAgreeWithReference(t *testing.T) {
	s := newSource(30)
	keys := mixedKeys(t, s, 6)
	eachWidth(t, func(t *testing.T, b *lanes.Backend, _ int) {
		for range 40 {
			chains := make([]mac.Chain, 1+s.IntN(150))
			for i := range chains {
				chains[i] = s.any(keys)
			}
			want := own(chains)
			if err := (reference.Backend{}).Run(context.Background(), keys, want); err != nil {
				t.Fatal(err)
			}
			if err := b.Run(context.Background(), keys, chains); err != nil {
				t.Fatal(err)
			}
			for i := range chains {
				got, want := &chains[i], &want[i]
				if got.MAC != want.MAC || got.Err != nil || got.Mode != want.Mode ||
					want.Script != nil && !bytes.Equal(got.Script.Data, want.Script.Data) {
					t.Fatalf("chain %d, cipher %s, mode %d, final %d, %d levels: MACs %x, want %x, error %v",
						i, keys.Key(got.Key).Cipher, got.Mode, got.Final, got.Levels, got.MAC, want.MAC, got.Err)
				}
			}
		}
	})
}
