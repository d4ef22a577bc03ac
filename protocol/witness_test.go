package protocol_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A witness is a backend that remembers all that no answer may have in it.
type witness struct {
	keys *keystore.Live

	mu      sync.Mutex
	secrets map[string]string // of 8 bytes, to what they are; keys for good
	passing []string          // those of secrets that are forgotten after a while
	made    string            // the MAC that the last operation was to make for a claim, or ""
}

// The sets of keys: the issuer's, and the caller's own, which are published.
const (
	issuerSet = 0x51
	callerSet = 0x52
)

func newWitness(t *testing.T) *witness {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 5))
	var entries []keystore.Entry
	for _, set := range []byte{issuerSet, callerSet} {
		for u := range keystore.Usages() {
			for i, cipher := range []keystore.Cipher{keystore.Cipher3DES, keystore.CipherSM4} {
				e := keystore.Entry{Key: keystore.Key{
					Ref:   keystore.Ref{Set: set, Usage: keystore.Usage(u + 1), Version: 1, Algorithm: byte(4 * i)},
					Index: uint16(len(entries)), Cipher: cipher, Levels: 1, State: keystore.StateActive,
				}}
				if e.Usage == keystore.UsageMAC {
					e.Levels = 0
				}
				raw, _ := hex.DecodeString(publishedKey)
				e.Secret = keystore.Secret(raw)
				e.Secret[15] ^= byte(u) << 1 // no two keys share their bytes
				for j := range e.Secret {
					if set == issuerSet {
						e.Secret[j] = byte(random.Uint32())
					}
				}
				entries = append(entries, e)
			}
		}
	}
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{1, 2, 3}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return &witness{keys: keystore.NewLive(snapshot), secrets: map[string]string{}}
}

// remembered is how many secrets of single operations are remembered.
const remembered = 200_000

func (w *witness) forbid(secret []byte, what string, passing bool) {
	for ; len(secret) >= 8; secret = secret[8:] {
		s := string(secret[:8])
		if _, known := w.secrets[s]; known {
			continue
		}
		w.secrets[s] = what
		if passing {
			w.passing = append(w.passing, s)
		}
	}
	if len(w.passing) > remembered {
		for _, s := range w.passing[:remembered/2] {
			delete(w.secrets, s)
		}
		w.passing = slices.Delete(w.passing, 0, remembered/2)
	}
}

// Run computes chains and takes down what is secret in them.
func (w *witness) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range chains {
		c := &chains[i]
		generic := keys.Key(c.Key).Usage == keystore.UsageMAC
		if c.Script != nil && c.Script.Insert != nil {
			w.take(keys, mac.Chain{Key: c.Script.Insert.Key, Levels: c.Levels, Factors: c.Factors, Final: mac.FinalCard, Mode: mac.ModeEncipher, Script: new(mac.Script)}, false)
		}
		w.take(keys, *c, generic)
	}
	err := reference.Backend{}.Run(ctx, keys, chains)
	last := &chains[len(chains)-1]
	if last.Message[0].Blocks > 0 && last.Message[1].Blocks > 0 {
		w.made = string(last.MAC[1][:4])
	}
	return err
}

// claimOf is what a card would claim in op.
func (w *witness) claimOf(op mac.Op) []byte {
	overheard := new(spy)
	_ = mac.NewEngine(w.keys, overheard).Do(context.Background(), []mac.Op{op.Clone()})
	return overheard.claimed
}

// aKey is a key that a chain has come by.
func (w *witness) aKey() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s, what := range w.secrets {
		if what == "half a key" {
			return []byte(s)
		}
	}
	return nil
}

func (w *witness) take(keys *keystore.Snapshot, c mac.Chain, generic bool) {
	if c.Script != nil {
		script := *c.Script
		script.Data, script.Insert = bytes.Clone(script.Data), nil
		c.Script = &script
	}
	trace := reference.Run(keys.Key(c.Key).Cipher, reference.Key(*keys.Secret(c.Key)), &c)
	for _, k := range trace.Keys {
		w.forbid(k[:], "half a key", false)
	}
	w.forbid(trace.Final, "the last key", true)
	if generic { // whose MACs are the caller's, to the last byte
		return
	}
	for _, blocks := range trace.Blocks {
		for _, b := range blocks {
			w.forbid(b, "a value of a CBC chain", true)
		}
	}
}
