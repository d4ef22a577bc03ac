package main

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"pbochsm/mac/lanes/gen/field"
	"pbochsm/mac/lanes/gen/netlist"
)

// A towerEffort is what one start may cost in the search for SM4.
type towerEffort struct {
	towers, bases int    // to look at
	tries         int    // to find few sums for the one chosen
	inverse       effort // in K
	order         int    // moves
}

// thorough is a few seconds' work.
var thorough = towerEffort{towers: 400, bases: 100, tries: 50, inverse: effort{builds: 4, moves: 100_000}, order: 100_000}

// start chooses a tower, and makes a circuit of it.
func (e towerEffort) start(number uint64) *netlist.Netlist {
	rng := rand.New(rand.NewPCG(0, number))
	d := e.design(rng)
	linear := d.circuit(e.inverse.find(d.inverseTables(), rng).netlist())
	constant := byte(field.ConstantSM4)
	n := complemented(linear, field.OuterSM4.Inverse().Of(constant), constant, rng)
	return ordered(n, e.order, rng)
}

// sm4Price compares circuits by their operations first. In these, waiting in
// memory has not been seen to cost anything.
func sm4Price(n *netlist.Netlist) int {
	inMemory, _ := waits(n, sequence(n))
	return operations(n)<<16 + inMemory
}

// A design is a tower with its sums. Its basis says which coordinates of N are
// added up to each input of the inverse.
type design struct {
	*tower
	basis         [4]byte
	linear        [4]byte // what the squares add to N, over the basis, as sums of bits that enter
	products      [9]byte // what each product adds to N, over the basis
	in, norm, out []sum
}

func (d *design) cost() int { return len(d.in) + len(d.norm) + len(d.out) }

// design finds a good one: the best bases of the best towers.
func (e towerEffort) design(rng *rand.Rand) *design {
	var all []*design
	for range e.towers {
		d := &design{tower: randomTower(rng)}
		d.in, d.out = sumsOf(d.entries(), rng), sumsOf(d.exits(), rng)
		all = append(all, d)
	}
	byCost := func(a, b *design) int { return cmp.Compare(a.cost(), b.cost()) }
	slices.SortStableFunc(all, byCost)
	all = all[:max(1, e.towers/100)]
	var best *design
	for _, d := range all {
		out := fewest(d.exits(), e.tries, rng)
		for range e.bases {
			d := newDesign(d.tower, randomBasis(rng))
			d.in, d.norm, d.out = sumsOf(d.entries(), rng), sumsOf(d.products[:], rng), out
			if best == nil || byCost(d, best) < 0 {
				best = d
			}
		}
	}
	best.in, best.norm = fewest(best.entries(), e.tries, rng), fewest(best.products[:], e.tries, rng)
	return best
}

func newDesign(t *tower, basis [4]byte) *design {
	d := &design{tower: t, basis: basis}
	for i, b := range basis {
		for j, square := range t.squares {
			d.linear[i] |= parity(b&square) << j
		}
		for k, product := range t.products {
			d.products[k] |= parity(b&product) << i
		}
	}
	return d
}

// randomBasis draws four independent sums of coordinates.
func randomBasis(rng *rand.Rand) (basis [4]byte) {
	for {
		for i := range basis {
			basis[i] = byte(1 + rng.IntN(15))
		}
		sums := spanned(basis[:]...)
		if slices.Sort(sums[:]); len(slices.Compact(sums[:])) == len(sums) {
			return basis
		}
	}
}

// entries are the sums of the bits that enter, without those that are 0.
func (d *design) entries() []byte {
	all := slices.Concat(d.a[:], d.b[:], d.linear[:])
	return slices.DeleteFunc(all, func(x byte) bool { return x == 0 })
}

// exits are what each product adds to what leaves.
func (d *design) exits() []byte { return slices.Concat(d.outA[:], d.outB[:]) }

// inverseTables are the truth tables of the nine factors of 1/N. N is the first
// four inputs, over the basis.
func (d *design) inverseTables() []uint64 {
	var ofBasis [16]byte
	for k := range byte(16) {
		inputs := byte(0)
		for _, b := range d.basis {
			inputs = inputs<<1 | parity(b&k)
		}
		ofBasis[inputs] = k
	}
	tables := make([]uint64, len(nine))
	for x := range 64 {
		inverse := d.inverse[ofBasis[x>>2]]
		for i, sum := range nine {
			tables[i] |= uint64(parity(inverse&sum)) << x
		}
	}
	return tables
}

// circuit puts all together, but for the constants of the affine maps.
func (d *design) circuit(inverse *netlist.Netlist) *netlist.Netlist {
	n := &netlist.Netlist{Inputs: 8}
	bit := map[byte]uint8{}
	for j := range 8 {
		bit[1<<j] = uint8(7 - j)
	}
	for _, g := range d.in {
		bit[g.a^g.b] = n.Add(netlist.Xor, bit[g.a], bit[g.b])
	}
	var products []uint8
	for i := range nine {
		products = append(products, n.Add(netlist.And, bit[d.a[i]], bit[d.b[i]]))
	}
	norm := backwards(n, d.norm, d.products[:], products, 4)
	for i, squares := range d.linear {
		if squares != 0 {
			norm[i] = n.Add(netlist.Xor, norm[i], bit[squares])
		}
	}
	factors := insert(n, inverse, norm)
	products = nil
	for _, entries := range [][9]byte{d.a, d.b} {
		for i, factor := range factors {
			products = append(products, n.Add(netlist.And, factor, bit[entries[i]]))
		}
	}
	n.Out = backwards(n, d.out, d.exits(), products, 8)
	slices.Reverse(n.Out) // leftmost first
	return n
}

// insert appends a circuit that has some inputs without meaning after these, and
// gives its outputs.
func insert(n, part *netlist.Netlist, inputs []uint8) (out []uint8) {
	nodes := inputs
	for len(nodes) < part.Inputs {
		nodes = append(nodes, inputs[0])
	}
	for _, g := range part.Gates {
		nodes = append(nodes, n.Add(g.Op, nodes[g.A], nodes[g.B]))
	}
	for _, o := range part.Out {
		out = append(out, nodes[o])
	}
	return out
}
