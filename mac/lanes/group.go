package lanes

import (
	"encoding/binary"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A group is a core with its memory. It runs as many chains at once as there
// are lanes, or fewer.
type group[W word] struct {
	kernels[W]
	plan
	rows []uint64 // of the block on its way in or out, one a lane

	left, right key[W] // of the issuer, then of each level, then of the card
	last        key[W] // the one that MACs

	made   [2]block[W] // the two halves of a key that is being made
	in     block[W]    // as it came in
	chain  block[W]    // state of CBC
	result block[W]    // the last block of each chain
	memory [10]half[W] // of the five blocks
}

func newGroup[W word](k kernels[W]) *group[W] {
	g := &group[W]{kernels: k, rows: make([]uint64, k.lanes)}
	for i, b := range []*block[W]{&g.made[0], &g.made[1], &g.in, &g.chain, &g.result} {
		b.l, b.r = &g.memory[2*i], &g.memory[2*i+1]
	}
	return g
}

// run computes the MACs of chains, those without an Err. All lanes take the
// same steps; a lane that has no use for a step drops its result, and a lane
// without a chain computes on whatever it holds.
func (g *group[W]) run(keys *keystore.Snapshot, chains []mac.Chain) {
	g.plan.draw(g.lanes, chains)
	g.master(keys, chains)
	for level := range g.levels {
		g.diversify(chains, level)
	}
	if g.sessions {
		g.sessionKey(chains)
	}
	if g.tacs {
		g.fold(&g.last, &g.left, &g.right, &g.tac)
	}
	for pass := range g.passes {
		g.mac(chains, pass)
	}
}

func (g *group[W]) width() int { return g.lanes }

// wipe clears all that came from keys.
func (g *group[W]) wipe() {
	clear(g.rows)
	clear(g.memory[:])
	g.left, g.right, g.last = key[W]{}, key[W]{}, key[W]{}
}

// master starts every lane with the key of its chain.
func (g *group[W]) master(keys *keystore.Snapshot, chains []mac.Chain) {
	key, one := oneKey(chains)
	for i := range g.made {
		if one {
			g.fill(&g.made[i], binary.BigEndian.Uint64(keys.Secret(key)[8*i:]))
			continue
		}
		for lane := range chains {
			if c := &chains[lane]; c.Err == nil {
				g.put(lane, keys.Secret(c.Key)[8*i:])
			}
		}
		g.load(&g.made[i], g.rows)
	}
	g.rekey(&g.every)
}

// oneKey gives the key that all chains begin with, if it is the same: the
// usual case, and worth two transpositions.
func oneKey(chains []mac.Chain) (keystore.Handle, bool) {
	key := chains[0].Key
	for i := range chains {
		if chains[i].Key != key {
			return 0, false
		}
	}
	return key, chains[0].Err == nil
}

// diversify makes a level's key: E3 of the factor, and of its complement. See
// [PBOC] 2.
func (g *group[W]) diversify(chains []mac.Chain, level int) {
	for i := range chains {
		g.put(i, chains[i].Factors[level][:])
	}
	g.load(&g.in, g.rows)
	for pass := range g.passes {
		b := &g.made[pass]
		*b.l, *b.r = *g.in.l, *g.in.r
		g.invert(b, &g.complement[pass])
		g.encrypt3(b)
	}
	if g.paired {
		g.part(&g.made[0], &g.made[1], &g.made[0])
	}
	g.rekey(&g.level[level])
}

// rekey makes the two blocks in g.made the key of the lanes in s.
func (g *group[W]) rekey(s *laneSet) {
	g.wire(&g.left, &g.made[0], s)
	g.wire(&g.right, &g.made[1], s)
}

// sessionKey makes the session key of every lane; those that MAC with a TAC key
// get theirs afterwards. See [PBOC] 3.5.
func (g *group[W]) sessionKey(chains []mac.Chain) {
	for i := range chains {
		g.put(i, chains[i].Data[:])
	}
	g.load(&g.made[0], g.rows)
	g.encrypt3(&g.made[0])
	g.wire(&g.last, &g.made[0], &g.every)
}

// mac runs the CBC chains of one pass to the end of the longest message, and
// notes each chain's state where its own message ends. See [PBOC] 3.1.
func (g *group[W]) mac(chains []mac.Chain, pass int) {
	if g.blocks[pass] == 0 {
		return
	}
	*g.chain.l, *g.chain.r = half[W]{}, half[W]{}
	for n := range g.blocks[pass] {
		for side, first := range g.sides(pass) {
			for i := range chains {
				g.rows[first+i] = binary.BigEndian.Uint64(chains[i].Message[side].Data[8*n:])
			}
		}
		g.load(&g.in, g.rows)
		g.add(&g.chain, &g.in)
		g.encrypt(&g.chain, &g.last, &forward)
		g.choose(&g.result, &g.chain, &g.ends[pass][n])
	}
	g.store(g.rows, &g.result)
	for side, first := range g.sides(pass) {
		for i := range chains {
			if c := &chains[i]; c.Err == nil && c.Message[side].Blocks > 0 {
				binary.BigEndian.PutUint64(c.MAC[side][:], g.rows[first+i])
			}
		}
	}
}

// put gives a block to the lanes of chain i.
func (g *group[W]) put(i int, b []byte) {
	v := binary.BigEndian.Uint64(b)
	g.rows[i] = v
	if g.paired {
		g.rows[i+g.lanes/2] = v
	}
}

// encrypt is single DES, in the direction of turns.
func (g *group[W]) encrypt(b *block[W], k *key[W], turns *[16]uint8) {
	g.rounds(b.l, b.r, k, turns)
	b.swap()
}

// encrypt3 is E3 of [PBOC] 1.
func (g *group[W]) encrypt3(b *block[W]) {
	g.encrypt(b, &g.left, &forward)
	g.encrypt(b, &g.right, &backward)
	g.encrypt(b, &g.left, &forward)
}
