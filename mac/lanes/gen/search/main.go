// Search finds small circuits for the S-boxes. Every start is a few circuits
// built by division in random order, of which the smallest is improved by a
// random walk. A start depends on its number alone, so the one that found a
// circuit finds it again:
//
//	go run ./mac/lanes/gen/search -box 1 -from 17 -starts 1
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
	write := flag.String("write", "", "directory of the netlists to improve")
	flag.Parse()
	if err := run(*box, *from, *starts, *write); err != nil {
		fmt.Fprintln(os.Stderr, "search: error:", err)
		os.Exit(1)
	}
}

func run(box int, from, starts uint64, dir string) error {
	if box < 1 || box > 8 {
		return errors.New("there are S-boxes 1 to 8")
	}
	var best *circuit
	for n := from; n < from+starts; n++ {
		c := full.start(box, n)
		if best != nil && best.price() <= c.price() {
			continue
		}
		best = c
		if err := keep(dir, box, n, c); err != nil {
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

// keep prints c, or writes it to dir if it is better than what is there.
func keep(dir string, box int, number uint64, c *circuit) error {
	n := c.netlist()
	if err := n.Prove(box); err != nil {
		return err
	}
	text := fmt.Sprintf("# S-box %d, %d gates. Found by:\n# go run ./mac/lanes/gen/search -box %d -from %d -starts 1\n%s",
		box, c.gates(), box, number, n)
	if dir == "" {
		_, err := fmt.Print(text)
		return err
	}
	path := filepath.Join(dir, fmt.Sprintf("s%d.txt", box))
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	kept, err := netlist.Parse(string(old))
	if err == nil && kept.Prove(box) == nil && circuitOf(kept).price() <= c.price() {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
