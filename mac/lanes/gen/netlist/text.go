package netlist

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the text of a file, without comments.
func (n *Netlist) String() string {
	var b strings.Builder
	for i, g := range n.Gates {
		fmt.Fprintf(&b, "%d %s", n.Inputs+i, g.Op)
		for _, node := range g.Nodes() {
			fmt.Fprintf(&b, " %d", node)
		}
		if g.Op == Lookup {
			fmt.Fprintf(&b, " %02x", g.Table)
		}
		b.WriteByte('\n')
	}
	b.WriteString("out")
	for _, o := range n.Out {
		fmt.Fprintf(&b, " %d", o)
	}
	return b.String() + "\n"
}

// Parse reads the text of a file, whose circuit may yet be a wrong one. A gate
// that reads a node not yet defined is an error, and so is anything after the
// outputs.
func (s Standard) Parse(text string) (*Netlist, error) {
	n := &Netlist{Inputs: s.Inputs, Out: make([]uint8, s.Outputs)}
	done := false
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var err error
		switch {
		case done:
			err = fmt.Errorf("text after the outputs")
		case words[0] == "out":
			done = true
			err = n.parseNodes(words[1:], n.Out)
		default:
			err = n.parseGate(words)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if !done {
		return nil, fmt.Errorf("no outputs")
	}
	return n, nil
}

func (n *Netlist) parseGate(line []string) error {
	if line[0] != strconv.Itoa(n.nodes()) {
		return fmt.Errorf("the next node is %d, not %s", n.nodes(), line[0])
	}
	for op := range numOps {
		if len(line) == 1 || line[1] != op.String() {
			continue
		}
		words := line[2:]
		g := Gate{Op: op}
		if op == Lookup && len(words) > 0 {
			table, err := strconv.ParseUint(words[len(words)-1], 16, 8)
			if err != nil {
				return err
			}
			g.Table, words = uint8(table), words[:len(words)-1]
		}
		var in [3]uint8
		if err := n.parseNodes(words, in[:op.Reads()]); err != nil {
			return err
		}
		g.A, g.B, g.C = in[0], in[1], in[2]
		n.Gates = append(n.Gates, g)
		return nil
	}
	return fmt.Errorf("unknown gate %q", line)
}

func (n *Netlist) parseNodes(words []string, nodes []uint8) error {
	if len(words) != len(nodes) {
		return fmt.Errorf("%d nodes, want %d", len(words), len(nodes))
	}
	for i, w := range words {
		node, err := strconv.ParseUint(w, 10, 8)
		if err != nil {
			return err
		}
		if int(node) >= n.nodes() {
			return fmt.Errorf("node %d is not defined", node)
		}
		nodes[i] = uint8(node)
	}
	return nil
}

// nodes counts the nodes defined so far.
func (n *Netlist) nodes() int { return n.Inputs + len(n.Gates) }
