// Search finds small circuits for the S-boxes. Every start is a few circuits
// built by division in random order, of which the smallest is improved by a
// random walk. A start depends on its number alone, so the one that found a
// circuit finds it again:
//
//	go run ./mac/lanes/gen/search -box 1 -from 17 -starts 1
//
// With -lookup it looks for circuits of lookup gates, see meshwalk.go.
//
// With -write, circuits better than those in the directory replace them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"pbochsm/mac/lanes/gen/netlist"
)

// An effort is what one start may cost.
type effort struct {
	builds int // circuits to build, of which the smallest goes on
	moves  int // of its walk
}

// full is a few seconds' work.
var full = effort{builds: 4, moves: 200_000}

// How many divisions to try at each depth, for a circuit and within one.
var (
	wide   = [netlist.Inputs + 1]int{6, 6, 3, 1, 1, 1, 1}
	narrow = [netlist.Inputs + 1]int{0, 6, 3, 1, 1, 1, 1}
)

func main() {
	box := flag.Int("box", 1, "S-box, 1 to 8")
	from := flag.Uint64("from", 1, "number of the first start")
	starts := flag.Uint64("starts", 10, "how many starts")
	lookup := flag.Bool("lookup", false, "look for circuits of lookup gates")
	write := flag.String("write", "", "directory of the netlists to improve")
	flag.Parse()
	if err := run(kinds[*lookup], *box, *from, *starts, *write); err != nil {
		fmt.Fprintln(os.Stderr, "search: error:", err)
		os.Exit(1)
	}
}

// A kind of circuit, with the way to find one and what tells good from poor.
type kind struct {
	file  string // where it is kept
	flag  string // of the command that finds it
	start func(box int, number uint64) (*netlist.Netlist, error)
	price func(n *netlist.Netlist) int
}

// kinds by the flag -lookup.
var kinds = map[bool]kind{
	false: {
		file: "s%d.txt",
		start: func(box int, number uint64) (*netlist.Netlist, error) {
			return full.start(box, number).netlist(), nil
		},
		price: func(n *netlist.Netlist) int { return circuitOf(n).price() },
	},
	true: {
		file: "lookup%d.txt", flag: " -lookup", start: startLookup,
		price: func(n *netlist.Netlist) int { return len(n.Gates) },
	},
}

func run(k kind, box int, from, starts uint64, dir string) error {
	if box < 1 || box > 8 {
		return errors.New("there are S-boxes 1 to 8")
	}
	var best *netlist.Netlist
	for number := from; number < from+starts; number++ {
		n, err := k.start(box, number)
		if err != nil {
			return err
		}
		if best != nil && k.price(best) <= k.price(n) {
			continue
		}
		best = n
		if err := k.keep(dir, box, number, n); err != nil {
			return err
		}
	}
	return nil
}

// start builds, walks and orders once.
func (e effort) start(box int, number uint64) *circuit {
	b := builder{
		rng:   rand.New(rand.NewPCG(uint64(box), number)),
		limit: maxNodes,
		width: wide,
	}
	var best circuit
	for built := 0; built < e.builds || best.n == 0; built++ {
		if b.construct(netlist.Wanted(box)) {
			best = b.circuit
			b.limit = best.n - 1
		}
	}
	w := walker{circuit: best.compact(), rng: b.rng}
	return ordered(w.walk(e.moves), b.rng)
}

// keep prints n, or writes it to dir if it is better than what is there.
func (k kind) keep(dir string, box int, number uint64, n *netlist.Netlist) error {
	if err := n.Prove(box); err != nil {
		return err
	}
	text := fmt.Sprintf("# S-box %d, %d gates. Found by:\n# go run ./mac/lanes/gen/search%s -box %d -from %d -starts 1\n%s",
		box, len(n.Gates), k.flag, box, number, n)
	if dir == "" {
		_, err := fmt.Print(text)
		return err
	}
	path := filepath.Join(dir, fmt.Sprintf(k.file, box))
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	kept, err := netlist.Parse(string(old))
	if err == nil && kept.Prove(box) == nil && k.price(kept) <= k.price(n) {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
