// Search finds small circuits for the S-boxes. Every start is a few circuits
// built by division in random order, of which the smallest is improved by a
// random walk. A start depends on its number alone, so the one that found a
// circuit finds it again:
//
//	go run ./mac/lanes/gen/search -box 1 -from 17 -starts 1
//
// With -lookup it looks for circuits of lookup gates, see meshwalk.go. With -sm4
// it looks for one of the S-box of SM4, which is too large to be found so, but
// has structure, see tower.go.
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
	"strconv"
	"strings"

	"pbochsm/mac/lanes/gen/netlist"
)

// An effort is what one start may cost.
type effort struct {
	builds int // circuits to build, of which the smallest goes on
	moves  int // of its walk
}

// full is a few seconds' work.
var full = effort{builds: 4, moves: 200_000}

// orderMoves is how many moves the gates of an S-box of DES make to find their
// order.
const orderMoves = 20_000

// How many divisions to try at each depth, for a circuit and within one.
var (
	wide   = [netlist.Inputs + 1]int{6, 6, 3, 1, 1, 1, 1}
	narrow = [netlist.Inputs + 1]int{0, 6, 3, 1, 1, 1, 1}
)

func main() {
	box := flag.Int("box", 1, "S-box of DES, 1 to 8")
	from := flag.Uint64("from", 1, "number of the first start")
	starts := flag.Uint64("starts", 10, "how many starts")
	lookup := flag.Bool("lookup", false, "look for circuits of lookup gates")
	sm4 := flag.Bool("sm4", false, "look for circuits of the S-box of SM4")
	write := flag.String("write", "", "directory of the netlists to improve")
	flag.Parse()
	k := ordinary
	switch {
	case *lookup && *sm4:
		fail(errors.New("SM4 has no circuit of lookup gates"))
	case *lookup:
		k = lookups
	case *sm4:
		k = sm4Box
	}
	if err := run(k, *box, *from, *starts, *write); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "search: error:", err)
	os.Exit(1)
}

// A kind of circuit, with the way to find one and what tells good from poor. In
// its texts "#" is the number of the S-box.
type kind struct {
	title    string
	file     string // where it is kept
	flags    string // of the command that finds it
	standard func(box int) netlist.Standard
	start    func(box int, number uint64) (*netlist.Netlist, error)
	price    func(n *netlist.Netlist) int
}

var (
	ordinary = kind{
		title: "S-box #", file: "s#.txt", flags: "-box #", standard: netlist.DES,
		start: func(box int, number uint64) (*netlist.Netlist, error) { return full.start(box, number), nil },
		price: price,
	}
	lookups = kind{
		title: "S-box #", file: "lookup#.txt", flags: "-lookup -box #", standard: netlist.DES,
		start: startLookup,
		price: func(n *netlist.Netlist) int { return len(n.Gates) },
	}
	sm4Box = kind{
		title: "S-box of SM4", file: "sm4.txt", flags: "-sm4",
		standard: func(int) netlist.Standard { return netlist.SM4 },
		start:    func(_ int, number uint64) (*netlist.Netlist, error) { return thorough.start(number), nil },
		price:    sm4Price,
	}
)

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
func (e effort) start(box int, number uint64) *netlist.Netlist {
	rng := rand.New(rand.NewPCG(uint64(box), number))
	return ordered(e.find(netlist.DES(box).Wanted(0), rng).netlist(), orderMoves, rng)
}

// find builds and walks.
func (e effort) find(outputs []uint64, rng *rand.Rand) *circuit {
	b := builder{rng: rng, limit: maxNodes, width: wide}
	var best circuit
	for built := 0; built < e.builds || best.n == 0; built++ {
		if b.construct(outputs) {
			best = b.circuit
			b.limit = best.n - 1
		}
	}
	w := walker{circuit: best.compact(), rng: rng}
	return w.walk(e.moves)
}

// keep prints n, or writes it to dir if it is better than what is there.
func (k kind) keep(dir string, box int, number uint64, n *netlist.Netlist) error {
	standard := k.standard(box)
	if err := standard.Prove(n); err != nil {
		return err
	}
	of := func(text string) string { return strings.ReplaceAll(text, "#", strconv.Itoa(box)) }
	text := fmt.Sprintf("# %s, %d gates. Found by:\n# go run ./mac/lanes/gen/search %s -from %d -starts 1\n%s",
		of(k.title), len(n.Gates), of(k.flags), number, n)
	if dir == "" {
		_, err := fmt.Print(text)
		return err
	}
	path := filepath.Join(dir, of(k.file))
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	kept, err := standard.Parse(string(old))
	if err == nil && standard.Prove(kept) == nil && k.price(kept) <= k.price(n) {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
