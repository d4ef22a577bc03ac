package main

import (
	"math"
	"math/rand/v2" //nolint:depguard // see main.go

	"pbochsm/mac/lanes/gen/netlist"
)

// registers is how many values the poorest core can hold at once; a value more
// has to wait in memory.
const registers = 10

// Effort of ordering, found by trying.
const (
	orderMoves = 20_000
	orderHeat  = 3 * perWait
)

// perWait weighs a value that waits in memory for the length of one gate
// against a value that waits in a register.
const perWait = 200

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
	for i := netlist.Inputs; i < c.n; i++ {
		o.seq = append(o.seq, i)
	}
	o.cost = o.waits()
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

// shift moves a random gate to another place between what it reads and what
// reads it, and back if that is too much worse.
func (o *ordering) shift(heat float64) {
	from := o.rng.IntN(len(o.seq))
	first, last := o.room(from)
	to := first + o.rng.IntN(last-first+1)
	o.move(from, to)
	if cost := o.waits(); cost <= o.cost || o.rng.Float64() < math.Exp(float64(o.cost-cost)/heat) {
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

// waits measures an order. A value waits from the gate that makes it, or an
// input from the gate that reads it first, to the last gate that reads it.
// Outputs leave at once.
func (o *ordering) waits() (cost int) {
	var first, last [maxNodes]int
	for i := range first {
		first[i] = -1
	}
	for place, g := range o.seq {
		first[g], last[g] = place, place
		for _, node := range []uint8{o.gate[g].A, o.gate[g].B} {
			if first[node] < 0 {
				first[node] = place
			}
			last[node] = place
		}
	}
	var change [maxNodes + 1]int
	for node := range o.n {
		change[first[node]]++
		change[last[node]]--
		cost += last[node] - first[node]
	}
	waiting := 0
	for place := range o.seq {
		waiting += change[place]
		cost += perWait * max(0, waiting-registers)
	}
	return cost
}
