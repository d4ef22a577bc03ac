package settlement

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pbochsm/mac"
)

func TestCounterCounts(t *testing.T) {
	for _, start := range []int64{1, 8, 95, 998, 999_999_999_990, 1e18 - 60} {
		c := newCounter(12, start)
		for n := start; n < start+120; n++ {
			if want := fmt.Sprintf("12,%d", n); string(c.bytes()) != want {
				t.Fatalf("%s, want %s", c.bytes(), want)
			}
			for _, room := range []int{0, lineRoom - 1, lineRoom, 100} {
				got := c.appendOK(append(make([]byte, 0, 3+room), "abc"...))
				if want := fmt.Sprintf("abc12,%d,ok,\n", n); string(got) != want {
					t.Fatalf("%q, want %q", got, want)
				}
			}
			c.next()
		}
	}
}

// The names of the verdict file can be read back, also from a state file.
func TestPartsHaveNames(t *testing.T) {
	for _, p := range append(columns(), aboutKey, aboutFactors, aboutColumns, aboutLength, aboutNothing) {
		if got := aboutNamed(p.String()); got != p {
			t.Errorf("%q names %d, not %d", p, got, p)
		}
	}
	for _, k := range mac.Kinds() {
		for _, f := range k.Inputs() {
			if part(f) >= partOperation {
				t.Errorf("field %s is %d: parts that are no fields must begin above it", f, f)
			}
		}
	}
}

// anyOp is an operation with a value in every field it needs.
func anyOp(r *rand.Rand, k mac.Kind) mac.Op {
	op := mac.Op{Kind: k, Levels: uint8(r.IntN(5)), Key: mac.KeyID{Set: byte(r.Uint32()), Version: byte(r.Uint32()), Algorithm: byte(r.Uint32())}}
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	for i := range op.Levels {
		fill(op.Factors[i][:])
	}
	for _, f := range k.Inputs() {
		fill(f.Bytes(&op))
	}
	return op
}

// What a Writer writes is what a parser reads.
func TestReadsWhatIsWritten(t *testing.T) {
	layout, err := ReadLayout(strings.NewReader(NewFixedWriter().Layout()))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		writer *Writer
		format Format
	}{"csv": {NewCSVWriter(), &CSV{}}, "fixed": {NewFixedWriter(), layout}} {
		t.Run(name, func(t *testing.T) {
			p, err := c.format.open(&headReader{in: bufio.NewReader(strings.NewReader(c.writer.Head()))})
			if err != nil {
				t.Fatal(err)
			}
			random, needs := rand.New(rand.NewPCG(1, 2)), newKindNeeds()
			for n := range 2000 {
				want := anyOp(random, Kinds()[n%len(Kinds())])
				line := c.writer.Append(nil, &want)
				var got mac.Op
				var r record
				r.begin(p.template(), &got, line)
				p.parse(line, &r)
				if about, ok := r.finish(needs); !ok {
					t.Fatalf("%s: cannot be read: %s", line, about)
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(mac.Op{}), cmpopts.EquateErrors()); diff != "" {
					t.Fatalf("%s\n%s", line, diff)
				}
			}
		})
	}
}

// Beyond the most terminals that are told apart there is one place for all.
func TestTerminalsAreBounded(t *testing.T) {
	total := newTotals()
	total.most = 100
	var c tally
	for i := range 1000 {
		c.count([]byte{byte(i), byte(i >> 8), 0, 0, 0, 0}, Verdict(i%2))
	}
	total.add(&c)
	total.add(&c)
	s := total.summary()
	if len(s.Terminals) != 100 || s.Others == nil || s.Others.Sum() != 1800 {
		t.Errorf("%d terminals, others %v; want 100 and 1800 records", len(s.Terminals), s.Others)
	}
	for _, terminal := range s.Terminals {
		if terminal.Counts.Sum() != 2 {
			t.Errorf("terminal %s has %d records, want 2", terminal.Terminal, terminal.Counts.Sum())
		}
	}
}

func TestParsingDoesNotAllocate(t *testing.T) {
	p, err := (&CSV{}).open(&headReader{in: bufio.NewReader(strings.NewReader(NewCSVWriter().Head()))})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	c := newChunk()
	c.parser, c.file, c.first = p, 1, 1
	for n := range 500 {
		op := anyOp(random, Kinds()[n%len(Kinds())])
		c.text = append(NewCSVWriter().Append(c.text, &op), '\n')
	}
	w := &worker{hsm: silent{}, needs: newKindNeeds(), lines: newVerdictLine(), write: true}
	if n := testing.AllocsPerRun(20, func() { w.work(t.Context(), c) }); n != 0 || c.err != nil {
		t.Errorf("%.0f allocations for 500 records (%v)", n, c.err)
	}
}
