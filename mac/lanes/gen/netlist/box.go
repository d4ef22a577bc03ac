package netlist

import (
	"embed"
	"fmt"

	"pbochsm/mac/lanes/gen/fips46"
	"pbochsm/mac/lanes/gen/gbt32907"
)

//go:embed s?.txt lookup?.txt sm4.txt
var files embed.FS

// Box gives the circuit of S-box box of DES, counted from 1, that this package
// keeps. It is proved to be that S-box.
func Box(box int) (*Netlist, error) { return read(fmt.Sprintf("s%d.txt", box), DES(box)) }

// LookupBox is Box for the circuit of lookup gates.
func LookupBox(box int) (*Netlist, error) { return read(fmt.Sprintf("lookup%d.txt", box), DES(box)) }

// SM4Box is Box for the S-box of SM4.
func SM4Box() (*Netlist, error) { return read("sm4.txt", SM4) }

func read(name string, s Standard) (*Netlist, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("netlist: %w", err)
	}
	n, err := s.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("netlist: %s: %w", name, err)
	}
	if err := s.Prove(n); err != nil {
		return nil, fmt.Errorf("netlist: %s: %w", name, err)
	}
	return n, nil
}

// A Standard is an S-box as its standard has it, by which circuits are judged.
type Standard struct {
	Inputs, Outputs int // bits
	Substitute      func(x int) int
}

// DES is S-box box of DES.
func DES(box int) Standard {
	return Standard{Inputs, Outputs, func(x int) int { return fips46.Substitute(box, x) }}
}

// SM4 is that of SM4.
var SM4 = Standard{8, 8, func(x int) int { return int(gbt32907.Substitute(byte(x))) }}

// Prove compares the circuit with the S-box on all inputs.
func (s Standard) Prove(n *Netlist) error {
	if n.Inputs != s.Inputs || len(n.Out) != s.Outputs {
		return fmt.Errorf("a circuit of %d inputs and %d outputs, want %d and %d", n.Inputs, len(n.Out), s.Inputs, s.Outputs)
	}
	for first := 0; first < 1<<s.Inputs; first += 64 {
		values := n.Compute(s.Given(first))
		for o, want := range s.Wanted(first) {
			if wrong := values[n.Out[o]] ^ want; wrong != 0 {
				return fmt.Errorf("output %d is wrong for the inputs %#x from %d on", o, wrong, first)
			}
		}
	}
	return nil
}

// Given is the values of the inputs, leftmost bit first, in 64 cases: bit x of
// each belongs to the input first+x.
func (s Standard) Given(first int) []uint64 {
	return tables(s.Inputs, func(x int) int { return first + x })
}

// Wanted is those of the outputs.
func (s Standard) Wanted(first int) []uint64 {
	return tables(s.Outputs, func(x int) int { return s.Substitute(first + x) })
}

// tables is the bits of f of 64 numbers, leftmost first.
func tables(bits int, f func(x int) int) []uint64 {
	tables := make([]uint64, bits)
	for x := range 64 {
		y := f(x)
		for i := range tables {
			tables[i] |= uint64(y>>(bits-1-i)&1) << x
		}
	}
	return tables
}
