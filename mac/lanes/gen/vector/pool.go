package vector

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"pbochsm/mac/lanes/gen/netlist"
	"pbochsm/mac/lanes/gen/wiring"
)

// A pool gives registers to the wires of one box. When it runs out, the wire
// that is needed last goes to the stack; it changes no more, so it goes there
// once.
type pool struct {
	*machine
	box    *wiring.Box
	events []event
	now    int // the event at work

	free     []reg.VecPhysical
	register map[int]reg.VecPhysical // of nodes
	slot     map[int]operand.Mem
	slots    *slots
}

func newPool(m *machine, b *wiring.Box, s *slots) *pool {
	return &pool{
		machine: m, box: b, events: events(b), slots: s,
		free:     slices.Clone(m.registers),
		register: map[int]reg.VecPhysical{}, slot: map[int]operand.Mem{},
	}
}

// run adds the box's outputs for one half to the other.
func (p *pool) run(to, from, key reg.Register) {
	for i, e := range p.events {
		p.now = i
		switch {
		case e.input:
			r := p.take()
			p.move(p.word(from, p.box.Source[e.node]), r)
			p.xor(p.word(key, p.box.Key[e.node]), r, r)
			p.register[e.node] = r
		case e.output > 0:
			p.leave(e.node, p.word(to, p.box.Target[e.output-1]))
		default:
			p.work(e.node)
		}
	}
}

// leave adds a node to memory.
func (p *pool) leave(node int, to operand.Mem) {
	r := p.fetch(node)
	t := r
	if p.needed(node) {
		t = p.take(node)
		defer p.giveBack(t)
	}
	p.xor(to, r, t)
	p.move(t, to)
	p.release(node)
}

// work computes a gate.
func (p *pool) work(node int) {
	g := p.box.Circuit.Gates[node-netlist.Inputs]
	switch g.Op {
	case netlist.Lookup:
		p.register[node] = p.lookup(g)
	case netlist.Not:
		in := p.fetch(int(g.A))
		to := p.take(int(g.A))
		p.gate(g, [3]operand.Op{in}, to)
		p.release(int(g.A))
		p.register[node] = to
	default:
		if _, ok := p.register[int(g.B)]; !ok && g.Op != netlist.AndNot {
			g.A, g.B = g.B, g.A
		}
		second := p.fetch(int(g.B))
		first := p.anywhere(int(g.A))
		p.release(int(g.A), int(g.B))
		to := p.take(int(g.A), int(g.B))
		p.gate(g, [3]operand.Op{first, second}, to)
		p.register[node] = to
	}
}

// lookup computes a gate that overwrites one of the nodes it reads: one that
// nobody needs any more, or else a copy.
func (p *pool) lookup(g netlist.Gate) reg.VecPhysical {
	nodes := [3]int{int(g.A), int(g.B), int(g.C)}
	var in [3]operand.Op
	for i, n := range nodes {
		in[i] = p.fetch(n, nodes[:]...)
	}
	for i, n := range nodes {
		if p.needed(n) {
			continue
		}
		to := p.register[n]
		g.Table = swapped(g.Table, i)
		in[0], in[i] = in[i], in[0]
		p.gate(g, in, to)
		delete(p.register, n)
		p.release(nodes[:]...)
		return to
	}
	to := p.take(nodes[:]...)
	p.move(in[0], to)
	p.gate(g, in, to)
	return to
}

// swapped is the table of a gate whose first node changes places with node i.
func swapped(table uint8, i int) (t uint8) {
	for from := range 8 {
		first, other := from>>2&1, from>>(2-i)&1
		to := from&^(4|1<<(2-i)) | other<<2 | first<<(2-i)
		if i == 0 {
			to = from
		}
		t |= table >> from & 1 << to
	}
	return t
}

// take gives a free register. The nodes in keep stay where they are.
func (p *pool) take(keep ...int) reg.VecPhysical {
	if len(p.free) == 0 {
		p.evict(keep)
	}
	r := p.free[0]
	p.free = p.free[1:]
	return r
}

func (p *pool) giveBack(r reg.VecPhysical) { p.free = append(p.free, r) }

func (p *pool) evict(keep []int) {
	last, victim := -1, -1
	for node := range len(p.box.Circuit.Gates) + netlist.Inputs {
		if _, ok := p.register[node]; ok && !slices.Contains(keep, node) && p.nextUse(node) > last {
			last, victim = p.nextUse(node), node
		}
	}
	r := p.register[victim]
	if _, ok := p.slot[victim]; !ok {
		p.slot[victim] = p.slots.at(len(p.slot))
		p.move(r, p.slot[victim])
	}
	delete(p.register, victim)
	p.giveBack(r)
}

// fetch gives the register of a node, after loading it if need be.
func (p *pool) fetch(node int, keep ...int) reg.VecPhysical {
	r, ok := p.register[node]
	if !ok {
		r = p.take(keep...)
		p.move(p.slot[node], r)
		p.register[node] = r
	}
	return r
}

// anywhere gives a node's register, or its place on the stack.
func (p *pool) anywhere(node int) operand.Op {
	if r, ok := p.register[node]; ok {
		return r
	}
	return p.slot[node]
}

// release gives the registers of nodes back that are not needed after now.
func (p *pool) release(nodes ...int) {
	for _, node := range nodes {
		if r, ok := p.register[node]; ok && !p.needed(node) {
			delete(p.register, node)
			p.giveBack(r)
		}
	}
}

func (p *pool) needed(node int) bool { return p.nextUse(node) < len(p.events) }

// nextUse is the next event after now that reads a node.
func (p *pool) nextUse(node int) int {
	for i := p.now + 1; i < len(p.events); i++ {
		e := p.events[i]
		switch {
		case e.input:
		case e.output > 0:
			if e.node == node {
				return i
			}
		default:
			if slices.Contains(p.box.Circuit.Gates[e.node-netlist.Inputs].Nodes(), uint8(node)) {
				return i
			}
		}
	}
	return len(p.events)
}
