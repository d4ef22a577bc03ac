package lanes

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"sync"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// An sm4Group runs as many SM4 chains at once as there are lanes, or fewer. As
// with DES, every lane takes all steps, and what a lane has no use for it drops;
// which those are follows from the shapes of the chains alone.
type sm4Group struct {
	core sm4Core
	sm4Plan
	*sm4Memory
	cards  *sm4Rows // the issuers' keys, then those of each level, then the cards'
	blocks *sm4Rows // on their way through the core

	issued bool // whether issuer has the round keys of this key in every lane
	key    keystore.Handle
}

// A message has at most two blocks.
const _ = uint(2 - mac.MaxBlocks/2)

// An sm4Memory is all of a group that depends on keys, without a pointer, as
// the memory of DES is.
type sm4Memory struct {
	issuer, round sm4Key
	rows          [2]sm4Rows
	last          sm4Rows // the keys that MAC or encipher
	second        sm4Rows // blocks of messages
}

// An sm4Pool has groups of one core.
type sm4Pool struct {
	core   sm4Core
	groups sync.Pool
}

func newSM4Pool(core sm4Core) *sm4Pool {
	return &sm4Pool{core, sync.Pool{New: func() any { return newSM4Group(core) }}}
}

func newSM4Group(core sm4Core) *sm4Group {
	g := &sm4Group{core: core, sm4Memory: new(sm4Memory)}
	g.cards, g.blocks = &g.rows[0], &g.rows[1]
	return g
}

func (g *sm4Group) wipe() {
	*g.sm4Memory = sm4Memory{}
	g.issued = false
}

// runSM4 runs chains of SM4 keys.
func (b *Backend) runSM4(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	pool := b.cores[len(b.cores)-1].sm4
	g := pool.groups.Get().(*sm4Group)
	defer pool.groups.Put(g)
	defer g.wipe()
	for len(chains) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(chains), g.core.lanes)
		g.run(keys, chains[:n])
		chains = chains[n:]
	}
	return nil
}

func (g *sm4Group) run(keys *keystore.Snapshot, chains []mac.Chain) {
	g.draw(keys, chains)
	g.issuers(keys, chains)
	for level := range g.most {
		g.diversify(chains, level)
	}
	g.lastKeys(chains)
	g.core.expand(&g.round, &g.last, g.lanes)
	for m := range g.longest {
		g.messages(chains, m)
	}
	if g.scripts {
		g.runScripts(chains)
	}
}

// issuers starts every lane with the key of its chain. The round keys of one that
// all have are made once for a Run: no group has more chains than the first.
func (g *sm4Group) issuers(keys *keystore.Snapshot, chains []mac.Chain) {
	known := g.issued && g.oneKey && chains[0].Key == g.key
	if known && g.least > 0 {
		return
	}
	for lane := range chains {
		if c := &chains[lane]; c.Err == nil {
			g.cards[lane] = *keys.Secret(c.Key)
		}
	}
	if known || g.most == 0 {
		return
	}
	g.core.expand(&g.issuer, g.cards, g.lanes)
	g.issued, g.key = g.oneKey, chains[0].Key
}

// diversify makes a level's key. See [PBOC] 2.
func (g *sm4Group) diversify(chains []mac.Chain, level int) {
	for lane := range chains {
		g.blocks.pair(lane, (*[8]byte)(&chains[lane].Factors[level]))
	}
	round := &g.issuer
	if level > 0 {
		round = &g.round
		g.core.expand(round, g.cards, g.lanes)
	}
	g.core.encrypt(round, g.blocks, &sm4Nothing, g.lanes)
	if level < g.least {
		g.cards, g.blocks = g.blocks, g.cards
		return
	}
	for lane := range chains {
		if int(chains[lane].Levels) > level {
			g.cards[lane] = g.blocks[lane]
		}
	}
}

// lastKeys makes the keys that MAC: the card's own, a session key, or that of a
// grey lock. See [PBOC] 3.5 and 5.7.
func (g *sm4Group) lastKeys(chains []mac.Chain) {
	g.last = *g.cards
	if g.sessions {
		for lane := range chains {
			g.blocks.pair(lane, &chains[lane].Data)
		}
		g.derive(chains, func(f mac.Final) bool { return f == mac.FinalSession || f == mac.FinalLock })
	}
	if g.locks {
		for lane := range chains {
			g.blocks.pair(lane, &chains[lane].Lock)
		}
		g.derive(chains, func(f mac.Final) bool { return f == mac.FinalLock })
	}
}

// derive enciphers g.blocks under the last keys, and makes the result the last
// key where a chain wants it.
func (g *sm4Group) derive(chains []mac.Chain, wants func(mac.Final) bool) {
	g.core.expand(&g.round, &g.last, g.lanes)
	g.core.encrypt(&g.round, g.blocks, &sm4Nothing, g.lanes)
	for lane := range chains {
		if wants(chains[lane].Final) {
			g.last[lane] = g.blocks[lane]
		}
	}
}

// messages makes the MACs of one message of each transaction. See [PBOC] 3.4.
func (g *sm4Group) messages(chains []mac.Chain, m int) {
	if g.longest[m] == 0 {
		return
	}
	for lane := range chains { // once for all blocks
		data := &chains[lane].Message[m].Data
		g.blocks[lane], g.second[lane] = [16]byte(data[:16]), [16]byte(data[16:])
	}
	more := &sm4Nothing
	for n := range g.longest[m] {
		g.core.encrypt(&g.round, g.blocks, more, g.lanes)
		more = &g.second
		switch {
		case n+1 < g.shortest[m]:
		case g.longest[m] == g.shortest[m]:
			for lane := range chains {
				chains[lane].MAC[m] = [8]byte(g.blocks[lane][:8])
			}
		default:
			g.takeEnds(chains, m, n)
		}
	}
}

// takeEnds gives the chains whose message ends with block n their MAC.
func (g *sm4Group) takeEnds(chains []mac.Chain, m, n int) {
	for lane := range chains {
		c := &chains[lane]
		if int(c.Message[m].Blocks) == 2*(n+1) && c.Mode == mac.ModeTransaction && c.Err == nil {
			c.MAC[m] = [8]byte(g.blocks[lane][:8])
		}
	}
}

// runScripts MACs or enciphers the data of each script. See [PBOC] 3.4.
func (g *sm4Group) runScripts(chains []mac.Chain) {
	for lane := range chains {
		if c := &chains[lane]; c.Err == nil && c.Mode == mac.ModeRetail {
			g.blocks[lane] = c.Script.IV
		}
	}
	for n := range mac.MaxScript / 16 {
		if !g.scriptBlock(chains, n) {
			return
		}
		g.core.encrypt(&g.round, g.blocks, &sm4Nothing, g.lanes)
		for lane := range chains {
			c := &chains[lane]
			switch {
			case !hasBlock(c, n):
			case c.Mode == mac.ModeEncipher:
				copy(c.Script.Data[16*n:], g.blocks[lane][:])
			case 16*(n+1) == len(c.Script.Data):
				c.MAC[0] = [8]byte(g.blocks[lane][:8])
			}
		}
	}
}

// scriptBlock takes up block n of each script that has so many, and tells
// whether one has.
func (g *sm4Group) scriptBlock(chains []mac.Chain, n int) (more bool) {
	for lane := range chains {
		c := &chains[lane]
		if !hasBlock(c, n) {
			continue
		}
		more = true
		row := (*[16]byte)(c.Script.Data[16*n:])
		if c.Mode == mac.ModeEncipher { // no block depends on another
			g.blocks[lane] = *row
		} else {
			g.blocks.add(lane, row)
		}
	}
	return more
}

// hasBlock tells whether c has a script of more than n blocks.
func hasBlock(c *mac.Chain, n int) bool {
	return c.Err == nil && c.Mode != mac.ModeTransaction && 16*n < len(c.Script.Data)
}

// pair writes 8 bytes and their complement into a lane.
func (b *sm4Rows) pair(lane int, data *[8]byte) {
	x := binary.LittleEndian.Uint64(data[:])
	binary.LittleEndian.PutUint64(b[lane][:8], x)
	binary.LittleEndian.PutUint64(b[lane][8:], ^x)
}

// add adds a block to that of a lane.
func (b *sm4Rows) add(lane int, block *[16]byte) {
	subtle.XORBytes(b[lane][:], b[lane][:], block[:])
}
