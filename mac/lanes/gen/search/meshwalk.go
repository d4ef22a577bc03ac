package main

import (
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/netlist"
)

// A rambler improves a mesh as a walker does a circuit. Any function of three
// nodes is one gate, so there are many more places where a gate may be put.
type rambler struct {
	*mesh
	rng *rand.Rand
}

// Habits of the ramble, found by trying.
const (
	rebuildMesh = 8   // moves, of which one tears down and builds anew
	extraGate   = 100 // one move in so many may use one gate more
	rise        = 0.2 // chance to accept a mesh that has grown
)

// rambleMoves is a few seconds' work.
const rambleMoves = 60_000

// startLookup rambles once: an odd start from a mesh that it builds, an even
// one from the circuit of ordinary gates.
func startLookup(box int, number uint64) (*netlist.Netlist, error) {
	rng := rand.New(rand.NewPCG(uint64(box), number))
	from, err := built(box, rng), error(nil)
	if number%2 == 0 {
		var n *netlist.Netlist
		if n, err = netlist.Box(box); err != nil {
			return nil, err
		}
		from = meshOf(n)
	}
	r := rambler{from.compact(), rng}
	return r.ramble(rambleMoves).netlist(), nil
}

// built is the best of a few meshes built by division.
func built(box int, rng *rand.Rand) *mesh {
	b := meshBuilder{rng: rng, limit: maxNodes, width: wide}
	var best mesh
	for tries := 0; tries < full.builds || best.n == 0; tries++ {
		if b.construct(netlist.DES(box).Wanted(0)) {
			best = b.mesh
			b.limit = best.n - 1
		}
	}
	return &best
}

// ramble makes moves and gives the smallest mesh it came by.
func (r *rambler) ramble(moves int) *mesh {
	best := r.mesh
	for move := range moves {
		var next *mesh
		if move%rebuildMesh == 0 {
			next = r.rebuild()
		} else {
			next = r.step()
		}
		if next == nil || next.n > r.n && (next.n > best.n+1 || r.rng.Float64() > rise) {
			continue
		}
		r.mesh = next
		if next.n < best.n {
			best = next
		}
	}
	return best
}

// step puts another gate in the place of a random one, or another node.
func (r *rambler) step() *mesh {
	m := *r.mesh
	g := netlist.Inputs + r.rng.IntN(m.gates())
	care, above := m.observe(g)
	var pool []uint8 // of nodes that g may read
	for i := range m.n {
		if above[i] {
			continue
		}
		if (m.table[i]^m.table[g])&care == 0 || (m.table[i]^^m.table[g])&care == 0 && !m.isOutput(g) {
			m.replace(g, i, (m.table[i]^m.table[g])&care != 0)
			return m.compact()
		}
		pool = append(pool, uint8(i))
	}
	if r.rng.IntN(extraGate) == 0 {
		pool = append(pool, uint8(m.add(lookup{
			in:    [3]uint8{r.pick(pool), r.pick(pool), r.pick(pool)},
			table: uint8(r.rng.Uint32()),
		})))
	}
	r.rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	in, ok := m.triple(pool, m.table[g], care, m.gate[g].in)
	if !ok {
		return nil
	}
	m.gate[g] = lookup{in, m.fit(in, m.table[g], care, r.rng)}
	return m.compact()
}

func (r *rambler) pick(pool []uint8) uint8 { return pool[r.rng.IntN(len(pool))] }

func (m *mesh) isOutput(g int) bool {
	for _, o := range m.out {
		if int(o) == g {
			return true
		}
	}
	return false
}

// replace makes everything that reads node old read node by, or its
// complement.
func (m *mesh) replace(old, by int, negated bool) {
	for i := netlist.Inputs; i < m.n; i++ {
		l := &m.gate[i]
		for k, in := range l.in {
			if int(in) != old {
				continue
			}
			l.in[k] = uint8(by)
			if negated {
				l.table = turned(l.table, k)
			}
		}
	}
	for i := range m.out {
		if int(m.out[i]) == old {
			m.out[i] = uint8(by)
		}
	}
}

// turned is the table of a gate that reads the complement of node k.
func turned(table uint8, k int) uint8 {
	ones, by := uint8(column(k)), 4>>k
	return table&ones>>by | table<<by&ones
}

// triple gives the first three nodes of pool, other than those in old, of
// which want is a function wherever care has a 1.
func (m *mesh) triple(pool []uint8, want, care uint64, old [3]uint8) (in [3]uint8, ok bool) {
	on, off := want&care, ^want&care
	for i, a := range pool {
		for j, b := range pool[:i] {
			cells, mixed := mixedCells(m.table[a], m.table[b], on, off)
			for _, c := range pool[:j] {
				if separates(m.table[c], cells[:mixed]) && !same(old, [3]uint8{a, b, c}) {
					return [3]uint8{a, b, c}, true
				}
			}
		}
	}
	return in, false
}

// mixedCells gives, for each pair of values of a and b with which on and off
// both occur, the two occurrences.
func mixedCells(a, b, on, off uint64) (cells [4][2]uint64, n int) {
	for _, cell := range [4]uint64{a & b, a &^ b, b &^ a, ^(a | b)} {
		if x, y := on&cell, off&cell; x != 0 && y != 0 {
			cells[n] = [2]uint64{x, y}
			n++
		}
	}
	return cells, n
}

// separates tells whether c keeps on and off apart in each cell.
func separates(c uint64, cells [][2]uint64) bool {
	for _, cell := range cells {
		x, y := cell[0], cell[1]
		if x&c != 0 && y&c != 0 || x&^c != 0 && y&^c != 0 {
			return false
		}
	}
	return true
}

// same tells whether b has the nodes of a in any order.
func same(a, b [3]uint8) bool {
	for _, node := range b {
		if node != a[0] && node != a[1] && node != a[2] {
			return false
		}
	}
	return true
}

// fit gives the table that makes want of the nodes in. Where nobody observes
// the difference it throws dice.
func (m *mesh) fit(in [3]uint8, want, care uint64, rng *rand.Rand) (table uint8) {
	for i := range 8 {
		cell := netlist.LookUp(1<<i, m.table[in[0]], m.table[in[1]], m.table[in[2]]) & care
		if cell&want != 0 || cell == 0 && rng.IntN(2) == 0 {
			table |= 1 << i
		}
	}
	return table
}
