package netlist_test

import (
	"fmt"
	"testing"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/netlist"
)

// evaluate runs a circuit on one input, gate by gate, on single bits.
func evaluate(n *netlist.Netlist, in int) (out int) {
	var nodes []bool
	for i := range netlist.Inputs {
		nodes = append(nodes, in>>(netlist.Inputs-1-i)&1 == 1)
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

func TestBoxesAreTheStandards(t *testing.T) {
	for box := 1; box <= 8; box++ {
		t.Run(fmt.Sprintf("S%d", box), func(t *testing.T) {
			n, err := netlist.Box(box)
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

// The circuits are small: that is what the search is for.
func TestBoxesAreSmall(t *testing.T) {
	total := 0
	for box := 1; box <= 8; box++ {
		n, err := netlist.Box(box)
		if err != nil {
			t.Fatal(err)
		}
		total += len(n.Gates)
	}
	if total > 8*54 {
		t.Errorf("%d gates in eight S-boxes, want at most %d", total, 8*54)
	}
}

func TestProveTellsBoxesAndOutputsApart(t *testing.T) {
	for box := 1; box <= 8; box++ {
		n, err := netlist.Box(box)
		if err != nil {
			t.Fatal(err)
		}
		for other := 1; other <= 8; other++ {
			if err := n.Prove(other); (err == nil) != (other == box) {
				t.Errorf("the circuit of S%d taken for S%d: %v", box, other, err)
			}
		}
		for i := range n.Out {
			wrong := *n
			wrong.Out[i] = n.Out[(i+1)%netlist.Outputs]
			if wrong.Prove(box) == nil {
				t.Errorf("S%d with another output in the place of output %d is still taken for S%d", box, i, box)
			}
		}
	}
}

func TestBoxRefusesOtherNumbers(t *testing.T) {
	for _, box := range []int{0, 9, -1} {
		if n, err := netlist.Box(box); err == nil {
			t.Errorf("Box(%d) = %v", box, n)
		}
	}
}
