package lanes

import (
	"encoding/binary"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// Rows hold one block of each lane, in an order of their own: a word takes 64
// lanes, and of each word the first lane comes first, then of each the second.
// So a core transposes as many squares side by side as its words have 64 bits.
//
// The loops below are a good part of the time of a group: they go through more
// memory than the nearest cache holds.

// A place is where the row of a lane is.
type place struct{ at, words, lanes int }

func placeOf(lane, lanes int) place {
	words := lanes / 64
	return place{lane%64*words + lane/64, words, lanes}
}

// next is the place of the next lane.
func (p *place) next() {
	if p.at += p.words; p.at >= p.lanes {
		p.at -= p.lanes - 1
	}
}

func (g *group[W]) factorRows(chains []mac.Chain, level int) {
	rows, p := g.rows[0], placeOf(0, g.lanes)
	for i := range chains {
		rows[p.at] = binary.BigEndian.Uint64(chains[i].Factors[level][:])
		p.next()
	}
	g.pairRows(rows, len(chains))
}

func (g *group[W]) dataRows(chains []mac.Chain) {
	rows, p := g.rows[0], placeOf(0, g.lanes)
	for i := range chains {
		rows[p.at] = binary.BigEndian.Uint64(chains[i].Data[:])
		p.next()
	}
	g.pairRows(rows, len(chains))
}

func (g *group[W]) lockRows(chains []mac.Chain) {
	rows, p := g.rows[0], placeOf(0, g.lanes)
	for i := range chains {
		rows[p.at] = binary.BigEndian.Uint64(chains[i].Lock[:])
		p.next()
	}
	g.pairRows(rows, len(chains))
}

// secretRows reads both halves of the issuers' keys.
func (g *group[W]) secretRows(keys *keystore.Snapshot, chains []mac.Chain) {
	left, right, p := g.rows[0], g.rows[1], placeOf(0, g.lanes)
	for i := range chains {
		if c := &chains[i]; c.Err == nil {
			secret := keys.Secret(c.Key)
			left[p.at] = binary.BigEndian.Uint64(secret[:8])
			right[p.at] = binary.BigEndian.Uint64(secret[8:])
		}
		p.next()
	}
	g.pairRows(left, len(chains))
	g.pairRows(right, len(chains))
}

// pairRows gives the other lanes of n pairs what the first have.
func (g *group[W]) pairRows(rows []uint64, n int) {
	if !g.paired {
		return
	}
	p, other := placeOf(0, g.lanes), placeOf(g.half, g.lanes)
	for range n {
		rows[other.at] = rows[p.at]
		p.next()
		other.next()
	}
}

// messageRows reads all blocks of a message at once, so that each chain is
// visited once.
func (g *group[W]) messageRows(chains []mac.Chain, side, first int) {
	r0, p := g.rows[0], placeOf(first, g.lanes)
	r1, r2, r3 := g.rows[1][:len(r0)], g.rows[2][:len(r0)], g.rows[3][:len(r0)]
	for i := range chains {
		b := &chains[i].Message[side].Data
		r0[p.at] = binary.BigEndian.Uint64(b[0:])
		r1[p.at] = binary.BigEndian.Uint64(b[8:])
		r2[p.at] = binary.BigEndian.Uint64(b[16:])
		r3[p.at] = binary.BigEndian.Uint64(b[24:])
		p.next()
	}
}

// takeRows gives the chains that have one their MAC.
func (g *group[W]) takeRows(chains []mac.Chain, side, first int) {
	rows, p := g.rows[0], placeOf(first, g.lanes)
	for i := range chains {
		if c := &chains[i]; c.Message[side].Blocks > 0 && c.Err == nil {
			binary.BigEndian.PutUint64(c.MAC[side][:], rows[p.at])
		}
		p.next()
	}
}
