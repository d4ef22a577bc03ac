package main

import "pbochsm/mac/lanes/gen/netlist"

// A mesh is a circuit of lookup gates at work, with the truth table of each
// node beside it. It has a gate for any function of three nodes, so unlike a
// circuit it is not found by a choice of gates, but of the nodes they read.
type mesh struct {
	n     int // nodes, inputs included
	gate  [maxNodes]lookup
	table [maxNodes]uint64
	out   [netlist.Outputs]uint8
}

// A lookup is a gate of a mesh.
type lookup struct {
	in    [3]uint8
	table uint8
}

// meshOf makes a mesh of a circuit of other gates: each becomes the lookup
// gate that ignores what it does not read.
func meshOf(n *netlist.Netlist) *mesh {
	m := newMesh()
	for _, g := range n.Gates {
		l := lookup{in: [3]uint8{g.A, g.B, g.B}, table: g.Table}
		switch g.Op {
		case netlist.Not:
			l.in = [3]uint8{g.A, g.A, g.A}
			l.table = uint8(^column(0))
		case netlist.Lookup:
			l.in[2] = g.C
		default:
			l.table = uint8(g.Op.Apply(column(0), column(1)))
		}
		m.add(l)
	}
	m.out = [netlist.Outputs]uint8(n.Out)
	return m
}

// column is the truth table of one of the three nodes of a gate.
func column(node int) uint64 { return []uint64{0xF0, 0xCC, 0xAA}[node] }

func newMesh() *mesh {
	m := &mesh{n: netlist.Inputs}
	copy(m.table[:], given)
	return m
}

func (m *mesh) gates() int { return m.n - netlist.Inputs }

func (m *mesh) add(l lookup) int {
	m.gate[m.n] = l
	m.table[m.n] = m.compute(l)
	m.n++
	return m.n - 1
}

func (m *mesh) compute(l lookup) uint64 {
	return netlist.LookUp(l.table, m.table[l.in[0]], m.table[l.in[1]], m.table[l.in[2]])
}

// find gives a node that computes want wherever care has a 1, or -1.
func (m *mesh) find(want, care uint64) int {
	for i, t := range m.table[:m.n] {
		if (t^want)&care == 0 {
			return i
		}
	}
	return -1
}

// netlist gives the mesh its final form.
func (m *mesh) netlist() *netlist.Netlist {
	n := &netlist.Netlist{Inputs: netlist.Inputs, Out: m.out[:]}
	for _, l := range m.gate[netlist.Inputs:m.n] {
		n.Gates = append(n.Gates, netlist.Gate{Op: netlist.Lookup, A: l.in[0], B: l.in[1], C: l.in[2], Table: l.table})
	}
	return n
}

// observe tells for which inputs some output depends on node g, and which
// nodes do.
func (m *mesh) observe(g int) (care uint64, above [maxNodes]bool) {
	flipped := m.table
	flipped[g] = ^flipped[g]
	above[g] = true
	for i := g + 1; i < m.n; i++ {
		l := m.gate[i]
		a, b, c := l.in[0], l.in[1], l.in[2]
		if above[a] || above[b] || above[c] {
			above[i] = true
			flipped[i] = netlist.LookUp(l.table, flipped[a], flipped[b], flipped[c])
		}
	}
	for _, o := range m.out {
		care |= flipped[o] ^ m.table[o]
	}
	return care, above
}

// compact sorts the gates so that each reads earlier nodes, drops those that
// no output needs, and merges those that compute the same.
func (m *mesh) compact() *mesh {
	to := newMesh()
	moved := [maxNodes]int{}
	for i := range netlist.Inputs {
		moved[i] = i + 1
	}
	for o := range m.out {
		to.out[o] = uint8(m.move(int(m.out[o]), to, &moved))
	}
	return to
}

// move brings a node over; moved has its new node plus one, or zero.
func (m *mesh) move(node int, to *mesh, moved *[maxNodes]int) int {
	if moved[node] > 0 {
		return moved[node] - 1
	}
	l := m.gate[node]
	for i, in := range l.in {
		l.in[i] = uint8(m.move(int(in), to, moved))
	}
	at := to.find(to.compute(l), all)
	if at < 0 {
		at = to.add(l)
	}
	moved[node] = at + 1
	return at
}
