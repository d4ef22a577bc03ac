package main

import "pbochsm/mac/lanes/gen/netlist"

// rebuild takes out a random gate and every gate that served it alone, and has
// the function built anew by division, with no more gates than before or one
// more.
func (r *rambler) rebuild() *mesh {
	m := r.mesh
	g := netlist.Inputs + r.rng.IntN(m.gates())
	care, above := m.observe(g)
	served := m.servants(g)
	b := &meshBuilder{mesh: *newMesh(), rng: r.rng, width: narrow}
	var moved [maxNodes]int
	for i := range m.n {
		if i < netlist.Inputs {
			moved[i] = i
		} else if !above[i] && !served[i] {
			b.copy(m, i, &moved)
		}
	}
	b.limit = b.n + r.rng.IntN(2)
	for _, gone := range served {
		if gone {
			b.limit++
		}
	}
	moved[g] = b.build(m.table[g], care, 1<<netlist.Inputs-1, 1)
	if moved[g] < 0 {
		return nil
	}
	for i := g + 1; i < m.n; i++ {
		if above[i] {
			b.copy(m, i, &moved)
		}
	}
	for o := range m.out {
		b.out[o] = uint8(moved[m.out[o]])
	}
	return b.compact()
}

// copy appends gate i of another mesh, whose nodes have moved.
func (m *mesh) copy(from *mesh, i int, moved *[maxNodes]int) {
	l := from.gate[i]
	for k, in := range l.in {
		l.in[k] = uint8(moved[in])
	}
	moved[i] = m.add(l)
}

// servants tells which gates no output needs once g is gone, g included.
func (m *mesh) servants(g int) (served [maxNodes]bool) {
	var readers [maxNodes]int
	for _, l := range m.gate[netlist.Inputs:m.n] {
		for _, in := range l.in {
			readers[in]++
		}
	}
	for _, o := range m.out {
		readers[o]++
	}
	served[g] = true
	for i := g; i >= netlist.Inputs; i-- { // readers come after what they read
		if !served[i] && readers[i] > 0 {
			continue
		}
		served[i] = true
		for _, in := range m.gate[i].in {
			readers[in]--
		}
	}
	return served
}
