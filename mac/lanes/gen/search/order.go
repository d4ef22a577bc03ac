package main

import (
	"math"
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/netlist"
)

// registers is how many the poorest core has for the values of an S-box. A
// value more has to wait in memory.
const registers = 10

// Effort of ordering, found by trying.
const (
	orderMoves = 20_000
	orderHeat  = 3 * perWait
	perWait    = 200 // the weight of waiting in memory, against waiting in a register
)

// An ordering arranges the gates of a finished circuit so that few values wait
// at any time. The order changes nothing else.
type ordering struct {
	*circuit
	seq  []int // the gates, in order
	rng  *rand.Rand
	cost int
}

// ordered gives the same circuit in the best order that annealing finds.
func ordered(c *circuit, rng *rand.Rand) *circuit {
	o := ordering{circuit: c, rng: rng}
	o.seq = c.sequence()
	o.cost = o.waiting()
	best, bestCost := append([]int(nil), o.seq...), o.cost
	for move := range orderMoves {
		o.shift(orderHeat * float64(orderMoves-move) / orderMoves)
		if o.cost < bestCost {
			bestCost = o.cost
			copy(best, o.seq)
		}
	}
	to := newCircuit()
	moved := [maxNodes]int{0, 1, 2, 3, 4, 5}
	for _, i := range best {
		to.copy(c, i, &moved)
	}
	for i := range c.out {
		to.out[i] = uint8(moved[c.out[i]])
	}
	return to
}

// sequence is the gates in the order they have.
func (c *circuit) sequence() (seq []int) {
	for i := netlist.Inputs; i < c.n; i++ {
		seq = append(seq, i)
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

func (c *circuit) reads(g, node int) bool {
	return int(c.gate[g].A) == node || int(c.gate[g].B) == node
}

func (o *ordering) move(from, to int) {
	g := o.seq[from]
	copy(o.seq[from:], o.seq[from+1:])
	copy(o.seq[to+1:], o.seq[to:len(o.seq)-1])
	o.seq[to] = g
}

// waiting weighs an order.
func (o *ordering) waiting() int {
	inMemory, inAll := o.waits(o.seq)
	return perWait*inMemory + inAll
}

// waits measures how long values wait, in gates: those for which there is no
// register, and all. A value waits from the gate that makes it, or an input
// from the gate that reads it first, to the last gate that reads it. Outputs
// leave at once.
func (c *circuit) waits(seq []int) (inMemory, inAll int) {
	var first, last [maxNodes]int
	for i := range first {
		first[i] = -1
	}
	for place, g := range seq {
		first[g], last[g] = place, place
		for _, node := range [2]uint8{c.gate[g].A, c.gate[g].B} {
			if first[node] < 0 {
				first[node] = place
			}
			last[node] = place
		}
	}
	var change [maxNodes + 1]int
	for node := range c.n {
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
