package vector

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/wiring"
)

const blockWires = 2 * wiring.Half

// mask loads the set of lanes that a parameter points to.
func (m *machine) mask(name string) reg.VecPhysical {
	r := m.registers[len(m.registers)-1]
	m.move(operand.Mem{Base: m.pointer(name)}, r)
	return r
}

// turn gives out registers by turns, so that a step need not wait for the
// one before it.
func (m *machine) turn(i int) reg.VecPhysical { return m.registers[i%8] }

// fill gives every lane the same block: the bit of each wire goes where the
// sign is, and the sign everywhere.
func (m *machine) fill() {
	m.begin("fill", "to *uint64, row uint64")
	to, row := m.block("to"), m.registers[15]
	m.broadcast(m.pointer("row"), row)
	for k, r := range wiring.Rows() {
		for i := range 8 {
			t := m.turn(i)
			m.left(63-8*i-k, row, t)
			m.signs(t)
			m.move(t, m.wireOf(to, 8*r+i))
		}
	}
	m.end()
}

// wire writes both copies of C and of D.
func (m *machine) wire() {
	m.begin("wire", "k, from, s *uint64")
	k, from, mask := m.pointer("k"), m.block("from"), m.mask("s")
	for _, run := range wiring.Runs() {
		for i := range run.N {
			t := m.turn(i)
			m.move(m.wireOf(from, run.From+i), t)
			m.renew(k, run.To+i, t, mask)
		}
	}
	m.end()
}

// renew makes t both copies of a wire of a key, for the lanes in mask.
func (m *machine) renew(k reg.Register, wire int, t, mask reg.VecPhysical) {
	m.choose(t, mask, m.word(k, wire))
	m.move(t, m.word(k, wire))
	m.move(t, m.word(k, wire+wiring.KeyHalf))
}

func (m *machine) fold() {
	m.begin("fold", "k, left, right, s *uint64")
	k, left, right, mask := m.pointer("k"), m.pointer("left"), m.pointer("right"), m.mask("s")
	for i := range 2 * wiring.KeyHalf {
		wire, t := i+i/wiring.KeyHalf*wiring.KeyHalf, m.turn(i)
		m.move(m.word(left, wire), t)
		m.xor(m.word(right, wire), t, t)
		m.renew(k, wire, t, mask)
	}
	m.end()
}

func (m *machine) add() {
	m.begin("add", "to, from *uint64")
	to, from := m.block("to"), m.block("from")
	for i := range blockWires {
		t := m.turn(i)
		m.move(m.wireOf(from, i), t)
		m.xor(m.wireOf(to, i), t, t)
		m.move(t, m.wireOf(to, i))
	}
	m.end()
}

func (m *machine) invert() {
	m.begin("invert", "to, from, s *uint64")
	to, from, mask := m.block("to"), m.block("from"), m.mask("s")
	for i := range blockWires {
		t := m.turn(i)
		m.xor(m.wireOf(from, i), mask, t)
		m.move(t, m.wireOf(to, i))
	}
	m.end()
}

func (m *machine) chooseBlock() {
	m.begin("choose", "to, from, s *uint64")
	to, from, mask := m.block("to"), m.block("from"), m.mask("s")
	for i := range blockWires {
		t := m.turn(i)
		m.move(m.wireOf(from, i), t)
		m.choose(t, mask, m.wireOf(to, i))
		m.move(t, m.wireOf(to, i))
	}
	m.end()
}

// part may be given from again as lower or upper.
func (m *machine) part() {
	m.begin("part", "lower, upper, from *uint64")
	lower, upper, from := m.block("lower"), m.block("upper"), m.block("from")
	for i := range blockWires {
		l, u := m.registers[i%4*2], m.registers[i%4*2+1]
		low := m.wireOf(from, i)
		m.half(low, l)
		m.half(low.Offset(m.bytes()/2), u)
		m.move(l, m.wireOf(lower, i))
		m.move(u, m.wireOf(upper, i))
	}
	m.end()
}
