package vector

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/netlist"
	"pbochsm/mac/lanes/gen/wiring"
)

// rounds runs the sixteen rounds in pairs, because each changes one half.
func (m *machine) rounds() {
	m.begin("rounds", "l, r, k, turns *uint64")
	l, r, k, turns := m.pointer("l"), m.pointer("r"), m.pointer("k"), m.pointer("turns")
	pairs, shift := m.GP64(), 5
	if m.lanes == 512 {
		shift = 6
	}
	spilled := &slots{m: m}
	m.MOVQ(operand.U32(8), pairs)
	m.Label("pair")
	for i, half := range [2]struct{ to, from reg.Register }{{l, r}, {r, l}} {
		turned := m.GP64()
		m.MOVBQZX(operand.Mem{Base: turns, Disp: i}, turned)
		m.SHLQ(operand.Imm(uint64(shift)), turned)
		m.ADDQ(k, turned)
		for _, b := range m.boxes {
			m.Commentf("S%d", b.Number)
			newPool(m, &b, spilled).run(half.to, half.from, turned)
		}
	}
	m.ADDQ(operand.Imm(2), turns)
	m.DECQ(pairs)
	m.JNZ(operand.LabelRef("pair"))
	m.end()
}

// Slots are words on the stack for wires that find no register.
type slots struct {
	m   *machine
	all []operand.Mem
}

func (s *slots) at(i int) operand.Mem {
	if i == len(s.all) {
		s.all = append(s.all, s.m.AllocLocal(s.m.bytes()))
	}
	return s.all[i]
}

// An event is what happens next in a box: an input enters, a gate works, or an
// output leaves.
type event struct {
	node   int
	input  bool
	output int // plus one
}

// events lists what happens in a box. The gates keep their order, which is
// chosen so that few wires wait: an input enters where it is first needed, and
// an output leaves at once.
func events(b *wiring.Box) (list []event) {
	var entered [netlist.Inputs]bool
	for i, g := range b.Circuit.Gates {
		for _, node := range g.Nodes() {
			if node < netlist.Inputs && !entered[node] {
				entered[node] = true
				list = append(list, event{node: int(node), input: true})
			}
		}
		list = append(list, event{node: netlist.Inputs + i})
		for o, out := range b.Circuit.Out {
			if int(out) == netlist.Inputs+i {
				list = append(list, event{node: int(out), output: o + 1})
			}
		}
	}
	return list
}
