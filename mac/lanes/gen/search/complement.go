package main

import (
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/netlist"
)

// complementings is how often to begin anew to look for places of Not.
const complementings = 100

// complemented gives a circuit of n(x^in)^out. A gate can read and make
// complements as it can values, if it is exchanged for another: that costs a
// gate only where And or Or read one of each. So the question is at which nodes
// a Not brings about that there is little to be paid elsewhere.
func complemented(n *netlist.Netlist, in, out byte, rng *rand.Rand) *netlist.Netlist {
	var best *netlist.Netlist
	for range complementings {
		nots := make([]bool, n.Inputs+len(n.Gates))
		for range rng.IntN(8) {
			nots[rng.IntN(len(nots))] = true
		}
		c := withNots(n, in, out, nots)
		for better := true; better; {
			better = false
			for _, node := range rng.Perm(len(nots)) {
				nots[node] = !nots[node]
				if next := withNots(n, in, out, nots); operations(next) < operations(c) {
					c, better = next, true
				} else {
					nots[node] = !nots[node]
				}
			}
		}
		if best == nil || operations(c) < operations(best) {
			best = c
		}
	}
	return best
}

// A signal is a node, or the complement of one.
type signal struct {
	node    uint8
	flipped bool
}

// withNots has a Not at some nodes, and at outputs where there must be one.
func withNots(n *netlist.Netlist, in, out byte, nots []bool) *netlist.Netlist {
	to := &netlist.Netlist{Inputs: n.Inputs}
	invert := func(s signal) signal { return signal{to.Add(netlist.Not, s.node, s.node), !s.flipped} }
	var signals []signal
	for node, not := range nots {
		var s signal
		if node < n.Inputs {
			s = signal{uint8(node), in>>(n.Inputs-1-node)&1 == 1}
		} else {
			g := n.Gates[node-n.Inputs]
			s = gateOf(to, g.Op, signals[g.A], signals[g.B])
		}
		if not {
			s = invert(s)
		}
		signals = append(signals, s)
	}
	for i, o := range n.Out {
		s := signals[o]
		if s.flipped != (out>>(len(n.Out)-1-i)&1 == 1) {
			s = invert(s)
		}
		to.Out = append(to.Out, s.node)
	}
	return to
}

// gateOf appends what op makes of a and b, or its complement.
func gateOf(to *netlist.Netlist, op netlist.Op, a, b signal) signal {
	switch op {
	case netlist.Not:
		return signal{a.node, !a.flipped}
	case netlist.Xor:
		return signal{to.Add(op, a.node, b.node), a.flipped != b.flipped}
	case netlist.AndNot:
		return gateOf(to, netlist.And, a, signal{b.node, !b.flipped})
	case netlist.Or: // the complement of both complements
		s := gateOf(to, netlist.And, signal{a.node, !a.flipped}, signal{b.node, !b.flipped})
		return signal{s.node, !s.flipped}
	}
	switch {
	case a.flipped && b.flipped:
		return signal{to.Add(netlist.Or, a.node, b.node), true}
	case a.flipped:
		return signal{to.Add(netlist.AndNot, b.node, a.node), false}
	case b.flipped:
		return signal{to.Add(netlist.AndNot, a.node, b.node), false}
	}
	return signal{to.Add(netlist.And, a.node, b.node), false}
}
