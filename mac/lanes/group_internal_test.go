package lanes

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"pbochsm/keystore"
	"pbochsm/mac"
)

func testChains(t *testing.T, n int) (*keystore.Snapshot, []mac.Chain) {
	t.Helper()
	random := rand.New(rand.NewPCG(256, uint64(n)))
	entries := make([]keystore.Entry, 3)
	for i := range entries {
		entries[i].Ref = keystore.Ref{Set: byte(i), Usage: keystore.UsageLoad}
		entries[i].Cipher, entries[i].State = keystore.Cipher3DES, keystore.StateActive
		for j := range entries[i].Secret {
			entries[i].Secret[j] = byte(random.Uint32())
		}
	}
	snap, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	chains := make([]mac.Chain, n)
	for i := range chains {
		c := &chains[i]
		c.Key = keystore.Handle(random.IntN(len(entries)))
		c.Levels = uint8(random.IntN(keystore.MaxLevels + 1))
		c.Final = mac.FinalSession + mac.Final(random.IntN(2))
		c.Data[0], c.Factors[0][7], c.Factors[3][1] = byte(i), byte(i), byte(i)
		for m := range c.Message {
			c.Message[m].Blocks = uint8(random.IntN(mac.MaxBlocks + 1))
			c.Message[m].Data[31-m] = byte(i)
		}
	}
	return snap, chains
}

// Nothing that came from a key outlives a Run, whether it ends well or not.
func TestRunLeavesNoSecrets(t *testing.T) {
	snap, chains := testChains(t, 100)
	g := newGroup(core64)
	g.run(snap, chains[:64])
	if clean(g) {
		t.Fatal("a group keeps nothing while it runs: the test looks in the wrong place")
	}
	for name, looks := range map[string]int{"whole": 2, "cut short": 1, "cut at once": 0} {
		var used *group[uint64]
		b := &Backend{cores: []core{{lanes: 64, groups: &sync.Pool{New: func() any { used = newGroup(core64); return used }}}}}
		err := b.Run(&expiring{context.Background(), looks}, snap, chains)
		if (err != nil) != (looks < 2) {
			t.Errorf("%s: error %v", name, err)
		}
		if !clean(used) {
			t.Errorf("%s: secrets are left in memory", name)
		}
	}
}

func clean(g *group[uint64]) bool { return *g.memory == memory[uint64]{} }

// expiring is a context that ends after some looks at it.
type expiring struct {
	context.Context
	looks int
}

func (c *expiring) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// A lone request must not pay for lanes that it does not use.
func TestChooseByTheSizeOfTheBatch(t *testing.T) {
	few, narrow, wide, widest := core{lanes: 8, upTo: upTo8}, core{lanes: 64, upTo: upTo64}, core{lanes: 256}, core{lanes: 512}
	for _, test := range []struct {
		cores []core
		batch int
		want  int
	}{
		{[]core{narrow}, 0, 64}, {[]core{narrow}, 1000, 64},
		{[]core{narrow, wide}, 1, 64}, {[]core{narrow, wide}, 32, 64}, {[]core{narrow, wide}, 33, 256},
		{[]core{few, narrow, wide, widest}, 1, 8}, {[]core{few, narrow, wide, widest}, 16, 8}, {[]core{few, narrow, wide, widest}, 17, 64},
		{[]core{few, narrow, wide, widest}, 33, 512},
		{[]core{narrow, wide, widest}, 32, 64}, {[]core{narrow, wide, widest}, 33, 512}, {[]core{widest}, 1, 512},
	} {
		b := &Backend{cores: test.cores}
		if got := b.choose(test.batch).lanes; got != test.want {
			t.Errorf("of %d cores, the one of %d lanes runs %d chains, want %d", len(test.cores), got, test.batch, test.want)
		}
	}
}

// Words that lie across two cache lines make every core half as fast, and
// nothing but this shows it.
func TestMemoryBeginsWithACacheLine(t *testing.T) {
	for range 10 {
		for name, at := range map[string]uintptr{
			"64":  uintptr(unsafe.Pointer(newGroup(kernels[uint64]{lanes: 64}).memory)),
			"256": uintptr(unsafe.Pointer(newGroup(kernels[[4]uint64]{lanes: 256}).memory)),
			"512": uintptr(unsafe.Pointer(newGroup(kernels[[8]uint64]{lanes: 512}).memory)),
		} {
			if at%64 != 0 {
				t.Errorf("the memory of %s lanes begins at %#x", name, at)
			}
		}
	}
}
