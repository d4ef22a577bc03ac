package lanes_test

import (
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// A tape deals out fuzzed bytes, and zeros when they are used up.
type tape []byte

func (t *tape) fill(b []byte) { *t = (*t)[copy(b, *t):] }

func (t *tape) below(n int) int {
	var b [1]byte
	t.fill(b[:])
	return int(b[0]) % n
}

func (t *tape) chain(keys int) (c mac.Chain) {
	c.Key = keystore.Handle(t.below(keys))
	c.Levels = uint8(t.below(keystore.MaxLevels + 1))
	c.Final = mac.FinalSession + mac.Final(t.below(2))
	for i := range c.Message {
		c.Message[i].Blocks = uint8(t.below(mac.MaxBlocks + 1))
		t.fill(c.Message[i].Data[:8*int(c.Message[i].Blocks)])
	}
	for i := range c.Levels {
		t.fill(c.Factors[i][:])
	}
	t.fill(c.Data[:])
	return c
}

// FuzzLanes holds batches of any make-up, on every core that this processor
// has, against the reference. The bytes are
// one key, the number of chains (in two), and the chains; a second key is the first one
// complemented.
func FuzzLanes(f *testing.F) { fuzzLanes(f, snapshot, 1) }

// FuzzSM4Lanes is FuzzLanes with keys of SM4.
func FuzzSM4Lanes(f *testing.F) { fuzzLanes(f, sm4Snapshot, 2) }

// fuzzLanes has messages of a multiple of so many blocks of 8 bytes.
func fuzzLanes(f *testing.F, snapshot func(testing.TB, ...keystore.Secret) *keystore.Snapshot, multiple uint8) {
	f.Add([]byte{})
	f.Add(append(make([]byte, 16), 1))
	f.Add(append(make([]byte, 16), 64))
	s := newSource(9)
	for _, size := range []int{200, 2000, 20000} {
		b := make([]byte, size)
		s.fill(b)
		f.Add(b)
	}
	var backends []*lanes.Backend
	for _, width := range lanes.Widths() {
		b, err := lanes.NewWidth(width)
		if err != nil {
			f.Fatal(err)
		}
		backends = append(backends, b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := tape(data)
		var keys [2]keystore.Secret
		in.fill(keys[0][:])
		for i := range keys[1] {
			keys[1][i] = ^keys[0][i]
		}
		chains := make([]mac.Chain, in.below(200)+200*in.below(4))
		for i := range chains {
			chains[i] = in.chain(len(keys))
			for m := range chains[i].Message {
				chains[i].Message[m].Blocks -= chains[i].Message[m].Blocks % multiple
			}
		}
		snap := snapshot(t, keys[:]...)
		defer snap.Release()
		for _, b := range backends {
			agree(t, b, snap, append([]mac.Chain(nil), chains...))
		}
	})
}
