// Package netlist holds the S-boxes as circuits: lists of gates that compute
// the four output bits from the six input bits without a table. A circuit
// runs in all lanes at once, however many there are.
//
// Nodes are numbered. The first six are the inputs, leftmost bit first; each
// gate is the next node and reads earlier ones. In a file, a gate is a line
// such as "9 xor 2 7", the last line names the nodes of the outputs, and "#"
// begins a comment.
package netlist

// Inputs and Outputs of an S-box.
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
	numOps
)

var words = [numOps]string{"not", "and", "or", "xor", "andn"}

// String gives the word that files use.
func (o Op) String() string { return words[o] }

// Reads tells how many nodes the gate reads.
func (o Op) Reads() int {
	if o == Not {
		return 1
	}
	return 2
}

// Apply computes the gate for 64 cases at once; Not looks at a alone.
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

// A Gate applies Op to two nodes, or to node A alone.
type Gate struct {
	Op   Op
	A, B uint8
}

// A Netlist is a circuit.
type Netlist struct {
	Gates []Gate
	Out   [Outputs]uint8
}

// Tables gives the truth table of every node: bit x of a table is the value
// of the node when the inputs, read as a number, are x.
func (n *Netlist) Tables() []uint64 {
	tables := make([]uint64, 0, Inputs+len(n.Gates))
	for i := range Inputs {
		tables = append(tables, Input(i))
	}
	for _, g := range n.Gates {
		tables = append(tables, g.Op.Apply(tables[g.A], tables[g.B]))
	}
	return tables
}

// Input is the truth table of input i.
func Input(i int) (table uint64) {
	for x := range 64 {
		table |= uint64(x>>(Inputs-1-i)&1) << x
	}
	return table
}
