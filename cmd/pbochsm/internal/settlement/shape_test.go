package settlement

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pbochsm/mac"
)

// A note keeps the operations that it was asked.
type note struct{ ops []mac.Op }

func (n *note) Do(_ context.Context, ops []mac.Op) error {
	n.ops = append(n.ops, ops...)
	return nil
}

// withoutShapes makes a worker that takes every line of p through the parser.
func (w *worker) withoutShapes(p parser) { w.shapes = shapes{parser: p, count: maxShapes} }

// A comparison has a worker that knows shapes and one that does not.
type comparison struct {
	workers [2]*worker
	asked   [2]note
}

func newComparison() *comparison {
	c := new(comparison)
	for i := range c.workers {
		c.workers[i] = &worker{hsm: &c.asked[i], needs: newKindNeeds(), lines: newVerdictLine(), write: true}
	}
	return c
}

// agree holds lines that are read by their shapes against lines that are
// parsed: they become the same operations, and get the same verdicts. It tells
// how many shapes there were.
func (c *comparison) agree(t *testing.T, p parser, text []byte) int {
	t.Helper()
	var chunks [2]*chunk
	for i, w := range c.workers {
		c.asked[i].ops = c.asked[i].ops[:0]
		w.shapes = shapes{}
		if i == 1 {
			w.withoutShapes(p)
		}
		chunks[i] = newChunk()
		chunks[i].text, chunks[i].parser, chunks[i].file, chunks[i].first = text, p, 1, 1
		if w.work(t.Context(), chunks[i]); chunks[i].err != nil {
			t.Fatal(chunks[i].err)
		}
	}
	if !bytes.Equal(chunks[0].verdicts, chunks[1].verdicts) {
		t.Fatalf("by shapes:\n%sparsed:\n%sof:\n%q", chunks[0].verdicts, chunks[1].verdicts, text)
	}
	for i, op := range c.asked[1].ops {
		if c.asked[0].ops[i] != op {
			t.Fatalf("operation %d by shapes: %+v\nparsed: %+v\nof: %q", i, c.asked[0].ops[i], op, text)
		}
	}
	if chunks[0].tally.reasons != chunks[1].tally.reasons {
		t.Fatal("other counts")
	}
	return c.workers[0].shapes.count
}

// A fileDrawer draws files of one format.
type fileDrawer struct {
	*rand.Rand
	parser  parser
	columns []string
	sep     string
	widths  []int
	writer  *Writer
}

// drawCSV draws the columns of a file: in any order, with others between them,
// and with constants for some.
func drawCSV(t *testing.T, r *rand.Rand) *fileDrawer {
	t.Helper()
	d := &fileDrawer{Rand: r, writer: NewCSVWriter(), columns: Names(), sep: string(",;|\tx"[r.IntN(5)])}
	constants := map[string]string{}
	if r.IntN(2) == 0 {
		constants = map[string]string{"set": "A1", "version": "01", "algorithm": "00", "date": "20240229", "operation": "purchase-tac"}
	}
	for range r.IntN(3) {
		d.columns = append(d.columns, "")
	}
	r.Shuffle(len(d.columns), func(i, j int) { d.columns[i], d.columns[j] = d.columns[j], d.columns[i] })
	f := &CSV{Separator: d.sep[0], Columns: d.columns, Constants: Constants{Values: constants}}
	d.open(t, f)
	return d
}

// drawLayout draws places of different widths, with room between them.
func drawLayout(t *testing.T, r *rand.Rand) *fileDrawer {
	t.Helper()
	d := &fileDrawer{Rand: r, writer: NewCSVWriter()}
	l := &Layout{Operations: map[string]string{"L": "load-tac", "DD": "purchase-tac"}}
	at := 1
	for _, i := range r.Perm(len(columns())) {
		p := columns()[i]
		width := fixedWidth(p) + r.IntN(2)
		if r.IntN(4) == 0 {
			d.columns, d.widths = append(d.columns, ""), append(d.widths, 3)
			at += 3
		}
		d.columns, d.widths = append(d.columns, p.String()), append(d.widths, width)
		l.Columns = append(l.Columns, Place{p.String(), at, width})
		at += width
	}
	d.open(t, l)
	return d
}

func (d *fileDrawer) open(t *testing.T, f Format) {
	t.Helper()
	var err error
	if d.parser, err = f.open(&headReader{in: bufio.NewReader(strings.NewReader(""))}); err != nil {
		t.Fatal(err)
	}
}

// value draws what op has in a column: sometimes nothing, or something wrong.
func (d *fileDrawer) value(op *mac.Op, name string) string {
	p, ok := named(name)
	switch {
	case !ok:
		return [...]string{"", "x y", "\"", "\r", "ab"}[d.IntN(5)]
	case d.IntN(200) == 0:
		return ""
	case p.factor() >= int(op.Levels):
		return ""
	case p == partOperation && d.widths != nil && d.IntN(2) == 0:
		return "L"
	}
	value := string(d.writer.value(nil, p, op))
	if d.IntN(8) == 0 {
		value = strings.ToLower(value)
	}
	if d.widths == nil && d.IntN(100) == 0 {
		value = `"` + value + `"`
	}
	return value
}

// lines draws lines, most of them sound.
func (d *fileDrawer) lines(n int) (text []byte) {
	for range n {
		op := anyOp(d.Rand, Kinds()[d.IntN(len(Kinds()))])
		op.Levels = uint8(d.IntN(3))
		line := ""
		for i, name := range d.columns {
			value := d.value(&op, name)
			if d.widths != nil {
				value = fmt.Sprintf("%*s", d.widths[i]*(1-2*d.IntN(2)), value)[:d.widths[i]]
			} else if i > 0 {
				line += d.sep
			}
			line += value
		}
		text = append(text, line...)
		text = append(text, [...]string{"\n", "\n", "\n", "\r\n", "\n\n"}[d.IntN(5)]...)
	}
	return text
}

// damage changes a byte in one line of ten or so.
func (d *fileDrawer) damage(text []byte) {
	for range len(text) / 1000 {
		at := d.IntN(len(text))
		text[at] = [...]byte{'\n', ' ', 'g', '/', ':', '@', '"', ',', '-', '0', 'F', '\r', 0x80, 'x', byte(d.Uint32())}[d.IntN(15)]
	}
}

// What is read by its shape is what the parser reads, in sound lines and in
// damaged ones.
func TestShapesReadWhatTheParserReads(t *testing.T) {
	r, c := rand.New(rand.NewPCG(11, 12)), newComparison()
	for name, drawn := range map[string]func(*testing.T, *rand.Rand) *fileDrawer{"csv": drawCSV, "layout": drawLayout} {
		t.Run(name, func(t *testing.T) {
			shapes := 0
			for range 40 {
				d := drawn(t, r)
				text := d.lines(400)
				shapes += c.agree(t, d.parser, text)
				d.damage(text)
				c.agree(t, d.parser, text)
			}
			if shapes < 40*5 {
				t.Errorf("%d shapes in 40 files: the test compares the parser with itself", shapes)
			}
		})
	}
}

// Every byte of a line changed to any that matters, after a sound one.
func TestShapesMissNothing(t *testing.T) {
	r, c := rand.New(rand.NewPCG(13, 14)), newComparison()
	for range 2 {
		d := drawCSV(t, r)
		for _, k := range Kinds() {
			op := anyOp(r, k)
			var values []string
			for _, name := range d.columns {
				values = append(values, d.value(&op, name))
			}
			sound := strings.Join(values, d.sep) + "\n"
			for at := range sound {
				for _, b := range "\n\r \",;xg09AFf/:@`G\x00" {
					line := []byte(sound)
					line[at] = byte(b)
					c.agree(t, d.parser, slices.Concat([]byte(sound), line, []byte(sound), []byte(sound)))
				}
			}
		}
	}
}

// The usual file has every line but the first few read by its shape.
func TestMostLinesHaveAShape(t *testing.T) {
	for name, w := range map[string]*Writer{"csv": NewCSVWriter(), "fixed": NewFixedWriter()} {
		var f Format = &CSV{Columns: Names()}
		if name == "fixed" {
			l, err := ReadLayout(strings.NewReader(w.Layout()))
			if err != nil {
				t.Fatal(err)
			}
			f = l
		}
		d := new(fileDrawer)
		d.open(t, f)
		counted := &countingParser{parser: d.parser}
		r := rand.New(rand.NewPCG(15, 16))
		c := newChunk()
		c.parser, c.file, c.first = counted, 1, 1
		for n := range 1000 {
			op := anyOp(r, Kinds()[n%len(Kinds())])
			c.text = append(w.Append(c.text, &op), '\n')
		}
		worker := &worker{hsm: silent{}, needs: newKindNeeds(), lines: newVerdictLine()}
		if worker.work(t.Context(), c); c.err != nil {
			t.Fatal(c.err)
		}
		if most := len(Kinds()) * 5; counted.lines > most {
			t.Errorf("%s: %d of 1000 lines were parsed, want at most one for each operation and number of levels, %d", name, counted.lines, most)
		}
	}
}

type countingParser struct {
	parser
	lines int
}

func (p *countingParser) parse(line []byte, r *record) {
	p.lines++
	p.parser.parse(line, r)
}
