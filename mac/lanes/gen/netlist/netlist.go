// Package netlist holds the S-boxes as circuits: lists of gates that compute
// the output bits from the input bits without a table. A circuit runs in all
// lanes at once, however many there are.
//
// Nodes are numbered. The first are the inputs, leftmost bit first; each gate is
// the next node and reads earlier ones. In a file, a gate is a line such as
// "9 xor 2 7", the last line names the nodes of the outputs, and "#" begins a
// comment.
//
// Each S-box of DES has two circuits. One has the gates that every processor
// has. The other is of lookup gates, for processors that compute any function of
// three inputs in one instruction: "9 lookup 2 7 4 e8" is a gate of three nodes
// and its truth table, in which the values of the nodes, read as a number, count
// the bits from the right. The S-box of SM4 has the first kind alone.
package netlist

// Inputs and Outputs of an S-box of DES.
const (
	Inputs  = 6
	Outputs = 4
)

// An Op is what a gate does.
type Op uint8

// Ops.
const (
	Not Op = iota
	And
	Or
	Xor
	AndNot // the first and not the second
	Lookup // any function of three
	numOps
)

var words = [numOps]string{"not", "and", "or", "xor", "andn", "lookup"}

// String gives the word that files use.
func (o Op) String() string { return words[o] }

// Reads tells how many nodes the gate reads.
func (o Op) Reads() int {
	switch o {
	case Not:
		return 1
	case Lookup:
		return 3
	}
	return 2
}

// Apply computes a gate of one or two nodes for 64 cases at once; Not looks at
// a alone.
func (o Op) Apply(a, b uint64) uint64 {
	switch o {
	case And:
		return a & b
	case Or:
		return a | b
	case Xor:
		return a ^ b
	case AndNot:
		return a &^ b
	}
	return ^a
}

// LookUp computes a lookup gate for 64 cases at once: a, b and c choose, one
// after the other, from what is left of the table.
func LookUp(table uint8, a, b, c uint64) uint64 {
	var v [8]uint64
	for i := range v {
		v[i] = -uint64(table >> i & 1)
	}
	for i := range 4 {
		v[i] ^= a & (v[i] ^ v[i+4])
	}
	for i := range 2 {
		v[i] ^= b & (v[i] ^ v[i+2])
	}
	return v[0] ^ c&(v[0]^v[1])
}

// A Gate applies Op to the nodes A, B and C, or to as many as it reads.
type Gate struct {
	Op      Op
	A, B, C uint8
	Table   uint8 // of Lookup
}

// Nodes are those that the gate reads.
func (g Gate) Nodes() []uint8 { return []uint8{g.A, g.B, g.C}[:g.Op.Reads()] }

// apply computes the gate from the tables of the nodes before it.
func (g Gate) apply(tables []uint64) uint64 {
	if g.Op == Lookup {
		return LookUp(g.Table, tables[g.A], tables[g.B], tables[g.C])
	}
	return g.Op.Apply(tables[g.A], tables[g.B])
}

// A Netlist is a circuit.
type Netlist struct {
	Inputs int
	Gates  []Gate
	Out    []uint8
}

// Add appends a gate and gives its node.
func (n *Netlist) Add(op Op, a, b uint8) uint8 {
	n.Gates = append(n.Gates, Gate{Op: op, A: a, B: b})
	return uint8(n.nodes() - 1)
}

// Compute gives the values of every node from those of the inputs, for 64 cases
// at once.
func (n *Netlist) Compute(inputs []uint64) []uint64 {
	values := append(make([]uint64, 0, n.nodes()), inputs...)
	for _, g := range n.Gates {
		values = append(values, g.apply(values))
	}
	return values
}
