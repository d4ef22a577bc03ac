package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"pbochsm/mac/lanes/gen/netlist"
)

// A mesh computes what the circuit does that it was made of, before and after
// a ramble, and the ramble makes it smaller.
func TestRambleKeepsTheBox(t *testing.T) {
	for box := 1; box <= 8; box++ {
		n, err := netlist.Box(box)
		if err != nil {
			t.Fatal(err)
		}
		m := meshOf(n)
		if err := netlist.DES(box).Prove(m.netlist()); err != nil {
			t.Fatal(err)
		}
		r := rambler{m.compact(), rand.New(rand.NewPCG(1, uint64(box)))}
		small := r.ramble(300)
		if err := netlist.DES(box).Prove(small.netlist()); err != nil {
			t.Error(err)
		}
		if small.gates() > 45 {
			t.Errorf("S%d in %d lookup gates", box, small.gates())
		}
	}
}

func TestMeshIsBuiltByDivision(t *testing.T) {
	for _, box := range []int{2, 7} {
		m := built(box, rand.New(rand.NewPCG(2, 2)))
		if err := netlist.DES(box).Prove(m.netlist()); err != nil {
			t.Error(err)
		}
		if m.gates() > 45 {
			t.Errorf("S%d in %d lookup gates", box, m.gates())
		}
	}
}

// A gate reads the complement of a node when its table is turned.
func TestTurnedTable(t *testing.T) {
	for table := range 256 {
		for k := range 3 {
			in := [3]uint64{0xF0, 0xCC, 0xAA}
			want := netlist.LookUp(uint8(table), in[0], in[1], in[2])
			in[k] = ^in[k]
			if got := netlist.LookUp(turned(uint8(table), k), in[0], in[1], in[2]); got&0xFF != want&0xFF {
				t.Fatalf("table %02x, node %d: %02x, want %02x", table, k, got&0xFF, want&0xFF)
			}
		}
	}
}

// The start that a file names finds what is in the file; the smallest box
// stands for all, because of the time.
func TestStartFindsItsMeshAgain(t *testing.T) {
	text, err := os.ReadFile("../netlist/lookup4.txt")
	if err != nil {
		t.Fatal(err)
	}
	var gates, box int
	var number uint64
	if _, err := fmt.Sscanf(string(text), "# S-box %d, %d gates. Found by:\n# go run ./mac/lanes/gen/search -lookup -box 4 -from %d", &box, &gates, &number); err != nil {
		t.Fatal(err)
	}
	kept, err := netlist.LookupBox(box)
	if err != nil {
		t.Fatal(err)
	}
	found, err := startLookup(box, number)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Gates) != gates || found.String() != kept.String() {
		t.Errorf("start %d finds %d gates\n%s\nand the file has %d\n%s", number, len(found.Gates), found, gates, kept)
	}
}
