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
	g.startRows(chains)
	g.load(&g.chain, g.rows[0])
	enciphering, tripled, unfinished := inMode(chains, mac.ModeEncipher), inMode(chains, mac.ModeTriple), inMode(chains, mac.ModeSingle)
	for n := range longestScript(chains) {
		g.fill(&g.in, 0)
		g.choose(&g.chain, &g.in, &enciphering) // where no block depends on another
		g.scriptRows(chains, n)
		g.load(&g.in, g.rows[0])
		g.add(&g.chain, &g.in)
		g.encrypt(&g.chain, &g.left, &forward)
		g.choose(&g.result, &g.chain, &g.every)
		g.encrypt(&g.result, &g.right, &backward)
		g.encrypt(&g.result, &g.left, &forward)
		g.choose(&g.chain, &g.result, &tripled)
		g.choose(&g.result, &g.chain, &unfinished)
		g.store(g.rows[0], &g.result)
		g.takeScriptRows(chains, n)
	}
}

// inMode gives the lanes of a mode.
func inMode(chains []mac.Chain, m mac.Mode) (s laneSet) {
	for i := range chains {
		if chains[i].Mode == m {
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

// takeScriptRows gives a chain that enciphers its block n, and one that MACs
// its MAC if that is the last.
func (g *group[W]) takeScriptRows(chains []mac.Chain, n int) {
	p := placeOf(0, g.lanes)
	for i := range chains {
		c := &chains[i]
		row := g.rows[0][p.at]
		p.next()
		switch {
		case c.Err != nil || 8*n >= len(c.Script.Data):
		case c.Mode == mac.ModeEncipher:
			binary.BigEndian.PutUint64(c.Script.Data[8*n:], row)
		case 8*(n+1) == len(c.Script.Data):
			binary.BigEndian.PutUint64(c.MAC[0][:], row)
		}
	}
}
