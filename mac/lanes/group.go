package lanes

import (
	"encoding/binary"
	"unsafe"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A group is a core with its memory. It runs as many chains at once as there
// are lanes, or fewer.
type group[W word] struct {
	kernels[W]
	plan
	*memory[W]
	rows [mac.MaxBlocks][]uint64 // of blocks on their way in or out, see rows.go

	made   [2]block[W] // the two halves of a key that is being made
	in     block[W]    // as it came in
	chain  block[W]    // state of CBC
	result block[W]    // the last block of each chain
}

// A memory is all of a group that depends on keys. It is apart because it has
// no pointers: of such memory the runtime lets the words begin where cache
// lines do, and a word across two lines costs twice its time.
type memory[W word] struct {
	left, right key[W] // of the issuer, then of each level, then of the card
	last        key[W] // the one that MACs
	halves      [10]half[W]
	rows        [mac.MaxBlocks][64]W
}

func newGroup[W word](k kernels[W]) *group[W] {
	g := &group[W]{kernels: k, memory: new(memory[W])}
	for i := range g.rows {
		g.rows[i] = unsafe.Slice((*uint64)(unsafe.Pointer(&g.memory.rows[i])), k.lanes) //nolint:gosec // words are whole uint64s, k.lanes of them in 64 words
	}
	for i, b := range []*block[W]{&g.made[0], &g.made[1], &g.in, &g.chain, &g.result} {
		b.l, b.r = &g.halves[2*i], &g.halves[2*i+1]
	}
	return g
}

// run computes the MACs of chains, those without an Err. All lanes take the
// same steps; a lane that has no use for a step drops its result, and a lane
// without a chain computes on whatever it holds.
func (g *group[W]) run(keys *keystore.Snapshot, chains []mac.Chain) {
	g.plan.draw(g.lanes, keys, chains)
	g.master(keys, chains)
	for level := range g.levels {
		g.diversify(chains, level)
	}
	if g.sessions {
		g.sessionKey(chains)
	}
	if g.locks {
		g.lockKey(chains)
	}
	if g.tacs {
		g.fold(&g.last, &g.left, &g.right, &g.tac)
	}
	for pass := range g.passes {
		g.mac(chains, pass)
	}
}

// wipe clears all that came from keys.
func (g *group[W]) wipe() { *g.memory = memory[W]{} }

// master starts every lane with the key of its chain. One key for all is worth
// two transpositions.
func (g *group[W]) master(keys *keystore.Snapshot, chains []mac.Chain) {
	if !g.oneKey {
		g.secretRows(keys, chains)
	}
	for i := range g.made {
		if g.oneKey {
			g.fill(&g.made[i], binary.BigEndian.Uint64(keys.Secret(chains[0].Key)[8*i:]))
		} else {
			g.load(&g.made[i], g.rows[i])
		}
	}
	g.rekey(&g.every)
}

// diversify makes a level's key: E3 of the factor, and of its complement. See
// [PBOC] 2.
func (g *group[W]) diversify(chains []mac.Chain, level int) {
	g.factorRows(chains, level)
	g.load(&g.in, g.rows[0])
	for pass := range g.passes {
		b := &g.made[pass]
		g.invert(b, &g.in, &g.complement[pass])
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
	g.dataRows(chains)
	g.load(&g.made[0], g.rows[0])
	g.encrypt3(&g.made[0])
	g.wire(&g.last, &g.made[0], &g.every)
}

// lockKey takes the step that leads from a session key to the key of a grey
// lock, in the lanes that have one. See [PBOC] 5.7.
func (g *group[W]) lockKey(chains []mac.Chain) {
	g.lockRows(chains)
	g.load(&g.made[0], g.rows[0])
	g.encrypt(&g.made[0], &g.last, &forward)
	g.wire(&g.last, &g.made[0], &g.lock)
}

// mac runs the CBC chains of one pass to the end of the longest message, and
// notes each chain's state where its own message ends. See [PBOC] 3.1.
func (g *group[W]) mac(chains []mac.Chain, pass int) {
	if g.blocks[pass] == 0 {
		return
	}
	for side, first := range g.sides(pass) {
		if g.longest[side] > 0 {
			g.messageRows(chains, side, first)
		}
	}
	for n := range g.blocks[pass] {
		if n == 0 {
			g.load(&g.chain, g.rows[n])
		} else {
			g.load(&g.in, g.rows[n])
			g.add(&g.chain, &g.in)
		}
		g.encrypt(&g.chain, &g.last, &forward)
		if ends := &g.ends[pass][n]; *ends != (laneSet{}) {
			g.choose(&g.result, &g.chain, ends)
		}
	}
	g.store(g.rows[0], &g.result)
	for side, first := range g.sides(pass) {
		if g.longest[side] > 0 {
			g.takeRows(chains, side, first)
		}
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
