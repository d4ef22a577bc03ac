package lanes

import (
	"context"
	"fmt"
	"sync"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Backend runs chains in lanes. It is safe for concurrent use and keeps no
// key: its memory is cleared at the end of each Run.
type Backend struct {
	cores []core // narrow before wide
}

var _ mac.Backend = (*Backend)(nil)

// A core is groups of one width, to be used by whoever needs one.
type core struct {
	lanes  int
	from   int        // the smallest batch for which it is faster than narrower ones
	groups *sync.Pool // of runner
}

// A runner is a group of any width.
type runner interface {
	run(keys *keystore.Snapshot, chains []mac.Chain)
	wipe()
}

func newCore[W word](k kernels[W]) core {
	return core{lanes: k.lanes, from: k.from, groups: &sync.Pool{New: func() any { return runner(newGroup(k)) }}}
}

// New gives the backend that is fastest on this processor.
func New() *Backend { return &Backend{cores: cores()} }

// Widths gives the numbers of lanes that this processor has cores for,
// narrow before wide. 64 lanes are everywhere.
func Widths() []int {
	var lanes []int
	for _, c := range cores() {
		lanes = append(lanes, c.lanes)
	}
	return lanes
}

// NewWidth gives a backend of one width, for whoever compares widths.
func NewWidth(lanes int) (*Backend, error) {
	for _, c := range cores() {
		if c.lanes == lanes {
			return &Backend{cores: []core{c}}, nil
		}
	}
	return nil, fmt.Errorf("lanes: this processor has no core of %d lanes, only of %v", lanes, Widths())
}

// Run fills in the MACs of chains. Only how many there are and what shape they
// have decides how long it takes.
func (b *Backend) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	c := b.choose(len(chains))
	g := c.groups.Get().(runner)
	defer c.groups.Put(g)
	defer g.wipe()
	for len(chains) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(chains), c.lanes)
		g.run(keys, chains[:n])
		chains = chains[n:]
	}
	return nil
}

// choose gives the core for a batch of n chains: the widest that pays.
func (b *Backend) choose(n int) core {
	chosen := b.cores[0]
	for _, c := range b.cores[1:] {
		if n >= c.from {
			chosen = c
		}
	}
	return chosen
}

// admit refuses a chain that lanes cannot run.
func admit(keys *keystore.Snapshot, c *mac.Chain) error {
	switch {
	case int(c.Key) >= len(keys.Keys()):
		return keystore.ErrNotFound
	case keys.Key(c.Key).Cipher != keystore.Cipher3DES,
		int(c.Levels) > len(c.Factors),
		c.Final != mac.FinalSession && c.Final != mac.FinalTAC,
		c.Message[0].Blocks > mac.MaxBlocks, c.Message[1].Blocks > mac.MaxBlocks:
		return mac.ErrUnsupported
	}
	return nil
}
