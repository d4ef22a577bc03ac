package lanes

import (
	"encoding/binary"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// scripts runs the chains of issuer scripts, at most one a lane. Every lane
// takes every step: from the block that stands in it and the state of its chain
// it makes single DES and, from that, 3DES. CBC goes on with the first; the
// last block of a retail MAC, and whatever is enciphered, is the second. See
// [PBOC] 3.2 and 3.3.
func (g *group[W]) scripts(keys *keystore.Snapshot, chains []mac.Chain) {
	g.plan.draw(g.lanes, keys, chains)
	g.master(keys, chains)
	for level := range g.levels {
		g.diversify(chains, level)
	}
	g.shortKeys(chains)
	g.startRows(chains)
	g.load(&g.chain, g.rows[0])
	enciphering, deciphering := inMode(chains, mac.ModeEncipher), inMode(chains, mac.ModeDecipher)
	tripled, unfinished := inMode(chains, mac.ModeTriple), inMode(chains, mac.ModeSingle)
	for n := range longestScript(chains) {
		g.fill(&g.in, 0)
		g.choose(&g.chain, &g.in, &enciphering) // where no block depends on another
		g.scriptRows(chains, n)
		g.load(&g.in, g.rows[0])
		g.add(&g.chain, &g.in)
		g.choose(&g.made[0], &g.in, &g.every)
		g.encrypt(&g.chain, &g.left, &forward)
		g.choose(&g.result, &g.chain, &g.every)
		g.encrypt(&g.result, &g.right, &backward)
		g.encrypt(&g.result, &g.left, &forward)
		if deciphering != (laneSet{}) {
			g.decipher(&g.made[0])
			g.choose(&g.result, &g.made[0], &deciphering)
		}
		g.choose(&g.chain, &g.result, &tripled)
		g.choose(&g.result, &g.chain, &unfinished)
		g.store(g.rows[0], &g.result)
		g.takeScriptRows(chains, n)
	}
}

// decipher is E3 of [PBOC] 1 backwards.
func (g *group[W]) decipher(b *block[W]) {
	g.encrypt(b, &g.left, &backward)
	g.encrypt(b, &g.right, &forward)
	g.encrypt(b, &g.left, &backward)
}

// shortKeys gives the lanes whose last key is one of 8 bytes that key, as both
// halves: 3DES with it is single DES.
func (g *group[W]) shortKeys(chains []mac.Chain) {
	if g.sessions {
		session := lanesOf(chains, func(c *mac.Chain) bool { return c.Final == mac.FinalSession })
		g.dataRows(chains)
		g.load(&g.made[0], g.rows[0])
		g.encrypt3(&g.made[0])
		g.wire(&g.left, &g.made[0], &session)
		g.wire(&g.right, &g.made[0], &session)
	}
	if g.tacs {
		g.fold(&g.last, &g.left, &g.left, &g.tac) // nothing
		g.fold(&g.right, &g.left, &g.right, &g.tac)
		g.fold(&g.left, &g.right, &g.last, &g.tac)
	}
}

// inMode gives the lanes of a mode.
func inMode(chains []mac.Chain, m mac.Mode) laneSet {
	return lanesOf(chains, func(c *mac.Chain) bool { return c.Mode == m })
}

// lanesOf gives the lanes whose chains are so.
func lanesOf(chains []mac.Chain, so func(*mac.Chain) bool) (s laneSet) {
	for i := range chains {
		if so(&chains[i]) {
			s.add(i, i+1)
		}
	}
	return s
}

// longestScript is in blocks of 8 bytes.
func longestScript(chains []mac.Chain) (n int) {
	for i := range chains {
		if c := &chains[i]; c.Err == nil {
			n = max(n, len(c.Script.Data)/8)
		}
	}
	return n
}

// startRows reads what each chain begins with.
func (g *group[W]) startRows(chains []mac.Chain) {
	p := placeOf(0, g.lanes)
	for i := range chains {
		if c := &chains[i]; c.Err == nil {
			g.rows[0][p.at] = binary.BigEndian.Uint64(c.Script.IV[:])
		}
		p.next()
	}
}

// scriptRows reads block n of each chain that has so many.
func (g *group[W]) scriptRows(chains []mac.Chain, n int) {
	p := placeOf(0, g.lanes)
	for i := range chains {
		if c := &chains[i]; c.Err == nil && 8*n < len(c.Script.Data) {
			g.rows[0][p.at] = binary.BigEndian.Uint64(c.Script.Data[8*n:])
		}
		p.next()
	}
}

// takeScriptRows gives a chain that enciphers or deciphers its block n, and one that MACs
// its MAC if that is the last.
func (g *group[W]) takeScriptRows(chains []mac.Chain, n int) {
	p := placeOf(0, g.lanes)
	for i := range chains {
		c := &chains[i]
		row := g.rows[0][p.at]
		p.next()
		switch {
		case c.Err != nil || 8*n >= len(c.Script.Data):
		case c.Mode == mac.ModeEncipher || c.Mode == mac.ModeDecipher:
			binary.BigEndian.PutUint64(c.Script.Data[8*n:], row)
		case 8*(n+1) == len(c.Script.Data):
			binary.BigEndian.PutUint64(c.MAC[0][:], row)
		}
	}
}
