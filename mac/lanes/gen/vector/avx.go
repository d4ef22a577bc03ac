package vector

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/netlist"
)

func avx2(c *build.Context) instructions { //nolint:funlen // a table: what the core does, and by which instruction
	xor := func(a, b, to operand.Op) { c.VPXOR(a, b, to) }
	return instructions{
		lanes:     256,
		registers: named(reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15),
		circuit:   netlist.Box,
		move:      func(from, to operand.Op) { c.VMOVDQU(from, to) },
		xor:       xor,
		gate: func(g netlist.Gate, in [3]operand.Op, to reg.VecPhysical) {
			switch g.Op {
			case netlist.And:
				c.VPAND(in[0], in[1], to)
			case netlist.Or:
				c.VPOR(in[0], in[1], to)
			case netlist.Xor:
				c.VPXOR(in[0], in[1], to)
			case netlist.AndNot:
				c.VPANDN(in[0], in[1], to)
			case netlist.Not:
				c.VPCMPEQQ(to, to, to) // ones
				xor(in[0], to, to)
			}
		},
		broadcast: func(from operand.Op, to reg.VecPhysical) {
			if r, ok := from.(reg.Register); ok {
				c.VMOVQ(r, to.AsX())
				from = to.AsX()
			}
			c.VPBROADCASTQ(from, to)
		},
		left:  func(n int, from, to operand.Op) { c.VPSLLQ(operand.Imm(uint64(n)), from, to) },
		right: func(n int, from, to operand.Op) { c.VPSRLQ(operand.Imm(uint64(n)), from, to) },
		signs: func(r reg.VecPhysical) {
			c.VPSRAD(operand.Imm(31), r, r)
			c.VPSHUFD(operand.Imm(0xF5), r, r) // the upper 32 of each 64 bits
		},
		exchange: func(n int, a, b, t, low reg.VecPhysical) (x, y, z reg.VecPhysical) {
			shift := operand.Imm(uint64(n))
			switch n {
			case 32, 16: // fields of bytes can be blended
				c.VPSLLQ(shift, b, t)
				if n == 32 {
					c.VPBLENDD(operand.Imm(0xAA), t, a, t)
					c.VPSRLQ(shift, a, a)
					c.VPBLENDD(operand.Imm(0xAA), b, a, a)
				} else {
					c.VPBLENDW(operand.Imm(0xAA), t, a, t)
					c.VPSRLQ(shift, a, a)
					c.VPBLENDW(operand.Imm(0xAA), b, a, a)
				}
				return t, a, b
			}
			c.VPSRLQ(shift, a, t)
			xor(b, t, t)
			c.VPAND(low, t, t)
			xor(t, b, b)
			c.VPSLLQ(shift, t, t)
			xor(t, a, a)
			return a, b, t
		},
		choose: func(r, m reg.VecPhysical, others operand.Mem) {
			xor(others, r, r)
			c.VPAND(m, r, r)
			xor(others, r, r)
		},
		half: func(from operand.Mem, to reg.VecPhysical) { c.VBROADCASTI128(from, to) },
	}
}

// Truth tables of the lookup gates that are used outside S-boxes, for the
// destination, the second operand and the first.
const (
	secondChoosesFirst       = 0xB8 // the second says where the first replaces the destination
	secondChoosesDestination = 0xE2 // the second says where the destination replaces the first
)

func avx512(c *build.Context) instructions {
	in := instructions{
		lanes: 512,
		registers: named(reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31),
		circuit:   netlist.LookupBox,
		move:      func(from, to operand.Op) { c.VMOVDQU64(from, to) },
		xor:       func(a, b, to operand.Op) { c.VPXORQ(a, b, to) },
		broadcast: func(from operand.Op, to reg.VecPhysical) { c.VPBROADCASTQ(from, to) },
		left:      func(n int, from, to operand.Op) { c.VPSLLQ(operand.Imm(uint64(n)), from, to) },
		right:     func(n int, from, to operand.Op) { c.VPSRLQ(operand.Imm(uint64(n)), from, to) },
		signs:     func(r reg.VecPhysical) { c.VPSRAQ(operand.Imm(63), r, r) },
		half:      func(from operand.Mem, to reg.VecPhysical) { c.VBROADCASTI64X4(from, to) },
	}
	in.gate = func(g netlist.Gate, from [3]operand.Op, to reg.VecPhysical) {
		c.VPTERNLOGQ(operand.Imm(uint64(g.Table)), from[2], from[1], to)
	}
	in.exchange = func(n int, a, b, t, low reg.VecPhysical) (x, y, z reg.VecPhysical) {
		in.left(n, b, t)
		c.VPTERNLOGQ(operand.Imm(secondChoosesFirst), a, low, t)
		in.right(n, a, a)
		c.VPTERNLOGQ(operand.Imm(secondChoosesFirst), a, low, b)
		return t, b, a
	}
	in.choose = func(r, m reg.VecPhysical, others operand.Mem) {
		c.VPTERNLOGQ(operand.Imm(secondChoosesDestination), others, m, r)
	}
	return in
}

func named(r ...reg.VecPhysical) []reg.VecPhysical { return r }
