package netlist_test

import (
	"fmt"
	"slices"
	"testing"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/gbt32907"
	"pbochsm/mac/lanes/gen/netlist"
)

// evaluate runs a circuit on one input, gate by gate, on single bits.
func evaluate(n *netlist.Netlist, in int) (out int) {
	var nodes []bool
	for i := range n.Inputs {
		nodes = append(nodes, in>>(n.Inputs-1-i)&1 == 1)
	}
	for _, g := range n.Gates {
		a, b := nodes[g.A], nodes[g.B]
		v := !a
		switch g.Op {
		case netlist.And:
			v = a && b
		case netlist.Or:
			v = a || b
		case netlist.Xor:
			v = a != b
		case netlist.AndNot:
			v = a && !b
		case netlist.Lookup:
			row := 0
			for _, bit := range []bool{a, b, nodes[g.C]} {
				row <<= 1
				if bit {
					row |= 1
				}
			}
			v = g.Table>>row&1 == 1
		}
		nodes = append(nodes, v)
	}
	for _, o := range n.Out {
		out <<= 1
		if nodes[o] {
			out |= 1
		}
	}
	return out
}

// Both circuits of a box, and how many gates the eight may have together.
var kinds = map[string]struct {
	box  func(int) (*netlist.Netlist, error)
	most int
	op   func(netlist.Op) bool
}{
	"ordinary": {netlist.Box, 8 * 54, func(o netlist.Op) bool { return o != netlist.Lookup }},
	"lookup":   {netlist.LookupBox, 8 * 27, func(o netlist.Op) bool { return o == netlist.Lookup }},
}

func TestBoxesAreTheStandards(t *testing.T) {
	for name, kind := range kinds {
		for box := 1; box <= 8; box++ {
			t.Run(fmt.Sprintf("%s S%d", name, box), func(t *testing.T) {
				n, err := kind.box(box)
				if err != nil {
					t.Fatal(err)
				}
				for in := range 64 {
					if got, want := evaluate(n, in), fips46.Substitute(box, in); got != want {
						t.Errorf("S%d(%06b) = %04b, want %04b", box, in, got, want)
					}
				}
			})
		}
	}
}

func TestSM4BoxIsTheStandards(t *testing.T) {
	n, err := netlist.SM4Box()
	if err != nil {
		t.Fatal(err)
	}
	for in := range 256 {
		if got, want := evaluate(n, in), int(gbt32907.Substitute(byte(in))); got != want {
			t.Errorf("S(%02X) = %02X, want %02X", in, got, want)
		}
	}
	if len(n.Gates) > 120 {
		t.Errorf("%d gates, want at most 120", len(n.Gates))
	}
}

func TestProveTellsOutputsOfSM4Apart(t *testing.T) {
	n, err := netlist.SM4Box()
	if err != nil {
		t.Fatal(err)
	}
	for i := range n.Out {
		wrong := &netlist.Netlist{Inputs: n.Inputs, Gates: n.Gates, Out: slices.Clone(n.Out)}
		wrong.Out[i] = n.Out[(i+1)%8]
		if netlist.SM4.Prove(wrong) == nil {
			t.Errorf("the circuit with another output in the place of output %d is still taken for the S-box", i)
		}
		if netlist.SM4.Prove(&netlist.Netlist{Inputs: n.Inputs, Gates: n.Gates, Out: n.Out[:i]}) == nil {
			t.Errorf("the circuit with %d outputs is taken for the S-box", i)
		}
	}
	for i := range n.Gates {
		wrong := &netlist.Netlist{Inputs: n.Inputs, Gates: slices.Clone(n.Gates), Out: n.Out}
		if g := &wrong.Gates[i]; g.Op == netlist.Xor {
			g.Op = netlist.Or
		} else {
			g.Op, g.B = netlist.Xor, g.A
		}
		if netlist.SM4.Prove(wrong) == nil {
			t.Errorf("the circuit with another gate %d is still taken for the S-box", i)
		}
	}
}

// The circuits are small: that is what the search is for.
func TestBoxesAreSmall(t *testing.T) {
	for name, kind := range kinds {
		total := 0
		for box := 1; box <= 8; box++ {
			n, err := kind.box(box)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range n.Gates {
				if !kind.op(g.Op) {
					t.Errorf("%s S%d has a gate %v", name, box, g.Op)
				}
			}
			total += len(n.Gates)
		}
		if total > kind.most {
			t.Errorf("%s: %d gates in eight S-boxes, want at most %d", name, total, kind.most)
		}
	}
}

// Each row of a truth table is the one that three bits choose.
func TestLookUp(t *testing.T) {
	for table := range 256 {
		for row := range 8 {
			a, b, c := uint64(row>>2&1), uint64(row>>1&1), uint64(row&1)
			if got, want := netlist.LookUp(uint8(table), a, b, c)&1, uint64(table>>row&1); got != want {
				t.Fatalf("table %02x, %03b: %d, want %d", table, row, got, want)
			}
		}
	}
}

func TestProveTellsBoxesAndOutputsApart(t *testing.T) {
	for box := 1; box <= 8; box++ {
		n, err := netlist.Box(box)
		if err != nil {
			t.Fatal(err)
		}
		for other := 1; other <= 8; other++ {
			if err := netlist.DES(other).Prove(n); (err == nil) != (other == box) {
				t.Errorf("the circuit of S%d taken for S%d: %v", box, other, err)
			}
		}
		for i := range n.Out {
			wrong := &netlist.Netlist{Inputs: n.Inputs, Gates: n.Gates, Out: slices.Clone(n.Out)}
			wrong.Out[i] = n.Out[(i+1)%netlist.Outputs]
			if netlist.DES(box).Prove(wrong) == nil {
				t.Errorf("S%d with another output in the place of output %d is still taken for S%d", box, i, box)
			}
		}
	}
}

func TestBoxRefusesOtherNumbers(t *testing.T) {
	for name, kind := range kinds {
		for _, box := range []int{0, 9, -1} {
			if n, err := kind.box(box); err == nil {
				t.Errorf("%s %d is %v", name, box, n)
			}
		}
	}
}
