package netlist

import (
	"embed"
	"fmt"

	"pbochsm/mac/lanes/gen/fips46"
)

//go:embed s?.txt lookup?.txt
var files embed.FS

// Box gives the circuit of S-box box, counted from 1, that this package keeps.
// It is proved to be that S-box.
func Box(box int) (*Netlist, error) { return read(fmt.Sprintf("s%d.txt", box), box) }

// LookupBox is Box for the circuit of lookup gates.
func LookupBox(box int) (*Netlist, error) { return read(fmt.Sprintf("lookup%d.txt", box), box) }

func read(name string, box int) (*Netlist, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("netlist: %w", err)
	}
	n, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("netlist: %s: %w", name, err)
	}
	if err := n.Prove(box); err != nil {
		return nil, fmt.Errorf("netlist: %s: %w", name, err)
	}
	return n, nil
}

// Wanted is the truth tables of the outputs of S-box box, leftmost bit first.
func Wanted(box int) (tables [Outputs]uint64) {
	for x := range 64 {
		y := fips46.Substitute(box, x)
		for o := range tables {
			tables[o] |= uint64(y>>(Outputs-1-o)&1) << x
		}
	}
	return tables
}

// Prove compares the circuit with S-box box on all 64 inputs.
func (n *Netlist) Prove(box int) error {
	tables := n.Tables()
	for o, want := range Wanted(box) {
		if wrong := tables[n.Out[o]] ^ want; wrong != 0 {
			return fmt.Errorf("output %d of S-box %d is wrong for the inputs %#x", o, box, wrong)
		}
	}
	return nil
}
