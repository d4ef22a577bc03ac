package wiring_test

import (
	"testing"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/netlist"
	"pbochsm/mac/lanes/gen/wiring"
)

// Every output of a round goes to a wire of its own, and no key wire that the
// rounds read lies outside what a turn leaves in place.
func TestBoxesUseEveryWireOnce(t *testing.T) {
	boxes, err := wiring.Boxes(netlist.Box)
	if err != nil {
		t.Fatal(err)
	}
	var target, source [wiring.Half]int
	for _, b := range boxes {
		for _, w := range b.Target {
			target[w]++
		}
		for i, w := range b.Source {
			source[w]++
			if k := b.Key[i]; k%(2*wiring.KeyHalf) >= wiring.KeyHalf || k >= 3*wiring.KeyHalf {
				t.Errorf("S%d reads wire %d of the key: it is in a second copy", b.Number, k)
			}
		}
	}
	for w := range wiring.Half {
		if target[w] != 1 {
			t.Errorf("wire %d is changed %d times in a round", w, target[w])
		}
		want := 1
		if w%4 == 0 || w%4 == 3 { // at the edge of an S-box: its neighbour reads it too
			want = 2
		}
		if source[w] != want {
			t.Errorf("wire %d is read by %d S-boxes, want %d", w, source[w], want)
		}
	}
}

// The key has turned full circle after sixteen rounds, and two copies suffice.
func TestTurnsEndWhereTheyBegan(t *testing.T) {
	turns := wiring.Turns()
	if last := turns[len(turns)-1]; last != wiring.KeyHalf {
		t.Errorf("the last turn is %d, want %d", last, wiring.KeyHalf)
	}
}

// The runs bring each bit of a key to the wire where PC1 has it.
func TestRunsArePC1(t *testing.T) {
	var got [2 * wiring.KeyHalf]int
	for _, r := range wiring.Runs() {
		for i := range r.N {
			to := r.To + i
			if to >= 2*wiring.KeyHalf {
				to -= wiring.KeyHalf
			}
			got[to] = fips46.IP[r.From+i]
		}
	}
	if got != fips46.PC1 {
		t.Errorf("the runs choose the bits %v, want %v", got, fips46.PC1)
	}
}

// Rows describes IP in full.
func TestRowsAreIP(t *testing.T) {
	for k, row := range wiring.Rows() {
		for c := range 8 {
			if bit := fips46.IP[8*row+c]; bit != 64-8*c-k {
				t.Errorf("wire %d is bit %d, want %d", 8*row+c, bit, 64-8*c-k)
			}
		}
	}
}
