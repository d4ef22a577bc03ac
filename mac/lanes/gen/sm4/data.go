package sm4

import (
	"encoding/binary"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"

	"pbochsm/mac/lanes/gen/field"
)

// FK of GB/T 32907, section 7.3.
var familyKey = []uint32{0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC}

// roundConstants are CK of the same section: byte j of round i is (4i+j)·7.
func roundConstants() (ck []uint32) {
	for i := range 32 {
		word := uint32(0)
		for j := range 4 {
			word = word<<8 | uint32(byte((4*i+j)*7))
		}
		ck = append(ck, word)
	}
	return ck
}

// Places for VPSHUFB to take bytes from.
var (
	swap = []byte{3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12} // bytes of each word turned round
	// AES moves byte 4c+r from column c+r before its last step; this moves it back.
	rowsBack = []byte{0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3}
)

// turned takes each word turned left by so many bytes.
func turned(n int) (places []byte) {
	for i := range 16 {
		places = append(places, byte(i&^3|(i-n)&3))
	}
	return places
}

// table gives the memory of 32-bit constants.
func (m *machine) table(name string, words []uint32) operand.Mem {
	if _, ok := m.data[name]; !ok {
		m.data[name] = m.StaticGlobal("sm4" + name)
		m.DataAttributes(attr.RODATA | attr.NOPTR)
		for _, w := range words {
			m.AppendDatum(operand.U32(w))
		}
	}
	return m.data[name]
}

// everywhere gives the memory of 16 bytes in each 128 bits of a register.
func (m *machine) everywhere(name string, text ...byte) operand.Mem {
	var words []uint32
	for range m.bytes / 16 {
		for four := range slices.Chunk(text, 4) {
			words = append(words, binary.LittleEndian.Uint32(four))
		}
	}
	return m.table(name, words)
}

// halves are an affine map as two tables: of the lower half of a byte, and of
// the upper.
func halves(a field.Affine) (lower, upper []byte) {
	for n := range 16 {
		lower = append(lower, a.Of(byte(n)))
		upper = append(upper, a.Matrix.Of(byte(n<<4)))
	}
	return lower, upper
}
