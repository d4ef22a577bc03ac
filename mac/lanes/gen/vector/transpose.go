package vector

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/wiring"
)

// Masks of the lower halves of fields.
var lowMasks = map[int]uint64{
	32: 0x00000000FFFFFFFF, 16: 0x0000FFFF0000FFFF, 8: 0x00FF00FF00FF00FF,
	4: 0x0F0F0F0F0F0F0F0F, 2: 0x3333333333333333, 1: 0x5555555555555555,
}

// load transposes as load64 does, one square of 64 by 64 bits in each 64 bits
// of the registers. The rows come sorted so that a register is the rows of
// lanes 64 apart.
func (m *machine) load() {
	m.begin("load", "to *uint64, rows []uint64")
	to, rows := m.block("to"), m.pointer("rows")
	m.within(rows)
	m.across(
		func(k, i int) operand.Mem { return m.word(rows, k+8*i) },
		func(k, i int) operand.Mem { return m.wireOf(to, 8*wiring.Rows()[k]+i) })
	m.end()
}

// store takes the steps of load back.
func (m *machine) store() {
	m.begin("store", "rows []uint64, from *uint64")
	from, rows := m.block("from"), m.pointer("rows")
	m.across(
		func(k, i int) operand.Mem { return m.wireOf(from, 8*wiring.Rows()[k]+i) },
		func(k, i int) operand.Mem { return m.word(rows, k+8*i) })
	m.within(rows)
	m.end()
}

// within transposes, in each column of bytes, the eight bytes of eight rows.
func (m *machine) within(rows reg.Register) {
	at := func(k, i int) operand.Mem { return m.word(rows, 8*k+i) }
	m.eights(4, at, at)
}

// across transposes eight rows of eight bytes.
func (m *machine) across(from, to func(k, i int) operand.Mem) { m.eights(32, from, to) }

// eights transposes eight groups of eight words. The first step exchanges
// fields of n bits, the second n/2, the third n/4.
func (m *machine) eights(n int, from, to func(k, i int) operand.Mem) {
	mask := m.registers[len(m.registers)-3:]
	low := map[int]reg.VecPhysical{n: mask[0], n / 2: mask[1], n / 4: mask[2]}
	for _, size := range []int{n, n / 2, n / 4} {
		constant := m.GP64()
		m.MOVQ(operand.Imm(lowMasks[size]), constant)
		m.broadcast(constant, low[size])
	}
	for k := range 8 {
		w, t := [8]reg.VecPhysical(m.registers[:8]), m.registers[8]
		for i := range w {
			m.move(from(k, i), w[i])
		}
		for distance, size := 4, n; distance > 0; distance, size = distance/2, size/2 {
			for i := range w {
				if i&distance == 0 {
					w[i], w[i+distance], t = m.exchange(size, w[i], w[i+distance], t, low[size])
				}
			}
		}
		for i := range w {
			m.move(w[i], to(k, i))
		}
	}
}
