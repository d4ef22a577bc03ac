package lanes

import (
	"context"
	"encoding/binary"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// An sm4Group runs as many SM4 chains at once as there are lanes, or fewer. As
// with DES, every lane takes all steps, and what a lane has no use for it drops;
// which those are follows from the shapes of the chains alone.
type sm4Group struct {
	keys  *keystore.Snapshot
	cards sm4Block // the issuers' keys, then those of each level, then the cards'
	last  sm4Block // the keys that MAC or encipher
	round sm4Key
}

// runSM4 runs chains of SM4 keys.
func runSM4(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	g := sm4Group{keys: keys}
	defer func() { g = sm4Group{} }()
	for len(chains) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(chains), sm4Lanes)
		g.run(chains[:n])
		chains = chains[n:]
	}
	return nil
}

func (g *sm4Group) run(chains []mac.Chain) {
	for lane := range chains {
		c := &chains[lane]
		if c.Err = admit(g.keys, c); c.Err == nil {
			g.cards.put(lane, g.keys.Secret(c.Key)[:])
		}
	}
	for level := range keystore.MaxLevels {
		g.diversify(chains, level)
	}
	g.lastKeys(chains)
	g.round.expand(&g.last)
	for m := range 2 {
		g.messages(chains, m)
	}
	g.scripts(chains)
}

// derive enciphers 8 bytes and their complement in every lane, and gives the
// lanes that wants chooses the result as a key: diversification, and the making
// of session keys. See [PBOC] 2 and 3.5.
func (g *sm4Group) derive(chains []mac.Chain, keys *sm4Block, data func(*mac.Chain) *[8]byte, wants func(*mac.Chain) bool) {
	var x sm4Block
	wanted := false
	for lane := range chains {
		c := &chains[lane]
		d := data(c)
		h := binary.BigEndian.Uint64(d[:])
		x[0][lane], x[1][lane] = uint32(h>>32), uint32(h)
		x[2][lane], x[3][lane] = uint32(^h>>32), uint32(^h)
		wanted = wanted || c.Err == nil && wants(c)
	}
	if !wanted {
		return
	}
	g.round.expand(keys)
	g.round.encrypt(&x)
	for lane := range chains {
		if c := &chains[lane]; c.Err == nil && wants(c) {
			keys.copyLane(&x, lane)
		}
	}
}

func (g *sm4Group) diversify(chains []mac.Chain, level int) {
	g.derive(chains, &g.cards,
		func(c *mac.Chain) *[8]byte { return (*[8]byte)(&c.Factors[level]) },
		func(c *mac.Chain) bool { return int(c.Levels) > level })
}

// lastKeys makes the keys that MAC: the card's own, a session key, or that of a
// grey lock.
func (g *sm4Group) lastKeys(chains []mac.Chain) {
	g.last = g.cards
	g.derive(chains, &g.last,
		func(c *mac.Chain) *[8]byte { return &c.Data },
		func(c *mac.Chain) bool { return c.Final == mac.FinalSession || c.Final == mac.FinalLock })
	g.derive(chains, &g.last,
		func(c *mac.Chain) *[8]byte { return &c.Lock },
		func(c *mac.Chain) bool { return c.Final == mac.FinalLock })
}

// messages makes the MACs of one message of each transaction. See [PBOC] 3.4.
func (g *sm4Group) messages(chains []mac.Chain, m int) {
	var x sm4Block
	for n := range mac.MaxBlocks / 2 {
		more := false
		for lane := range chains {
			c := &chains[lane]
			if c.Err == nil && c.Mode == mac.ModeTransaction && 2*n < int(c.Message[m].Blocks) {
				x.add(lane, c.Message[m].Data[16*n:])
				more = true
			}
		}
		if !more {
			return
		}
		g.round.encrypt(&x)
		for lane := range chains {
			c := &chains[lane]
			if c.Err == nil && c.Mode == mac.ModeTransaction && 2*(n+1) == int(c.Message[m].Blocks) {
				x.mac(lane, &c.MAC[m])
			}
		}
	}
}

// scripts MACs or enciphers the data of each script. See [PBOC] 3.4.
func (g *sm4Group) scripts(chains []mac.Chain) {
	var x sm4Block
	for lane := range chains {
		if c := &chains[lane]; c.Err == nil && c.Mode == mac.ModeRetail {
			x.add(lane, c.Script.IV[:])
		}
	}
	for n := range mac.MaxScript / 16 {
		more := false
		for lane := range chains {
			c := &chains[lane]
			if c.Err == nil && c.Mode != mac.ModeTransaction && 16*n < len(c.Script.Data) {
				if c.Mode == mac.ModeEncipher {
					x.put(lane, make([]byte, 16))
				}
				x.add(lane, c.Script.Data[16*n:])
				more = true
			}
		}
		if !more {
			return
		}
		g.round.encrypt(&x)
		for lane := range chains {
			c := &chains[lane]
			switch {
			case c.Err != nil || c.Mode == mac.ModeTransaction || 16*n >= len(c.Script.Data):
			case c.Mode == mac.ModeEncipher:
				x.get(lane, c.Script.Data[16*n:])
			case 16*(n+1) == len(c.Script.Data):
				x.mac(lane, &c.MAC[0])
			}
		}
	}
}

// put and add write, or XOR, 16 bytes into a lane; get reads them, and mac the
// first half; copyLane takes a lane over.
func (b *sm4Block) put(lane int, bytes []byte) {
	for i := range b {
		b[i][lane] = binary.BigEndian.Uint32(bytes[4*i:])
	}
}

func (b *sm4Block) add(lane int, bytes []byte) {
	for i := range b {
		b[i][lane] ^= binary.BigEndian.Uint32(bytes[4*i:])
	}
}

func (b *sm4Block) get(lane int, bytes []byte) {
	for i := range b {
		binary.BigEndian.PutUint32(bytes[4*i:], b[i][lane])
	}
}

func (b *sm4Block) mac(lane int, out *[8]byte) {
	binary.BigEndian.PutUint32(out[:], b[0][lane])
	binary.BigEndian.PutUint32(out[4:], b[1][lane])
}

func (b *sm4Block) copyLane(from *sm4Block, lane int) {
	for i := range b {
		b[i][lane] = from[i][lane]
	}
}
