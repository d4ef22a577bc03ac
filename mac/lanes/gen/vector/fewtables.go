package vector

import (
	"slices"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/wiring"
)

// Bits of a register are counted from the right, those of the standard from the
// left and from 1.

const (
	boxBits = 6 // that enter an S-box
	outBits = 4 // that leave it
)

// A source tells for bit b of byte j from which bit of 64 it is picked.
type source func(j, b int) int

// controls are those of VPMULTISHIFTQB: for each of so many bits of all bytes a
// word, whose byte j is where 8 bits begin of which bit b is the one.
func (s source) controls(bits int) []uint64 {
	words := make([]uint64, bits)
	for b := range words {
		for j := range 8 {
			words[b] |= uint64(s(j, b)-b+64) % 64 << (8 * j)
		}
	}
	return words
}

// expanded is the bit of a half that enters S-box j as bit b of its input, from 1.
func expanded(j, b int) int { return fips46.E[boxBits*j+boxBits-1-b] }

// ofBlock is a bit of a block, which is a number of 64 bits.
func ofBlock(bit int) int { return 64 - bit }

// initialControls pick the two halves from a block: IP, and E.
func initialControls() []uint64 {
	var words []uint64
	for half := range 2 {
		s := source(func(j, b int) int { return ofBlock(fips46.IP[32*half+expanded(j, b)-1]) })
		words = append(words, s.controls(boxBits)...)
	}
	return words
}

// spreadControls pick what is added to the other half from the outputs of the
// S-boxes, four bits in a byte: P, and E.
func spreadControls() []uint64 {
	return source(func(j, b int) int {
		bit := fips46.P[expanded(j, b)-1] - 1
		return 8*(bit/outBits) + outBits - 1 - bit%outBits
	}).controls(boxBits)
}

// finalControls pick a block from the four bits in the middle of each input of
// the right half and, above them, of the left: the inverse of IP.
func finalControls() []uint64 {
	return source(func(j, b int) int {
		bit := slices.Index(fips46.IP[:], ofBlock(8*j+b))
		left := bit / 32
		bit %= 32
		return 8*(bit/outBits) + outBits*left + outBits - 1 - bit%outBits
	}).controls(8)
}

// scheduleControls pick the keys of the rounds from a key: PC1, turns, and PC2.
func scheduleControls() []uint64 {
	var words []uint64
	for _, turn := range wiring.Turns() {
		s := source(func(j, b int) int {
			bit := fips46.PC2[boxBits*j+boxBits-1-b] - 1
			half := bit / wiring.KeyHalf * wiring.KeyHalf
			return ofBlock(fips46.PC1[half+(bit-half+turn)%wiring.KeyHalf])
		})
		words = append(words, s.controls(boxBits)...)
	}
	return words
}

// boxTables are the S-boxes by their input, a byte each.
func boxTables() []uint64 {
	words := make([]uint64, 8*64/8)
	for box := range fips46.S {
		for in := range 64 {
			row, column := in>>5<<1|in&1, in>>1&0xF
			words[8*box+in/8] |= uint64(fips46.S[box][row][column]) << (8 * (in % 8))
		}
	}
	return words
}
