// Package wiring says which wire of bitsliced DES goes where. It knows no lane
// width and no language: the generators of all cores start from it.
//
// A block is 64 wires in the order that the initial permutation puts them in,
// the left half 32 before the right half. Cores transpose blocks into this
// order and out of it, so that IP and its inverse cost nothing, and a block
// that comes out of DES may go into DES again as it is.
//
// A key is 112 wires: those of C, again those of C, those of D, again those of
// D. The schedule turns C and D left. With two copies in a row nothing has to
// be moved: in a round whose turn is n, the key is what begins at wire n.
package wiring

import (
	"fmt"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/netlist"
)

// Wires of a half block, and of C or D.
const (
	Half    = 32
	KeyHalf = 28
)

// A Box is an S-box with all that it is connected to in a round.
type Box struct {
	Number  int
	Source  [netlist.Inputs]int // wires of the half block that enters
	Key     [netlist.Inputs]int // wires of the turned key that are added to them
	Circuit *netlist.Netlist
	Target  [netlist.Outputs]int // wires of the other half, to which the outputs are added
}

// Boxes gives the S-boxes of a round, which is the same in all rounds and in
// both directions but for the turn of the key. The circuits are those of
// ordinary gates, netlist.Box, or of lookup gates, netlist.LookupBox.
func Boxes(circuit func(box int) (*netlist.Netlist, error)) (boxes [8]Box, err error) {
	for i := range boxes {
		b := &boxes[i]
		b.Number = i + 1
		if b.Circuit, err = circuit(b.Number); err != nil {
			return boxes, fmt.Errorf("wiring: %w", err)
		}
		for in := range b.Source {
			n := netlist.Inputs*i + in
			b.Source[in] = fips46.E[n] - 1
			b.Key[in] = keyWire(fips46.PC2[n] - 1)
		}
		for out := range b.Target {
			b.Target[out] = indexOf(fips46.P[:], netlist.Outputs*i+out+1)
		}
	}
	return boxes, nil
}

// Turns is how far the key is turned in each round of an encryption. Decryption
// takes them from the end.
func Turns() (turns [16]int) {
	sum := 0
	for i, r := range fips46.Rotations {
		sum += r
		turns[i] = sum
	}
	return turns
}

// A Run is wires of a block that lie side by side in a key too.
type Run struct {
	From, To, N int
}

// Runs tells how a block becomes a key: PC1, for the first copies of C and D.
// Eight wires are left over, the parity bits.
func Runs() (runs []Run) {
	for i, bit := range fips46.PC1 {
		from, to := indexOf(fips46.IP[:], bit), keyWire(i)
		if k := len(runs) - 1; k >= 0 && runs[k].From+runs[k].N == from && runs[k].To+runs[k].N == to {
			runs[k].N++
			continue
		}
		runs = append(runs, Run{From: from, To: to, N: 1})
	}
	return runs
}

// keyWire is the first wire of a bit of C followed by D.
func keyWire(bit int) int {
	if bit >= KeyHalf {
		bit += KeyHalf
	}
	return bit
}

// Rows tells how IP rearranges the bits within the bytes of a block: bit k of
// every byte, counted from the right, goes to wires 8·Rows[k] to 8·Rows[k]+7,
// the last byte first.
func Rows() (rows [8]int) {
	for k := range rows {
		rows[k] = indexOf(fips46.IP[:], 64-k) / 8
	}
	return rows
}

func indexOf(list []int, value int) int {
	for i, v := range list {
		if v == value {
			return i
		}
	}
	panic(fmt.Sprintf("wiring: internal error: no %d in a table of the standard", value))
}
