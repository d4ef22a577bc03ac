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
	cores   []core // for transactions, narrow before wide
	scripts core   // for issuer scripts
}

var (
	_ mac.Backend = (*Backend)(nil)
	_ mac.Prompt  = (*Backend)(nil)
)

// Prompt tells that there is nothing to wait for.
func (*Backend) Prompt() bool { return true }

// A core is groups of one width, to be used by whoever needs one.
type core struct {
	lanes  int
	upTo   int        // the longest batch that it is better for than a wider one
	groups *sync.Pool // of runner
	sm4    *sm4Pool
}

// A runner is a group of any width.
type runner interface {
	run(keys *keystore.Snapshot, chains []mac.Chain)
	wipe()
}

// A scripter runs issuer scripts too: all but the core of 8 lanes.
type scripter interface {
	runner
	scripts(keys *keystore.Snapshot, chains []mac.Chain)
}

func newCore[W word](k kernels[W], sm4 sm4Core) core {
	return core{
		lanes:  k.lanes,
		groups: &sync.Pool{New: func() any { return runner(newGroup(k)) }},
		sm4:    newSM4Pool(sm4),
	}
}

// New gives the backend that is fastest on this processor.
func New() *Backend { return &Backend{cores: cores(), scripts: newCore(core64, sm4Plain)} }

// Widths gives the numbers of lanes that this processor has cores for,
// narrow before wide. 64 lanes are everywhere, and 8 where there is AVX-512 with
// VBMI.
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
			b := &Backend{cores: []core{c}, scripts: c}
			if _, ok := c.groups.New().(scripter); !ok {
				b.scripts = newCore(core64, sm4Plain)
			}
			return b, nil
		}
	}
	return nil, fmt.Errorf("lanes: this processor has no core of %d lanes, only of %v", lanes, Widths())
}

// SM4 names the extensions of the processor that SM4 chains are run with.
func (b *Backend) SM4() string { return b.cores[len(b.cores)-1].sm4.core.name }

// Run fills in the MACs of chains. How long it takes depends on nothing secret:
// see the package comment.
func (b *Backend) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	if len(chains) == 0 {
		return nil
	}
	course := courseOf(keys, &chains[0])
	for i := 1; i < len(chains); i++ {
		c, before := &chains[i], &chains[i-1]
		if (c.Key != before.Key || c.Mode != before.Mode) && courseOf(keys, c) != course {
			return b.runMixed(ctx, keys, chains)
		}
	}
	switch course {
	case transactions:
		return b.runTransactions(ctx, keys, chains)
	case sm4Transactions:
		return b.runSM4(ctx, keys, chains)
	}
	return b.runMixed(ctx, keys, chains)
}

func (b *Backend) runTransactions(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
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

// The longest batches of the narrow cores. Eight lanes take a tenth of the time
// that any other core takes for one group. What 64 lanes can pair (see plan) they
// do in about the time of a wide core when all is in the caches, and sooner when
// not, as on a server that has just woken up: they go through a tenth of the
// memory. With more chains the widest core is the fastest.
const (
	upTo8  = 16
	upTo64 = 32
)

// choose gives the core for a batch of n chains.
func (b *Backend) choose(n int) core {
	last := len(b.cores) - 1
	for _, c := range b.cores[:last] {
		if n <= c.upTo {
			return c
		}
	}
	return b.cores[last]
}

// admit refuses a chain that lanes cannot run.
func admit(keys *keystore.Snapshot, c *mac.Chain) error {
	if int(c.Key) >= len(keys.Keys()) {
		return keystore.ErrNotFound
	}
	if keys.Key(c.Key).Home.InToken() {
		return mac.ErrElsewhere
	}
	block := 8
	switch keys.Key(c.Key).Cipher {
	case keystore.Cipher3DES:
	case keystore.CipherSM4:
		block = 16
	default:
		return mac.ErrUnsupported
	}
	known, longest := false, mac.MaxScript
	switch c.Mode {
	case mac.ModeTransaction:
		known = c.Final >= mac.FinalSession && c.Final <= mac.FinalLock &&
			c.Message[0].Blocks <= mac.MaxBlocks && c.Message[1].Blocks <= mac.MaxBlocks &&
			int(c.Message[0].Blocks)*8%block == 0 && int(c.Message[1].Blocks)*8%block == 0
	case mac.ModeRetail, mac.ModeTriple, mac.ModeSingle, mac.ModeEncipher, mac.ModeDecipher:
		if block == 8 {
			longest = mac.MaxText
		}
		known = scriptable(c, block) && fits(c, longest, block)
		if known && c.Mode == mac.ModeEncipher && c.Script.Insert != nil {
			return admitInsert(keys, c)
		}
	}
	if !known || int(c.Levels) > len(c.Factors) {
		return mac.ErrUnsupported
	}
	return nil
}

// scriptable tells whether mode, last key and cipher of c go together.
func scriptable(c *mac.Chain, block int) bool {
	switch {
	case block != 8 && c.Mode != mac.ModeRetail && c.Mode != mac.ModeEncipher:
		return false
	case c.Final == mac.FinalCard:
		return true
	}
	return c.Mode == mac.ModeRetail && block == 8 && (c.Final == mac.FinalSession || c.Final == mac.FinalTAC)
}

// fits tells whether c has a script of whole blocks that is not too long.
func fits(c *mac.Chain, longest, block int) bool {
	if c.Script == nil {
		return false
	}
	n := len(c.Script.Data)
	return n > 0 && n <= longest && n%block == 0
}
