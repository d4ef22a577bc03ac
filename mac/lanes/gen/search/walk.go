package main

import (
	"math/rand/v2"
	"slices"

	"pbochsm/mac/lanes/gen/netlist"
)

// A walker improves a finished circuit by many small changes. A gate need not
// keep its function: only for some inputs does an output depend on it, and
// any other gate that agrees there can take its place. Most exchanges leave
// the size as it is; they are the steps of a walk over circuits of one size,
// and sooner or later a step makes a gate superfluous.
type walker struct {
	*circuit
	rng *rand.Rand
}

// Habits of the walk, found by trying.
const (
	rebuildEvery = 50  // moves, of which one tears down and builds anew
	detour       = 8   // one exchange in so many may use one gate more
	climb        = 0.1 // chance to accept a circuit that has grown
)

// walk makes moves and gives the best circuit it came by.
func (w *walker) walk(moves int) *circuit {
	best := w.circuit
	for move := range moves {
		var next *circuit
		if move%rebuildEvery == 0 {
			next = w.rebuild()
		} else {
			next = w.exchange()
		}
		if next == nil || next.n > w.n && w.rng.Float64() > climb {
			continue
		}
		w.circuit = next
		if next.cost() < best.cost() {
			best = next
		}
	}
	return best
}

// observe tells for which inputs some output depends on node g, and which
// nodes do.
func (c *circuit) observe(g int) (care uint64, above [maxNodes]bool) {
	flipped := c.table
	flipped[g] = ^flipped[g]
	above[g] = true
	for i := g + 1; i < c.n; i++ {
		gate := c.gate[i]
		if above[gate.A] || above[gate.B] {
			above[i] = true
			flipped[i] = gate.Op.Apply(flipped[gate.A], flipped[gate.B])
		}
	}
	for _, o := range c.out {
		care |= flipped[o] ^ c.table[o]
	}
	return care, above
}

// exchange puts another gate in the place of a random one.
func (w *walker) exchange() *circuit {
	c := *w.circuit
	c.out = slices.Clone(c.out)
	g := netlist.Inputs + w.rng.IntN(c.gates())
	care, above := c.observe(g)
	var pool []int // of nodes that g may read
	for i := range c.n {
		if above[i] {
			continue
		}
		if (c.table[i]^c.table[g])&care == 0 {
			c.replace(g, i)
			return c.compact()
		}
		pool = append(pool, i)
	}
	if w.rng.IntN(detour) == 0 {
		a, b := pool[w.rng.IntN(len(pool))], pool[w.rng.IntN(len(pool))]
		pool = append(pool, c.join(joins[w.rng.IntN(len(joins))], a, b))
	}
	gate, ok := w.choose(&c, pool, c.table[g], care)
	if !ok {
		return nil
	}
	c.gate[g] = gate
	return c.compact()
}

// choose picks one of all gates over pool that compute want wherever care has
// a 1, each with the same chance.
func (w *walker) choose(c *circuit, pool []int, want, care uint64) (chosen netlist.Gate, ok bool) {
	found := 0
	offer := func(j join, a, b int) {
		if found++; w.rng.IntN(found) > 0 {
			return
		}
		if j.reversed {
			a, b = b, a
		}
		chosen = netlist.Gate{Op: j.op, A: uint8(a), B: uint8(b)}
	}
	for k, a := range pool {
		if (^c.table[a]^want)&care == 0 {
			offer(join{op: netlist.Not}, a, a)
		}
		ok := joins[:]
		if onlyXor(c.table[a], want, care) {
			ok = joins[2:3]
		}
		for _, b := range pool[:k] {
			for _, j := range ok {
				if (j.apply(c.table[a], c.table[b])^want)&care == 0 {
					offer(j, a, b)
				}
			}
		}
	}
	return chosen, found > 0
}
