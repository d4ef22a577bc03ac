package main

import (
	"slices"

	"pbochsm/mac/lanes/gen/netlist"
)

// maxNodes bounds a circuit at work; the largest S-box needs half of it.
const maxNodes = 128

// A circuit is a netlist in the making. The truth table of each node is kept
// beside it: 64 bits say everything about a function of six inputs.
type circuit struct {
	n     int // nodes, inputs included
	gate  [maxNodes]netlist.Gate
	table [maxNodes]uint64
	out   []uint8
}

// given is the truth tables of six inputs.
var given = netlist.DES(1).Given(0)

func newCircuit(outputs int) *circuit {
	c := &circuit{n: netlist.Inputs, out: make([]uint8, outputs)}
	copy(c.table[:], given)
	return c
}

func (c *circuit) gates() int { return c.n - netlist.Inputs }

// cost compares circuits on a walk: by size and, where that is the same, by
// the number of AndNot, for which some processors need two instructions.
func (c *circuit) cost() int { return maxNodes*c.gates() + c.count(netlist.AndNot) }

func (c *circuit) count(op netlist.Op) (count int) {
	for _, g := range c.gate[netlist.Inputs:c.n] {
		if g.Op == op {
			count++
		}
	}
	return count
}

// add appends a gate and gives its node.
func (c *circuit) add(op netlist.Op, a, b int) int {
	c.gate[c.n] = netlist.Gate{Op: op, A: uint8(a), B: uint8(b)}
	c.table[c.n] = op.Apply(c.table[a], c.table[b])
	c.n++
	return c.n - 1
}

// find gives a node that computes want wherever care has a 1, or -1.
func (c *circuit) find(want, care uint64) int {
	for i, t := range c.table[:c.n] {
		if (t^want)&care == 0 {
			return i
		}
	}
	return -1
}

// netlist gives the circuit its final form.
func (c *circuit) netlist() *netlist.Netlist {
	return &netlist.Netlist{
		Inputs: netlist.Inputs, Gates: slices.Clone(c.gate[netlist.Inputs:c.n]), Out: slices.Clone(c.out),
	}
}

// replace makes everything that reads node old read node by.
func (c *circuit) replace(old, by int) {
	o, b := uint8(old), uint8(by)
	for i := netlist.Inputs; i < c.n; i++ {
		if c.gate[i].A == o {
			c.gate[i].A = b
		}
		if c.gate[i].B == o {
			c.gate[i].B = b
		}
	}
	for i := range c.out {
		if c.out[i] == o {
			c.out[i] = b
		}
	}
}

// compact sorts the gates so that each reads earlier nodes, drops those that
// no output needs, and merges those that compute the same.
func (c *circuit) compact() *circuit {
	k := compactor{from: c, to: newCircuit(len(c.out))}
	for i := range netlist.Inputs {
		k.moved[i] = i + 1
	}
	for o := range c.out {
		k.to.out[o] = uint8(k.move(int(c.out[o])))
	}
	return k.to
}

type compactor struct {
	from, to *circuit
	moved    [maxNodes]int // the new node plus one, or zero
}

func (k *compactor) move(node int) int {
	if k.moved[node] > 0 {
		return k.moved[node] - 1
	}
	g := k.from.gate[node]
	a := k.move(int(g.A))
	b := a
	if g.Op.Reads() > 1 {
		b = k.move(int(g.B))
	}
	to := k.to.find(g.Op.Apply(k.to.table[a], k.to.table[b]), all)
	if to < 0 {
		to = k.to.add(g.Op, a, b)
	}
	k.moved[node] = to + 1
	return to
}

// all is the care set of a function that matters for every input.
const all = ^uint64(0)
