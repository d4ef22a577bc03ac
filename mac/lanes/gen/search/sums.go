package main

import (
	"math/rand/v2"
	"slices"

	"pbochsm/mac/lanes/gen/netlist"
)

// A sum is a gate that adds two sums of inputs, each given by a bit for every
// input in it.
type sum struct{ a, b byte }

// sumsOf gives gates that make each of the targets from single bits, in their
// order. It goes on, after J. Boyar, P. Matthews and R. Peralta, Logic
// Minimization Techniques with Applications to Cryptology (2013), with the sum
// that brings the targets nearest: a target is as far as there must be sums made
// already to add up to it. Where sums are equally good, chance decides.
func sumsOf(targets []byte, rng *rand.Rand) []sum {
	s := summer{rng: rng}
	for x := range s.far {
		s.far[x] = 1 << 7
	}
	s.far[0] = 0
	for i := range 8 {
		s.has(1 << i)
	}
	for _, t := range targets {
		if s.far[t] > 1 && !slices.Contains(s.left, t) {
			s.left = append(s.left, t)
		}
	}
	for len(s.left) > 0 {
		best := s.finishing()
		if best == (sum{}) {
			best = s.nearest()
		}
		s.gates = append(s.gates, best)
		s.has(best.a ^ best.b)
		s.left = slices.DeleteFunc(s.left, func(t byte) bool { return s.far[t] == 1 })
	}
	return s.gates
}

// A summer is at work on sums.
type summer struct {
	made  []byte
	gates []sum
	far   [256]int // how many sums that are made add up to each
	left  []byte   // targets
	rng   *rand.Rand
}

// has takes note of a sum that is made.
func (s *summer) has(x byte) {
	s.made = append(s.made, x)
	before := s.far
	for y := range s.far {
		s.far[y] = min(before[y], before[byte(y)^x]+1)
	}
}

// finishing gives a gate that makes a target, or none.
func (s *summer) finishing() (found sum) {
	at := slices.IndexFunc(s.left, func(t byte) bool { return s.far[t] == 2 })
	if at < 0 {
		return sum{}
	}
	count := 0
	for _, a := range s.made {
		if b := a ^ s.left[at]; a < b && s.far[b] == 1 {
			if count++; s.rng.IntN(count) == 0 {
				found = sum{a, b}
			}
		}
	}
	return found
}

// nearest gives the gate after which the targets are nearest, and the farthest
// of them farther.
func (s *summer) nearest() (found sum) {
	best, count := 0, 0
	for i, a := range s.made {
		for _, b := range s.made[:i] {
			x := a ^ b
			if s.far[x] == 1 {
				continue
			}
			near, spread := 0, 0
			for _, t := range s.left {
				d := min(s.far[t], s.far[t^x]+1)
				near -= d
				spread += d * d
			}
			score := near<<16 + spread
			if count > 0 && score < best {
				continue
			}
			if count > 0 && score > best {
				count = 0
			}
			best = score
			if count++; s.rng.IntN(count) == 0 {
				found = sum{a, b}
			}
		}
	}
	return found
}

// fewest is the best of several tries.
func fewest(targets []byte, tries int, rng *rand.Rand) (best []sum) {
	for try := range tries {
		if gates := sumsOf(targets, rng); try == 0 || len(gates) < len(best) {
			best = gates
		}
	}
	return best
}

// backwards appends the gates that do the reverse: each node belongs to a
// target, and the sum of the nodes of all targets that bit i is in is output i.
// A circuit of sums, read from its end to its beginning, does just that, with
// nodes added where a node was used more than once.
func backwards(n *netlist.Netlist, gates []sum, targets []byte, nodes []uint8, outputs int) (out []uint8) {
	at := map[byte]uint8{}
	add := func(x byte, node uint8) {
		if other, ok := at[x]; ok {
			node = n.Add(netlist.Xor, other, node)
		}
		at[x] = node
	}
	for i, t := range targets {
		add(t, nodes[i])
	}
	for _, g := range slices.Backward(gates) {
		node := at[g.a^g.b]
		add(g.a, node)
		add(g.b, node)
	}
	for i := range outputs {
		out = append(out, at[1<<i])
	}
	return out
}
