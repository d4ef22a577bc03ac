package lanes

import (
	"context"
	"sync"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Backend runs chains in lanes. It is safe for concurrent use and keeps no
// key: its memory is cleared at the end of each Run.
type Backend struct {
	groups sync.Pool // of runner
}

var _ mac.Backend = (*Backend)(nil)

// A runner is a group of any width.
type runner interface {
	width() int
	run(keys *keystore.Snapshot, chains []mac.Chain)
	wipe()
}

// New gives a backend of 64 lanes, which any processor has.
func New() *Backend { return newBackend(core64) }

func newBackend[W word](k kernels[W]) *Backend {
	return &Backend{groups: sync.Pool{New: func() any { return runner(newGroup(k)) }}}
}

// Run fills in the MACs of chains. How long it takes depends on nothing secret:
// see the package comment.
func (b *Backend) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	g := b.groups.Get().(runner)
	defer b.groups.Put(g)
	defer g.wipe()
	for len(chains) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(chains), g.width())
		for i := range chains[:n] {
			chains[i].Err = admit(keys, &chains[i])
		}
		g.run(keys, chains[:n])
		chains = chains[n:]
	}
	return nil
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
