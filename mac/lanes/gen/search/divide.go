package main

import (
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/netlist"
)

// A builder adds functions to a circuit. It first looks for nodes that do the
// job with at most two gates more (few.go). Failing that it divides on one
// input: into a function for input 0 and one for input 1, each of which
// matters for half of the cases and shares what is there already.
type builder struct {
	circuit
	rng   *rand.Rand
	limit int                     // of nodes
	width [netlist.Inputs + 1]int // at each depth, how many divisions to try
}

// A division puts the halves together again as base ^ (diff op x). Where x
// forces the operand of op, base alone decides.
type division struct {
	x       int
	op      netlist.Op
	baseAt1 bool // base decides where x is 1
	negated bool // … as its complement, because diff | 1 is 1
}

// divisions lists the three ways to divide on each of the free inputs.
func divisions(free uint) (list []division) {
	for x := range netlist.Inputs {
		if free>>x&1 == 1 {
			list = append(list,
				division{x: x, op: netlist.And},
				division{x: x, op: netlist.AndNot, baseAt1: true},
				division{x: x, op: netlist.Or, baseAt1: true, negated: true})
		}
	}
	return list
}

// build gives a node that computes want wherever care has a 1, or -1 if the
// circuit would outgrow the limit. It may divide on the inputs in free.
func (b *builder) build(want, care uint64, free uint, depth int) int {
	if node := b.few(want, care); node >= 0 || b.n+2 > b.limit {
		return node
	}
	choices := divisions(free)
	b.rng.Shuffle(len(choices), func(i, j int) { choices[i], choices[j] = choices[j], choices[i] })
	start, limit := b.n, b.limit
	best, bestNode := b.circuit, -1
	for _, d := range choices[:min(len(choices), b.width[depth])] {
		b.n = start
		if node := b.divide(d, want, care, free, depth); node >= 0 {
			best, bestNode = b.circuit, node
			b.limit = b.n - 1
		}
	}
	b.circuit, b.limit = best, limit
	return bestNode
}

func (b *builder) divide(d division, want, care uint64, free uint, depth int) int {
	decided, differs := ^b.table[d.x], b.table[d.x]
	if d.baseAt1 {
		decided, differs = differs, decided
	}
	wantBase := want
	if d.negated {
		wantBase = ^want
	}
	free &^= 1 << d.x
	b.limit -= 2 // for the gates that put the halves together
	defer func() { b.limit += 2 }()
	base := b.build(wantBase, care&decided, free, depth+1)
	if base < 0 {
		return -1
	}
	diff := b.build(want^b.table[base], care&differs, free, depth+1)
	if diff < 0 {
		return -1
	}
	return b.share(netlist.Xor, base, b.share(d.op, diff, d.x))
}

// share gives a node that computes a op b, a new one only if there is none.
func (b *builder) share(op netlist.Op, a, c int) int {
	if node := b.find(op.Apply(b.table[a], b.table[c]), all); node >= 0 {
		return node
	}
	return b.add(op, a, c)
}

// construct builds all outputs of an S-box, in random order.
func (b *builder) construct(outputs []uint64) bool {
	b.circuit = *newCircuit(len(outputs))
	for _, o := range b.rng.Perm(len(outputs)) {
		node := b.build(outputs[o], all, 1<<netlist.Inputs-1, 0)
		if node < 0 {
			return false
		}
		b.out[o] = uint8(node)
	}
	return true
}
