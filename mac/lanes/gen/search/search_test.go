package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pbochsm/mac/lanes/gen/netlist"
)

// The search is the source of the kept circuits: the start that a file names
// finds what is in the file. One box stands for all, because of the time.
func TestStartFindsItsCircuitAgain(t *testing.T) {
	text, err := os.ReadFile("../netlist/s4.txt")
	if err != nil {
		t.Fatal(err)
	}
	var gates, box int
	var number uint64
	if _, err := fmt.Sscanf(string(text), "# S-box 4, %d gates. Found by:\n# go run ./mac/lanes/gen/search -box %d -from %d", &gates, &box, &number); err != nil {
		t.Fatal(err)
	}
	found := full.start(box, number).netlist()
	kept, err := netlist.Box(box)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Gates) != gates || found.String() != kept.String() {
		t.Errorf("start %d finds %d gates\n%s\nand the file has %d\n%s", number, len(found.Gates), found, gates, kept)
	}
}

func TestEveryBoxIsFound(t *testing.T) {
	for box := 1; box <= 8; box++ {
		little := effort{builds: 1, moves: 1000}
		n := little.start(box, 1).netlist()
		if err := n.Prove(box); err != nil {
			t.Error(err)
		}
		if len(n.Gates) > 90 {
			t.Errorf("S%d in %d gates", box, len(n.Gates))
		}
	}
}

func TestOrderOnlyMovesGates(t *testing.T) {
	for box := 1; box <= 8; box++ {
		n, err := netlist.Box(box)
		if err != nil {
			t.Fatal(err)
		}
		c := newCircuit()
		for _, g := range n.Gates {
			c.add(g.Op, int(g.A), int(g.B))
		}
		c.out = n.Out
		got := ordered(c, rand.New(rand.NewPCG(1, 1))).netlist()
		if err := got.Prove(box); err != nil {
			t.Error(err)
		}
		if len(got.Gates) != len(n.Gates) {
			t.Errorf("S%d: %d gates became %d", box, len(n.Gates), len(got.Gates))
		}
	}
}

func TestKeepPrefersTheSmaller(t *testing.T) {
	const box = 4
	small, err := netlist.Box(box)
	if err != nil {
		t.Fatal(err)
	}
	large := (effort{builds: 1}).start(box, 2).netlist()
	if len(large.Gates) <= len(small.Gates) {
		t.Fatalf("one build alone has %d gates", len(large.Gates))
	}
	dir := t.TempDir()
	for i, step := range []struct {
		offer *netlist.Netlist
		gates int
	}{{large, len(large.Gates)}, {small, len(small.Gates)}, {large, len(small.Gates)}} {
		if err := kinds[false].keep(dir, box, 1, step.offer); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "s4.txt"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := netlist.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(n.Gates) != step.gates {
			t.Errorf("step %d: %d gates are kept, want %d", i, len(n.Gates), step.gates)
		}
	}
}

func TestKeepRefusesAWrongCircuit(t *testing.T) {
	n, err := netlist.Box(4)
	if err != nil {
		t.Fatal(err)
	}
	if err := kinds[false].keep(t.TempDir(), 5, 1, n); err == nil {
		t.Error("the circuit of S4 is kept as S5")
	}
}
