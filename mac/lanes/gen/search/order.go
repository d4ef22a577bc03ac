package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"pbochsm/mac/lanes/gen/netlist"
)

// registers is how many the poorest core has for the values of an S-box. A
// value more has to wait in memory.
const registers = 10

// allNodes bounds the nodes of any circuit.
const allNodes = 1 << 8

// Habits of ordering, found by trying.
const (
	orderHeat = 3 * perWait
	perWait   = 200 // the weight of waiting in memory, against waiting in a register
)

// price compares circuits that are finished and ordered. It counts gates,
// AndNot twice, and an eighth for each gate that a value waits in memory,
// which is what it costs the plain Go core. It is in eighths.
func price(n *netlist.Netlist) int {
	inMemory, _ := waits(n, sequence(n))
	return 8*operations(n) + inMemory
}

func operations(n *netlist.Netlist) int {
	count := len(n.Gates)
	for _, g := range n.Gates {
		if g.Op == netlist.AndNot {
			count++
		}
	}
	return count
}

// An ordering arranges the gates of a finished circuit so that few values wait
// at any time. The order changes nothing else.
type ordering struct {
	*netlist.Netlist
	seq  []int // the nodes of the gates, in order
	rng  *rand.Rand
	cost int
}

// ordered gives the same circuit in the best order that annealing finds.
func ordered(n *netlist.Netlist, moves int, rng *rand.Rand) *netlist.Netlist {
	o := ordering{Netlist: n, seq: sequence(n), rng: rng}
	o.cost = o.waiting()
	best, bestCost := slices.Clone(o.seq), o.cost
	for move := range moves {
		o.shift(orderHeat * float64(moves-move) / float64(moves))
		if o.cost < bestCost {
			bestCost = o.cost
			copy(best, o.seq)
		}
	}
	to := &netlist.Netlist{Inputs: n.Inputs}
	var moved [allNodes]uint8
	for i := range n.Inputs {
		moved[i] = uint8(i)
	}
	for _, node := range best {
		g := n.Gates[node-n.Inputs]
		moved[node] = to.Add(g.Op, moved[g.A], moved[g.B])
	}
	for _, out := range n.Out {
		to.Out = append(to.Out, moved[out])
	}
	return to
}

// sequence is the gates in the order they have.
func sequence(n *netlist.Netlist) (seq []int) {
	for i := range n.Gates {
		seq = append(seq, n.Inputs+i)
	}
	return seq
}

// shift moves a random gate to another place between what it reads and what
// reads it, and back if that is too much worse.
func (o *ordering) shift(heat float64) {
	from := o.rng.IntN(len(o.seq))
	first, last := o.room(from)
	to := first + o.rng.IntN(last-first+1)
	o.move(from, to)
	if cost := o.waiting(); cost <= o.cost || o.rng.Float64() < math.Exp(float64(o.cost-cost)/heat) {
		o.cost = cost
		return
	}
	o.move(to, from)
}

// room gives the first and the last place that the gate at a place can take.
func (o *ordering) room(place int) (first, last int) {
	g := o.seq[place]
	first, last = 0, len(o.seq)-1
	for p, other := range o.seq {
		if o.reads(g, other) {
			first = p + 1
		}
		if o.reads(other, g) {
			last = p - 1
			break
		}
	}
	return first, last
}

func (o *ordering) reads(node, other int) bool {
	g := &o.Gates[node-o.Inputs]
	return int(g.A) == other || int(g.B) == other
}

func (o *ordering) move(from, to int) {
	g := o.seq[from]
	copy(o.seq[from:], o.seq[from+1:])
	copy(o.seq[to+1:], o.seq[to:len(o.seq)-1])
	o.seq[to] = g
}

// waiting weighs an order.
func (o *ordering) waiting() int {
	inMemory, inAll := waits(o.Netlist, o.seq)
	return perWait*inMemory + inAll
}

// waits measures how long values wait, in gates: those for which there is no
// register, and all. A value waits from the gate that makes it, or an input
// from the gate that reads it first, to the last gate that reads it. Outputs
// leave at once.
func waits(n *netlist.Netlist, seq []int) (inMemory, inAll int) {
	var first, last [allNodes]int
	for i := range first {
		first[i] = -1
	}
	for place, node := range seq {
		first[node], last[node] = place, place
		g := &n.Gates[node-n.Inputs]
		for _, read := range [2]uint8{g.A, g.B} {
			if first[read] < 0 {
				first[read] = place
			}
			last[read] = place
		}
	}
	var change [allNodes + 1]int
	for node := range n.Inputs + len(n.Gates) {
		if first[node] < 0 {
			continue
		}
		change[first[node]]++
		change[last[node]]--
		inAll += last[node] - first[node]
	}
	waiting := 0
	for place := range seq {
		waiting += change[place]
		inMemory += max(0, waiting-registers)
	}
	return inMemory, inAll
}
