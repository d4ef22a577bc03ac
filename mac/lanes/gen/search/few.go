package main

import "pbochsm/mac/lanes/gen/netlist"

// A join is a gate of two nodes, of which the second may come first.
type join struct {
	op       netlist.Op
	reversed bool
}

var joins = [...]join{
	{op: netlist.And}, {op: netlist.Or}, {op: netlist.Xor}, {op: netlist.AndNot}, {op: netlist.AndNot, reversed: true},
}

func (j join) apply(a, b uint64) uint64 {
	if j.reversed {
		a, b = b, a
	}
	return j.op.Apply(a, b)
}

func (c *circuit) join(j join, a, b int) int {
	if j.reversed {
		a, b = b, a
	}
	return c.add(j.op, a, b)
}

// few gives a node that computes want wherever care has a 1, adding two gates
// at most, or -1.
func (b *builder) few(want, care uint64) int {
	node := b.find(want, care)
	if node < 0 && b.n < b.limit {
		node = b.one(want, care)
	}
	if node < 0 && b.n+1 < b.limit {
		node = b.two(want, care)
	}
	return node
}

func (b *builder) one(want, care uint64) int {
	if node := b.find(^want, care); node >= 0 {
		return b.add(netlist.Not, node, node)
	}
	first := b.rng.IntN(b.n)
	for k := range b.n {
		i := (first + k) % b.n
		if j, with := b.partner(b.table[i], want, care); with >= 0 {
			return b.join(j, i, with)
		}
	}
	return -1
}

func (b *builder) two(want, care uint64) int {
	first := b.rng.IntN(b.n)
	for k := range b.n {
		i := (first + k) % b.n
		for i2 := range i {
			for _, inner := range joins {
				v := inner.apply(b.table[i], b.table[i2])
				if outer, with := b.partner(v, want, care); with >= 0 {
					return b.join(outer, b.join(inner, i, i2), with)
				}
			}
		}
	}
	return -1
}

// partner finds a node that, joined to a node with table v, gives want
// wherever care has a 1. It gives -1 if there is none.
func (c *circuit) partner(v, want, care uint64) (join, int) {
	if onlyXor(v, want, care) {
		return joins[2], c.find(v^want, care)
	}
	for i, t := range c.table[:c.n] {
		switch want & care {
		case v & t & care:
			return joins[0], i
		case (v | t) & care:
			return joins[1], i
		case (v ^ t) & care:
			return joins[2], i
		case v &^ t & care:
			return joins[3], i
		case t &^ v & care:
			return joins[4], i
		}
	}
	return join{}, -1
}

// onlyXor tells whether no other gate can make want of v: v neither covers
// want, nor lies within it, nor avoids it.
func onlyXor(v, want, care uint64) bool {
	return want&^v&care != 0 && v&^want&care != 0 && v&want&care != 0
}
