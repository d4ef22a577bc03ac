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
	found := full.start(box, number)
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
		n := little.start(box, 1)
		if err := netlist.DES(box).Prove(n); err != nil {
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
		got := ordered(n, 1000, rand.New(rand.NewPCG(1, 1)))
		if err := netlist.DES(box).Prove(got); err != nil {
			t.Error(err)
		}
		if len(got.Gates) != len(n.Gates) {
			t.Errorf("S%d: %d gates became %d", box, len(n.Gates), len(got.Gates))
		}
	}
}

func TestKeepPrefersTheBetter(t *testing.T) {
	const box = 4
	n, err := netlist.Box(box)
	if err != nil {
		t.Fatal(err)
	}
	good, poor := n, (effort{builds: 1}).start(box, 2)
	if price(poor) <= price(good) {
		t.Fatalf("one build alone has the price %d, the kept circuit %d", price(poor), price(good))
	}
	dir := t.TempDir()
	for i, step := range []struct{ offer, want *netlist.Netlist }{{poor, poor}, {good, good}, {poor, good}} {
		if err := ordinary.keep(dir, box, 1, step.offer); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "s4.txt"))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := netlist.DES(box).Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if kept.String() != step.want.String() {
			t.Errorf("step %d: %d gates are kept, want %d", i, len(kept.Gates), len(step.want.Gates))
		}
	}
}

func TestKeepRefusesAWrongCircuit(t *testing.T) {
	n, err := netlist.Box(4)
	if err != nil {
		t.Fatal(err)
	}
	if err := ordinary.keep(t.TempDir(), 5, 1, n); err == nil {
		t.Error("the circuit of S4 is kept as S5")
	}
}

// The price goes up with gates, with AndNot, and with values that wait.
func TestPrice(t *testing.T) {
	parse := func(text string) int {
		n, err := netlist.DES(1).Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return price(n)
	}
	and := parse("6 and 0 1\n7 and 6 2\n8 and 7 3\n9 and 8 4\n10 and 9 5\nout 10 10 10 10\n")
	andNot := parse("6 and 0 1\n7 andn 6 2\n8 and 7 3\n9 and 8 4\n10 and 9 5\nout 10 10 10 10\n")
	more := parse("6 and 0 1\n7 and 6 2\n8 and 7 3\n9 and 8 4\n10 and 9 5\n11 not 10\nout 11 11 11 11\n")
	if and != 8*5 || andNot != 8*6 || more != 8*6 {
		t.Errorf("prices %d, %d, %d; want %d, %d, %d", and, andNot, more, 8*5, 8*6, 8*6)
	}
}

// Eleven values that are all needed at the end are one more than there are
// registers.
func TestWaits(t *testing.T) {
	n := &netlist.Netlist{Inputs: 6}
	for i := range uint8(6) {
		n.Add(netlist.Not, i, i)
	}
	sum := uint8(0)
	for i := uint8(1); i < 12; i++ {
		sum = n.Add(netlist.Xor, sum, i)
	}
	n.Out = []uint8{sum}
	inMemory, inAll := waits(n, sequence(n))
	if inMemory == 0 || inAll <= inMemory {
		t.Errorf("waits %d in memory and %d in all; twelve values are needed at once", inMemory, inAll)
	}
}
