package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"pbochsm/mac/lanes/gen/field"
	"pbochsm/mac/lanes/gen/netlist"
)

// The start that the file names finds what is in it.
func TestStartFindsTheBoxOfSM4Again(t *testing.T) {
	text, err := os.ReadFile("../netlist/sm4.txt")
	if err != nil {
		t.Fatal(err)
	}
	var gates int
	var number uint64
	if _, err := fmt.Sscanf(string(text), "# S-box of SM4, %d gates. Found by:\n# go run ./mac/lanes/gen/search -sm4 -from %d", &gates, &number); err != nil {
		t.Fatal(err)
	}
	found := thorough.start(number)
	kept, err := netlist.SM4Box()
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Gates) != gates || found.String() != kept.String() {
		t.Errorf("start %d finds %d gates\n%s\nand the file has %d\n%s", number, len(found.Gates), found, gates, kept)
	}
}

// Every tower leads to the S-box.
func TestEveryTowerInverts(t *testing.T) {
	little := towerEffort{towers: 1, bases: 1, tries: 1, inverse: effort{builds: 1, moves: 100}, order: 1}
	for number := range uint64(20) {
		if err := netlist.SM4.Prove(little.start(number)); err != nil {
			t.Errorf("start %d: %v", number, err)
		}
	}
}

// Sums are made of single bits and sums before them, all targets are, and what is
// made backwards is the transposed map.
func TestSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		targets := make([]byte, 1+rng.IntN(20))
		for i := range targets {
			targets[i] = byte(1 + rng.IntN(255))
		}
		gates := sumsOf(targets, rng)
		made := map[byte]bool{}
		for j := range 8 {
			made[1<<j] = true
		}
		for _, g := range gates {
			if !made[g.a] || !made[g.b] {
				t.Fatalf("%08b + %08b: not both are made before", g.a, g.b)
			}
			made[g.a^g.b] = true
		}
		for _, x := range targets {
			if !made[x] {
				t.Errorf("%08b is not made", x)
			}
		}
		checkBackwards(t, gates, targets, rng)
	}
}

func checkBackwards(t *testing.T, gates []sum, targets []byte, rng *rand.Rand) {
	t.Helper()
	n := &netlist.Netlist{Inputs: len(targets)}
	nodes, values := make([]uint8, len(targets)), make([]uint64, len(targets))
	var want [8]uint64
	for i, x := range targets {
		nodes[i], values[i] = uint8(i), rng.Uint64()
		for j := range want {
			want[j] ^= values[i] * uint64(x>>j&1)
		}
	}
	used := byte(0)
	for _, x := range targets {
		used |= x
	}
	if used != 0xFF { // an output that nothing leads to is no node
		return
	}
	out := backwards(n, gates, targets, nodes, 8)
	values = n.Compute(values)
	for j := range want {
		if values[out[j]] != want[j] {
			t.Errorf("targets %08b: output %d is wrong", targets, j)
		}
	}
}

// What is complemented computes the same, between two sums with constants.
func TestComplemented(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	box, err := netlist.SM4Box()
	if err != nil {
		t.Fatal(err)
	}
	in, out := byte(0x4E), byte(0xB1)
	n := complemented(box, in, out, rng)
	want := netlist.SM4
	want.Substitute = func(x int) int { return netlist.SM4.Substitute(x^int(in)) ^ int(out) }
	if err := want.Prove(n); err != nil {
		t.Error(err)
	}
	if most := operations(box) + 16; operations(n) >= most {
		t.Errorf("%d operations, no fewer than with a Not at every input and output that needs one: %d", operations(n), most)
	}
}

// An element times its inverse is 1, and products are what their nine factors say.
func TestTower(t *testing.T) {
	for _, x := range subfieldK {
		if p := times(x, power(x, 14)); x != 0 && p != 1 {
			t.Errorf("%02X times its inverse is %02X", x, p)
		}
	}
	if len(subfieldK) != 16 || len(subfieldF) != 4 {
		t.Errorf("subfields of %d and %d elements", len(subfieldK), len(subfieldF))
	}
	for u := range 256 {
		w := karatsuba(byte(u), 0x53)
		for k := range 16 {
			c, d, e, f := byte(k&1), byte(k>>1&1), byte(k>>2&1), byte(k>>3)
			got := times(w[0], c&e) ^ times(w[1], d&f) ^ times(w[2], (c^d)&(e^f))
			want := field.Product(c*byte(u)^d*0x53, e*byte(u)^f*0x53, field.SM4)
			if got != want {
				t.Fatalf("u = %02X, bits %04b: %02X, want %02X", u, k, got, want)
			}
		}
	}
}
