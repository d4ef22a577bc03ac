package netlist_test

import (
	"strings"
	"testing"

	"pbochsm/mac/lanes/gen/netlist"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	const text = "6 not 0\n7 andn 6 5\n8 xor 7 1\n9 or 8 2\n10 and 9 3\n11 lookup 10 0 9 e8\nout 10 11 8 7\n"
	n, err := netlist.DES(1).Parse("# a comment\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.String(); got != text {
		t.Errorf("String() = %q, want %q", got, text)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no outputs":         "6 not 0\n",
		"unknown gate":       "6 nand 0 1\nout 6 6 6 6\n",
		"gate without name":  "6\nout 0 0 0 0\n",
		"wrong number":       "7 not 0\nout 0 0 0 0\n",
		"reads itself":       "6 not 6\nout 6 6 6 6\n",
		"too few nodes":      "6 and 0\nout 6 6 6 6\n",
		"too many nodes":     "6 not 0 1\nout 6 6 6 6\n",
		"lookup too short":   "6 lookup\nout 6 6 6 6\n",
		"lookup of two":      "6 lookup 0 1 e8\nout 6 6 6 6\n",
		"lookup of no table": "6 lookup 0 1 2 x\nout 6 6 6 6\n",
		"table too large":    "6 lookup 0 1 2 100\nout 6 6 6 6\n",
		"not a number":       "6 not x\nout 6 6 6 6\n",
		"three outputs":      "6 not 0\nout 6 6 6\n",
		"undefined output":   "6 not 0\nout 6 6 6 7\n",
		"text after outputs": "out 0 0 0 0\n6 not 0\n",
	} {
		t.Run(name, func(t *testing.T) {
			if n, err := netlist.DES(1).Parse(text); err == nil {
				t.Errorf("Parse(%q) = %v, want an error", text, strings.Fields(n.String()))
			}
		})
	}
}
