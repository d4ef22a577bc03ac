package main

import "pbochsm/mac/lanes/gen/netlist"

// rebuild takes out a random gate and every gate that served it alone, and has
// the function built anew by division, with no more gates than before or one
// more.
func (w *walker) rebuild() *circuit {
	c := w.circuit
	g := netlist.Inputs + w.rng.IntN(c.gates())
	care, above := c.observe(g)
	served := c.servants(g)
	b := &builder{circuit: *newCircuit(len(c.out)), rng: w.rng, width: narrow}
	var moved [maxNodes]int
	for i := range c.n {
		if i < netlist.Inputs {
			moved[i] = i
		} else if !above[i] && !served[i] {
			b.copy(c, i, &moved)
		}
	}
	b.limit = b.n + w.rng.IntN(2)
	for _, gone := range served {
		if gone {
			b.limit++
		}
	}
	moved[g] = b.build(c.table[g], care, 1<<netlist.Inputs-1, 1)
	if moved[g] < 0 {
		return nil
	}
	for i := g + 1; i < c.n; i++ {
		if above[i] {
			b.copy(c, i, &moved)
		}
	}
	for o := range c.out {
		b.out[o] = uint8(moved[c.out[o]])
	}
	return b.compact()
}

// copy appends gate i of another circuit, whose nodes have moved.
func (c *circuit) copy(from *circuit, i int, moved *[maxNodes]int) {
	g := from.gate[i]
	moved[i] = c.add(g.Op, moved[g.A], moved[g.B])
}

// servants tells which gates no output needs once g is gone, g included.
func (c *circuit) servants(g int) (served [maxNodes]bool) {
	var readers [maxNodes]int
	for i := netlist.Inputs; i < c.n; i++ {
		readers[c.gate[i].A]++
		readers[c.gate[i].B]++
	}
	for _, o := range c.out {
		readers[o]++
	}
	served[g] = true
	for i := g; i >= netlist.Inputs; i-- { // readers come after what they read
		if !served[i] && readers[i] > 0 {
			continue
		}
		served[i] = true
		readers[c.gate[i].A]--
		readers[c.gate[i].B]--
	}
	return served
}
