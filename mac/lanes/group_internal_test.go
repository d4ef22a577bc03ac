package lanes

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// core256 is the core of 64 lanes four times over. It is of no use but to
// prove that the arithmetic of a group does not care how wide a core is.
var core256 = kernels[[4]uint64]{
	lanes: 256,
	load: func(to *block[[4]uint64], rows []uint64) {
		for i := range 4 {
			b := column(to, i)
			load64(b, rows[64*i:][:64])
			restore(to, i, b)
		}
	},
	store: func(rows []uint64, from *block[[4]uint64]) {
		for i := range 4 {
			store64(rows[64*i:][:64], column(from, i))
		}
	},
	fill: func(to *block[[4]uint64], row uint64) {
		for i := range 4 {
			c := column(to, i)
			fill64(c, row)
			restore(to, i, c)
		}
	},
	rounds: func(l, r *half[[4]uint64], k *key[[4]uint64], turns *[16]uint8) {
		b := &block[[4]uint64]{l, r}
		for i := range 4 {
			c := column(b, i)
			rounds64(c.l, c.r, keyColumn(k, i), turns)
			restore(b, i, c)
		}
	},
	wire: func(k *key[[4]uint64], from *block[[4]uint64], s *laneSet) {
		for i := range 4 {
			c := keyColumn(k, i)
			wire64(c, column(from, i), &laneSet{s[i]})
			restoreKey(k, i, c)
		}
	},
	fold: func(k, left, right *key[[4]uint64], s *laneSet) {
		for i := range 4 {
			c := keyColumn(k, i)
			fold64(c, keyColumn(left, i), keyColumn(right, i), &laneSet{s[i]})
			restoreKey(k, i, c)
		}
	},
	add: func(to, from *block[[4]uint64]) {
		for i := range 4 {
			c := column(to, i)
			add64(c, column(from, i))
			restore(to, i, c)
		}
	},
	invert: func(b *block[[4]uint64], s *laneSet) {
		for i := range 4 {
			c := column(b, i)
			invert64(c, &laneSet{s[i]})
			restore(b, i, c)
		}
	},
	choose: func(to, from *block[[4]uint64], s *laneSet) {
		for i := range 4 {
			c := column(to, i)
			choose64(c, column(from, i), &laneSet{s[i]})
			restore(to, i, c)
		}
	},
	part: func(lower, upper, from *block[[4]uint64]) {
		var columns [4]*block[uint64]
		for i := range columns {
			columns[i] = column(from, i)
		}
		for i := range columns {
			restore(lower, i, columns[i%2])
			restore(upper, i, columns[2+i%2])
		}
	},
}

func column(b *block[[4]uint64], i int) *block[uint64] {
	c := &block[uint64]{new(half[uint64]), new(half[uint64])}
	for w := range b.l {
		c.l[w], c.r[w] = b.l[w][i], b.r[w][i]
	}
	return c
}

func restore(b *block[[4]uint64], i int, c *block[uint64]) {
	for w := range c.l {
		b.l[w][i], b.r[w][i] = c.l[w], c.r[w]
	}
}

func keyColumn(k *key[[4]uint64], i int) *key[uint64] {
	c := new(key[uint64])
	for w := range k {
		c[w] = k[w][i]
	}
	return c
}

func restoreKey(k *key[[4]uint64], i int, c *key[uint64]) {
	for w := range k {
		k[w][i] = c[w]
	}
}

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

func TestGroupOfAnyWidth(t *testing.T) {
	b := newBackend(core256)
	for _, n := range []int{1, 128, 129, 256, 300} {
		snap, chains := testChains(t, n)
		want := append([]mac.Chain(nil), chains...)
		if err := (reference.Backend{}).Run(context.Background(), snap, want); err != nil {
			t.Fatal(err)
		}
		if err := b.Run(context.Background(), snap, chains); err != nil {
			t.Fatal(err)
		}
		for i := range chains {
			if chains[i] != want[i] {
				t.Errorf("%d chains: chain %d has MACs %x, want %x", n, i, chains[i].MAC, want[i].MAC)
			}
		}
	}
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
		b := &Backend{groups: sync.Pool{New: func() any { used = newGroup(core64); return used }}}
		err := b.Run(&expiring{context.Background(), looks}, snap, chains)
		if (err != nil) != (looks < 2) {
			t.Errorf("%s: error %v", name, err)
		}
		if !clean(used) {
			t.Errorf("%s: secrets are left in memory", name)
		}
	}
}

func clean(g *group[uint64]) bool {
	rows := uint64(0)
	for _, r := range g.rows {
		rows |= r
	}
	return rows == 0 && g.memory == [len(g.memory)]half[uint64]{} && g.left == key[uint64]{} && g.right == key[uint64]{} && g.last == key[uint64]{}
}

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
