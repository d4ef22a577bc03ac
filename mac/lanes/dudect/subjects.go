package main

import (
	"bytes"
	"context"
	"crypto/des"
	"fmt"
	"math/rand/v2" //nolint:depguard // see main.go

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// keyCount is how many keys there are, half of them fixed and half random. A
// run takes one at random, so that both classes find theirs in the same caches.
const keyCount = 256

// keyOrder is the handles of the fixed keys and then those of the random ones.
// Both lie anywhere among each other: where a key lies is no secret, and to read
// one at the end of a cache line may well take longer than one at its beginning.
var keyOrder = rand.New(rand.NewPCG(2, 2)).Perm(keyCount)

// A secret is what the classes of a subject differ in.
type secret func(c *mac.Chain, random bool, rng *rand.Rand)

var secrets = []struct {
	name string
	set  secret
}{
	{"key", func(c *mac.Chain, random bool, rng *rand.Rand) {
		i := rng.IntN(keyCount / 2)
		if random {
			i += keyCount / 2
		}
		c.Key = keystore.Handle(keyOrder[i])
	}},
	{"factor", func(c *mac.Chain, random bool, rng *rand.Rand) { vary(c.Factors[0][:], random, rng) }},
	{"message", func(c *mac.Chain, random bool, rng *rand.Rand) {
		for i := range c.Message {
			vary(c.Message[i].Data[:], random, rng)
		}
	}},
	{"nothing (control)", func(c *mac.Chain, _ bool, rng *rand.Rand) { vary(c.Factors[0][:], true, rng) }},
}

// vary draws bytes and then, in the fixed class, forgets them, so that
// preparing takes the same steps in both.
func vary(b []byte, random bool, rng *rand.Rand) {
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	if !random {
		clear(b)
	}
}

func subjects() ([]subject, error) {
	keys, err := testKeys(keystore.Cipher3DES)
	if err != nil {
		return nil, err
	}
	sm4, err := testKeys(keystore.CipherSM4)
	if err != nil {
		return nil, err
	}
	all := []subject{tables(), earlyExit()}
	seen := ""
	for _, width := range lanes.Widths() {
		b, err := lanes.NewWidth(width)
		if err != nil {
			return nil, err
		}
		all = append(all, loads(fmt.Sprintf("%d lanes", width), b, keys)...)
		if b.SM4() != seen { // several widths share a core for SM4
			seen = b.SM4()
			all = append(all, loads("SM4 in "+seen, b, sm4)...)
		}
	}
	return all, nil
}

// loads is a load for each of the secrets, and the control that has none.
func loads(core string, b *lanes.Backend, keys *keystore.Snapshot) (all []subject) {
	for _, s := range secrets {
		all = append(all, subject{name: core + ", " + s.name, prepare: load(b, keys, s.set)})
	}
	return all
}

// load is a load authorisation of one chain.
func load(b *lanes.Backend, keys *keystore.Snapshot, set secret) func(bool, *rand.Rand) func() {
	return func(random bool, rng *rand.Rand) func() {
		chains := []mac.Chain{{
			Levels: 1, Final: mac.FinalSession,
			Message: [2]mac.Message{{Blocks: 2}, {Blocks: 4}}, // whole blocks of either cipher
		}}
		set(&chains[0], random, rng)
		return func() {
			if err := b.Run(context.Background(), keys, chains); err != nil {
				panic(err) // only a cancelled context makes one
			}
		}
	}
}

// tables is crypto/des, whose look-ups tell what they look up.
func tables() subject {
	block, err := des.NewCipher(make([]byte, 8))
	if err != nil {
		panic(err) // eight bytes are a key
	}
	return subject{name: "crypto/des (control)", leaks: true, prepare: func(random bool, rng *rand.Rand) func() {
		b := make([]byte, 64*8)
		vary(b, random, rng)
		return func() {
			for i := 0; i < len(b); i += 8 {
				block.Encrypt(b[i:i+8], b[i:i+8])
			}
		}
	}}
}

// earlyExit is a comparison that ends with the first difference.
func earlyExit() subject {
	want := make([]byte, 4096)
	return subject{name: "bytes.Equal (control)", leaks: true, prepare: func(random bool, rng *rand.Rand) func() {
		b := make([]byte, len(want))
		vary(b, random, rng)
		return func() { kept = bytes.Equal(b, want) }
	}}
}

// kept keeps a result from being optimised away.
var kept bool //nolint:unused // it is written, which is all it is for

func testKeys(c keystore.Cipher) (*keystore.Snapshot, error) {
	rng := rand.New(rand.NewPCG(1, 1))
	entries := make([]keystore.Entry, keyCount)
	for i, handle := range keyOrder {
		e := &entries[handle]
		e.Ref = keystore.Ref{Set: byte(handle), Usage: keystore.UsageLoad, Version: 1}
		e.Cipher, e.Levels, e.State = c, 1, keystore.StateActive
		vary(e.Secret[:], i >= keyCount/2, rng)
	}
	return keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
}
