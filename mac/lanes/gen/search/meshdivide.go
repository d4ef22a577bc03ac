package main

import (
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/netlist"
)

// A meshBuilder adds functions to a mesh. If no node and no gate of three
// nodes does the job, it divides on one input: into a function for input 0 and
// one for input 1, each of which matters for half of the cases and shares what
// is there already. A gate of three chooses between them.
type meshBuilder struct {
	mesh
	rng   *rand.Rand
	limit int                     // of nodes
	width [netlist.Inputs + 1]int // at each depth, how many divisions to try
}

// build gives a node that computes want wherever care has a 1, or -1 if the
// mesh would outgrow the limit. It may divide on the inputs in free.
func (b *meshBuilder) build(want, care uint64, free uint, depth int) int {
	if node := b.find(want, care); node >= 0 || b.n >= b.limit {
		return node
	}
	if in, ok := b.triple(b.shuffled(), want, care, [3]uint8{none, none, none}); ok {
		return b.add(lookup{in, b.fit(in, want, care, b.rng)})
	}
	var choices []int
	for _, x := range b.rng.Perm(netlist.Inputs) {
		if free>>x&1 == 1 {
			choices = append(choices, x)
		}
	}
	start, limit := b.n, b.limit
	best, bestNode := b.mesh, -1
	for _, x := range choices[:min(len(choices), b.width[depth])] {
		b.n = start
		if node := b.divide(x, want, care, free, depth); node >= 0 {
			best, bestNode = b.mesh, node
			b.limit = b.n - 1
		}
	}
	b.mesh, b.limit = best, limit
	return bestNode
}

// none is no node.
const none = 0xFF

func (b *meshBuilder) divide(x int, want, care uint64, free uint, depth int) int {
	free &^= 1 << x
	b.limit--
	defer func() { b.limit++ }()
	at0 := b.build(want, care&^b.table[x], free, depth+1)
	if at0 < 0 {
		return -1
	}
	at1 := b.build(want, care&b.table[x], free, depth+1)
	if at1 < 0 {
		return -1
	}
	in := [3]uint8{uint8(x), uint8(at0), uint8(at1)}
	return b.add(lookup{in, b.fit(in, want, care, b.rng)})
}

func (b *meshBuilder) shuffled() []uint8 {
	pool := make([]uint8, b.n)
	for i, node := range b.rng.Perm(b.n) {
		pool[i] = uint8(node)
	}
	return pool
}

// construct builds all outputs of an S-box, in random order.
func (b *meshBuilder) construct(outputs []uint64) bool {
	b.mesh = *newMesh()
	for _, o := range b.rng.Perm(len(outputs)) {
		node := b.build(outputs[o], all, 1<<netlist.Inputs-1, 0)
		if node < 0 {
			return false
		}
		b.out[o] = uint8(node)
	}
	return true
}
