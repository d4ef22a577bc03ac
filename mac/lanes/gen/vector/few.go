package vector

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// FewLanes is how many lanes the core for few chains has.
const FewLanes = 8

// few is the core of 8 lanes, which is not of wires: a lane is the 64 bits of a
// register that a block has, and a half of a block is its eight inputs of six
// bits to the S-boxes, a byte each. An S-box is a table of 64 bytes, that is one
// register, in which VPERMB looks all bytes up at once; what DES permutes is
// picked by VPMULTISHIFTQB, for each bit of all bytes one. No address depends on
// what is looked up or picked.
type few struct {
	*build.Context
	fields operand.Mem
}

// choose takes the bits in mask from a and the others from b, to a.
func (f *few) choose(a, b, mask reg.VecPhysical) {
	const thirdChoosesDestination = 0xE4
	f.VPTERNLOGQ(operand.Imm(thirdChoosesDestination), mask, b, a)
}

// Few gives the source of the core of 8 lanes.
func Few() ([]byte, error) {
	f := &few{Context: build.NewContext()}
	f.fields = f.words("few_fields", repeated(fields))
	f.schedule()
	f.crypt()
	return (&machine{Context: f.Context}).source()
}

// words is read-only memory of 64-bit words.
func (f *few) words(name string, words []uint64) operand.Mem {
	m := f.StaticGlobal(name)
	f.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, w := range words {
		f.AddDatum(8*i, operand.U64(w))
	}
	return m
}

func (f *few) begin(name, signature string) {
	f.Function(name)
	f.Attributes(attr.NOSPLIT)
	f.SignatureExpr("func(" + signature + ")")
}

func (f *few) end() {
	f.VZEROUPPER()
	f.RET()
}

// fields are the masks by which bits that were picked one by one are put
// together: every second bit, every second pair, the lower four.
var fields = []uint64{0x01, 0x04, 0x10, 0x40, 0x03, 0x30, 0x0F}

// bytesOf repeats a byte.
func bytesOf(b uint64) uint64 { return b * 0x0101010101010101 }

// picked puts together six bits of each byte that are in a register each, in
// the first of them. What is above them is anything.
func (f *few) picked(v []reg.VecPhysical, masks []reg.VecPhysical) {
	f.choose(v[0], v[1], masks[0])
	f.choose(v[2], v[3], masks[1])
	f.choose(v[4], v[5], masks[2])
	f.choose(v[0], v[2], masks[4])
	f.choose(v[0], v[4], masks[6])
}

// pick picks bits from one register, by controls in memory, to a register each.
func (f *few) pick(from reg.VecPhysical, control operand.Mem, by reg.VecPhysical, to []reg.VecPhysical) {
	for i, t := range to {
		f.VPBROADCASTQ(control.Offset(8*i), by)
		f.VPMULTISHIFTQB(from, by, t)
	}
}

// schedule writes the keys of the sixteen rounds of eight keys.
func (f *few) schedule() {
	masks, v, by, key := zmm(8, 15), zmm(16, 22), reg.Z30, reg.Z31
	controls := f.words("few_schedule", scheduleControls())
	f.begin("schedule8", "to, key *uint64")
	to, from := f.Load(f.Param("to"), f.GP64()), f.Load(f.Param("key"), f.GP64())
	f.VMOVDQU64(operand.Mem{Base: from}, key)
	f.constants(masks, f.fields)
	at, n := f.GP64(), f.GP64()
	f.LEAQ(controls, at)
	f.MOVQ(operand.U32(16), n)
	f.Label("round")
	f.pick(key, operand.Mem{Base: at}, by, v)
	f.picked(v, masks)
	f.VMOVDQU64(v[0], operand.Mem{Base: to})
	f.ADDQ(operand.Imm(8*6), at)
	f.ADDQ(operand.Imm(8*FewLanes), to)
	f.DECQ(n)
	f.JNZ(operand.LabelRef("round"))
	f.end()
}

// crypt runs DES on eight blocks, with the keys of the rounds from the one at key
// on, each step bytes behind the one before.
func (f *few) crypt() {
	tables, ends, spread, masks := zmm(0, 8), zmm(8, 11), zmm(11, 17), zmm(17, 22)
	left, right, v := reg.Z22, reg.Z23, zmm(24, 32)
	f.begin("crypt8", "block, key *uint64, step int")
	block, key, step := f.Load(f.Param("block"), f.GP64()), f.Load(f.Param("key"), f.GP64()), f.Load(f.Param("step"), f.GP64())

	// Of the masks the sixth and fourth are for the end alone.
	for i, n := range []int{0, 1, 2, 4, 6} {
		f.VPBROADCASTQ(f.fields.Offset(8*n), masks[i])
	}
	six := []reg.VecPhysical{masks[0], masks[1], masks[2], nil, masks[3], nil, masks[4]}
	initial := f.words("few_initial", initialControls())
	f.VMOVDQU64(operand.Mem{Base: block}, v[0])
	for i, half := range []reg.VecPhysical{left, right} {
		f.pick(v[0], initial.Offset(8*6*i), v[7], v[1:7])
		f.picked(v[1:7], six)
		f.VMOVDQA64(v[1], half)
	}
	box := f.words("few_boxes", boxTables())
	for i, t := range tables {
		f.VMOVDQU64(box.Offset(64*i), t)
	}
	f.constants(ends, f.words("few_ends", []uint64{0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF}))
	f.constants(spread, f.words("few_spread", spreadControls()))

	n := f.GP64()
	f.MOVQ(operand.U32(8), n)
	f.Label("pair")
	for _, h := range [][2]reg.VecPhysical{{left, right}, {right, left}} {
		f.VPXORQ(operand.Mem{Base: key}, h[1], v[7])
		f.ADDQ(step, key)
		for i, t := range tables {
			f.VPERMB(t, v[7], v[i])
		}
		for i, end := range ends {
			for at := 0; at < len(v); at += 2 << i {
				f.choose(v[at], v[at+1<<i], end)
			}
		}
		for i, control := range spread {
			f.VPMULTISHIFTQB(v[0], control, v[1+i])
		}
		f.picked(v[1:7], six)
		f.VPXORQ(v[1], h[0], h[0])
	}
	f.DECQ(n)
	f.JNZ(operand.LabelRef("pair"))
	f.final(block, left, right, six, v)
	f.end()
}

// final makes a block of the halves, which it does not swap.
func (f *few) final(block reg.Register, left, right reg.VecPhysical, six, v []reg.VecPhysical) {
	f.VPSRLQ(operand.Imm(1), right, v[0])
	f.VPSLLQ(operand.Imm(3), left, v[1])
	f.choose(v[0], v[1], six[6])
	bits, by, fourth, sixth := append(zmm(0, 2), v[1:7]...), v[7], reg.Z2, reg.Z3
	f.VPBROADCASTQ(f.fields.Offset(8*3), fourth)
	f.VPBROADCASTQ(f.fields.Offset(8*5), sixth)
	f.pick(v[0], f.words("few_final", finalControls()), by, bits)
	f.choose(bits[0], bits[1], six[0])
	f.choose(bits[2], bits[3], six[1])
	f.choose(bits[4], bits[5], six[2])
	f.choose(bits[6], bits[7], fourth)
	f.choose(bits[0], bits[2], six[4])
	f.choose(bits[4], bits[6], sixth)
	f.choose(bits[0], bits[4], six[6])
	f.VMOVDQU64(bits[0], operand.Mem{Base: block})
}

// constants gives each register a word in all places.
func (f *few) constants(to []reg.VecPhysical, from operand.Mem) {
	for i, r := range to {
		f.VPBROADCASTQ(from.Offset(8*i), r)
	}
}

// zmm are the registers from first up to end.
func zmm(first, end int) []reg.VecPhysical {
	all := named(reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31)
	return append([]reg.VecPhysical(nil), all[first:end]...)
}

func repeated(masks []uint64) []uint64 {
	var words []uint64
	for _, m := range masks {
		words = append(words, bytesOf(m))
	}
	return words
}
