package lanes

import (
	"encoding/binary"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A few is the core of 8 lanes, for the few chains of a quiet server. It is not
// bitsliced: a lane is 64 bits of a register, S-boxes are tables that stay in
// registers, and a run of DES is a tenth as deep as in wires. So it computes a
// lone chain soonest, and many the slowest per chain of all cores. Its steps and
// its plan are those of a group.
type few struct {
	plan
	*fewMemory
}

// lanes8 is a block in each lane.
type lanes8 [8]uint64

// A schedule is the keys of the rounds, each a byte for every S-box.
type schedule [16]lanes8

// A fewMemory is all of a few that depends on keys, on whole cache lines.
type fewMemory struct {
	left, right, last schedule  // of the keys below
	key               [3]lanes8 // the two halves of the issuer's, a level's, the card's; and the one that MACs
	made              [2]lanes8 // the two halves of a key that is being made
	chain, result     lanes8
	message           [mac.MaxBlocks]lanes8
}

const fewLanes = len(lanes8{})

func newFew() *few { return &few{fewMemory: new(fewMemory)} }

// run computes the MACs of chains, those without an Err, as group.run does.
func (f *few) run(keys *keystore.Snapshot, chains []mac.Chain) {
	f.draw(fewLanes, keys, chains)
	f.master(keys, chains)
	for level := range f.levels {
		f.diversify(chains, level)
	}
	if f.sessions {
		f.rows(&f.made[0], chains, func(c *mac.Chain) uint64 { return binary.BigEndian.Uint64(c.Data[:]) })
		f.encrypt3(&f.made[0])
		f.final(&f.every)
	}
	if f.locks {
		f.rows(&f.made[0], chains, func(c *mac.Chain) uint64 { return binary.BigEndian.Uint64(c.Lock[:]) })
		f.encrypt(&f.made[0], &f.last)
		f.final(&f.lock)
	}
	if f.tacs {
		for i := range f.made[0] {
			f.made[0][i] = f.key[0][i] ^ f.key[1][i]
		}
		f.final(&f.tac)
	}
	for pass := range f.passes {
		f.mac(chains, pass)
	}
}

// wipe clears all that came from keys.
func (f *few) wipe() { *f.fewMemory = fewMemory{} }

// rows gives each chain's lane, and the other of a pair, a block of it.
func (f *few) rows(to *lanes8, chains []mac.Chain, row func(*mac.Chain) uint64) {
	for i := range chains {
		to[i] = row(&chains[i])
		if f.paired {
			to[f.half+i] = to[i]
		}
	}
}

// master starts every lane with the key of its chain.
func (f *few) master(keys *keystore.Snapshot, chains []mac.Chain) {
	for side := range f.made {
		f.rows(&f.made[side], chains, func(c *mac.Chain) uint64 {
			if c.Err != nil {
				return 0
			}
			return binary.BigEndian.Uint64(keys.Secret(c.Key)[8*side:])
		})
	}
	f.rekey(&f.every)
}

// diversify makes a level's key, see [PBOC] 2.
func (f *few) diversify(chains []mac.Chain, level int) {
	f.rows(&f.made[0], chains, func(c *mac.Chain) uint64 { return binary.BigEndian.Uint64(c.Factors[level][:]) })
	f.made[1] = f.made[0]
	for pass := range f.passes {
		for i := range f.made[pass] {
			f.made[pass][i] ^= f.complement[pass].mask(i)
		}
		f.encrypt3(&f.made[pass])
	}
	if f.paired {
		copy(f.made[1][:f.half], f.made[0][f.half:])
		copy(f.made[1][f.half:], f.made[0][f.half:])
		copy(f.made[0][f.half:], f.made[0][:f.half])
	}
	f.rekey(&f.level[level])
}

// rekey makes the two blocks in f.made the key of the lanes in s.
func (f *few) rekey(s *laneSet) {
	f.wire(0, &f.left, &f.made[0], s)
	f.wire(1, &f.right, &f.made[1], s)
}

// final makes the first block in f.made the key that MACs of the lanes in s.
func (f *few) final(s *laneSet) { f.wire(2, &f.last, &f.made[0], s) }

func (f *few) wire(key int, to *schedule, made *lanes8, s *laneSet) {
	k := &f.key[key]
	for i := range k {
		k[i] = pick(made[i], k[i], s.mask(i))
	}
	schedule8(to, k)
}

// mac runs the CBC chains of one pass, see [PBOC] 3.1.
func (f *few) mac(chains []mac.Chain, pass int) {
	for side, first := range f.sides(pass) {
		for i := range chains {
			for n := range f.longest[side] {
				f.message[n][first+i] = binary.BigEndian.Uint64(chains[i].Message[side].Data[8*n:])
			}
		}
	}
	f.chain = lanes8{}
	for n := range f.blocks[pass] {
		for i := range f.chain {
			f.chain[i] ^= f.message[n][i]
		}
		f.encrypt(&f.chain, &f.last)
		for i := range f.result {
			f.result[i] = pick(f.chain[i], f.result[i], f.ends[pass][n].mask(i))
		}
	}
	for side, first := range f.sides(pass) {
		for i := range chains {
			if c := &chains[i]; c.Message[side].Blocks > 0 && c.Err == nil {
				binary.BigEndian.PutUint64(c.MAC[side][:], f.result[first+i])
			}
		}
	}
}

// encrypt and decrypt are single DES, encrypt3 is E3 of [PBOC] 1.
func (f *few) encrypt(b *lanes8, k *schedule) { crypt8(b, &k[0], len(k[0])*8) }

func (f *few) decrypt(b *lanes8, k *schedule) { crypt8(b, &k[len(k)-1], -len(k[0])*8) }

func (f *few) encrypt3(b *lanes8) {
	f.encrypt(b, &f.left)
	f.decrypt(b, &f.right)
	f.encrypt(b, &f.left)
}
