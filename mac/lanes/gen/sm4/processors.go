package sm4

import (
	"bytes"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/field"
)

// sum is the truth table of adding three bits.
const sum = 0x96

// avx512 has the inverse, between two affine maps, as GF2P8AFFINEINVQB.
func (m *machine) avx512() instructions {
	matrices := [2]reg.VecPhysical{reg.Z30, reg.Z31}
	add := func(a, b operand.Op, to reg.VecPhysical) { m.VPTERNLOGD(operand.U8(sum), a, b, to) }
	return instructions{
		name: "512", bytes: 64,
		registers: named(reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29),
		move: func(from, to operand.Op) { m.VMOVDQU64(from, to) },
		xor:  func(a, b, to operand.Op) { m.VPXORD(a, b, to) },
		add:  add,
		begin: func() {
			for i, q := range []uint64{operandOf(entry().Matrix), operandOf(exit().Matrix)} {
				half := []uint32{uint32(q), uint32(q >> 32)}
				m.VPBROADCASTQ(m.table([]string{"entry", "exit"}[i], half), matrices[i])
			}
		},
		box: func(x reg.VecPhysical, _ []reg.VecPhysical) {
			m.VGF2P8AFFINEQB(operand.U8(entry().Constant), matrices[0], x, x)
			m.VGF2P8AFFINEINVQB(operand.U8(exit().Constant), matrices[1], x, x)
		},
		spread: func(turns []int, x, to reg.VecPhysical, t []reg.VecPhysical) {
			m.xor(x, to, to)
			for ; len(turns) > 0; turns = turns[2:] {
				m.VPROLD(operand.U8(uint8(turns[0])), x, t[0])
				m.VPROLD(operand.U8(uint8(turns[1])), x, t[1])
				add(t[0], t[1], to)
			}
		},
	}
}

// avx2 has the inverse as part of AESENCLAST, which works on 16 bytes: those
// move about in it, and go through AES's S-box. Affine maps are look-ups of half
// bytes in registers.
func (m *machine) avx2() instructions {
	tables := [4]reg.VecPhysical{reg.Y12, reg.Y13, reg.Y14, reg.Y15}
	lowHalf := func() operand.Mem { return m.everywhere("lowhalf", bytes.Repeat([]byte{0x0F}, 16)...) }
	through := func(lower, upper, x, t, u reg.VecPhysical) {
		m.VPSRLD(operand.U8(4), x, t)
		m.VPAND(lowHalf(), t, t)
		m.VPAND(lowHalf(), x, x)
		m.VPSHUFB(t, upper, u)
		m.VPSHUFB(x, lower, x)
		m.VPXOR(u, x, x)
	}
	return instructions{
		name: "256", bytes: 32,
		registers: named(reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11),
		move:      func(from, to operand.Op) { m.VMOVDQU(from, to) },
		xor:       func(a, b, to operand.Op) { m.VPXOR(a, b, to) },
		add: func(a, b operand.Op, to reg.VecPhysical) {
			m.VPXOR(a, to, to)
			m.VPXOR(b, to, to)
		},
		begin: func() {
			for i, a := range []field.Affine{entry(), exitAES()} {
				lower, upper := halves(a)
				name := []string{"entry", "exit"}[i]
				m.VMOVDQU(m.everywhere(name+"lower", lower...), tables[2*i])
				m.VMOVDQU(m.everywhere(name+"upper", upper...), tables[2*i+1])
			}
		},
		box: func(x reg.VecPhysical, t []reg.VecPhysical) {
			zero := m.everywhere("zero", make([]byte, 16)...)
			through(tables[0], tables[1], x, t[0], t[1])
			m.VEXTRACTI128(operand.U8(1), x, t[0].AsX())
			m.VAESENCLAST(zero, x.AsX(), x.AsX())
			m.VAESENCLAST(zero, t[0].AsX(), t[0].AsX())
			m.VINSERTI128(operand.U8(1), t[0].AsX(), x, x)
			m.VPSHUFB(m.everywhere("rowsback", rowsBack...), x, x)
			through(tables[2], tables[3], x, t[0], t[1])
		},
		spread: func(turns []int, x, to reg.VecPhysical, t []reg.VecPhysical) {
			m.VPXOR(x, to, to)
			for _, n := range turns {
				m.turn(n, x, to, t)
			}
		},
	}
}

// turn adds x turned left by n.
func (m *machine) turn(n int, x, to reg.VecPhysical, t []reg.VecPhysical) {
	if n%8 == 0 {
		m.VPSHUFB(m.everywhere("turned", turned(n/8)...), x, t[0])
		m.VPXOR(t[0], to, to)
		return
	}
	m.VPSLLD(operand.U8(uint8(n)), x, t[0])
	m.VPSRLD(operand.U8(uint8(32-n)), x, t[1])
	m.VPXOR(t[0], to, to)
	m.VPXOR(t[1], to, to)
}

func named(r ...reg.VecPhysical) []reg.VecPhysical { return r }
