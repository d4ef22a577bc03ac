package settlement

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"

	"pbochsm/mac"
)

// A worker turns the lines of chunks into verdicts. Its memory is used again
// for each chunk.
type worker struct {
	hsm     mac.HSM
	needs   *kindNeeds
	lines   *verdictLine
	write   bool // whether there is a verdict file
	batch   int  // how many operations are asked about at once; 0: all of a chunk
	record  record
	shapes  shapes
	ops     []mac.Op
	entries []entry
}

// An entry is what is known of one line.
type entry struct {
	op      int32 // the operation that the line became, or noOp
	verdict Verdict
	about   part
	blank   bool
}

const noOp = math.MaxInt32

// smallBatch is how many operations are best asked about at once where nobody
// has to be waited for: whole groups of the widest lanes, and so few that they,
// their chains and their lines stay in the second cache of a processor.
const smallBatch = 1024

// batchFor gives a module that answers at once small batches, and any other,
// such as a daemon that frames travel to, as many operations as there are.
func batchFor(hsm mac.HSM) int {
	if p, ok := hsm.(mac.Prompt); ok && p.Prompt() {
		return smallBatch
	}
	return 0
}

// work is what a worker does with one chunk.
func (w *worker) work(ctx context.Context, c *chunk) {
	c.tally.clear()
	c.verdicts, c.err = c.verdicts[:0], nil
	w.shapes.of(c.parser)
	count := newCounter(c.file, c.first)
	if c.long {
		w.ops, w.entries = w.ops[:0], append(w.entries[:0], entry{op: noOp, verdict: Malformed, about: aboutLength})
		c.err = w.judge(c, &count)
		return
	}
	for text := c.text; len(text) > 0 && c.err == nil; {
		text = w.parse(c.parser, text)
		if c.err = w.ask(ctx); c.err == nil {
			c.err = w.judge(c, &count)
		}
	}
}

// parse reads lines until there is a batch of operations, and gives the text
// after them.
func (w *worker) parse(p parser, text []byte) []byte {
	w.ops, w.entries = w.ops[:0], w.entries[:0]
	for len(text) > 0 && (w.batch == 0 || len(w.ops) < w.batch) {
		op := w.nextOp()
		n := w.shapes.read(text, op)
		if n > 0 {
			w.entries = append(w.entries, entry{op: int32(len(w.ops) - 1)})
		} else {
			w.ops = w.ops[:len(w.ops)-1]
			n = w.parseLine(p, text)
		}
		text = text[n:]
	}
	return text
}

// parseLine reads the line that text begins with, and gives its length with its
// end. Blank lines are no records.
func (w *worker) parseLine(p parser, text []byte) int {
	n := bytes.IndexByte(text, '\n') + 1
	whole := n > 0
	if !whole {
		n = len(text)
	}
	line := withoutEnd(text[:n])
	switch {
	case len(line) == 0:
		w.entries = append(w.entries, entry{op: noOp, blank: true})
	case len(line) > maxLine:
		w.entries = append(w.entries, entry{op: noOp, verdict: Malformed, about: aboutLength})
	default:
		w.record.begin(p.template(), w.nextOp(), line)
		p.parse(line, &w.record)
		if w.enter(&w.record) && whole {
			w.shapes.learn(text[:n], &w.record)
		}
	}
	return n
}

// nextOp gives room for another operation, with whatever was in it before.
func (w *worker) nextOp() *mac.Op {
	n := len(w.ops)
	if n == cap(w.ops) {
		w.ops = append(w.ops, mac.Op{})
	}
	w.ops = w.ops[:n+1]
	return &w.ops[n]
}

// enter notes a record, and tells whether it became an operation. What cannot be
// asked about does not stay among the operations.
func (w *worker) enter(r *record) bool {
	last := int32(len(w.ops) - 1)
	about, ok := r.finish(w.needs)
	if ok {
		w.entries = append(w.entries, entry{op: last})
		return true
	}
	w.ops = w.ops[:last]
	w.entries = append(w.entries, entry{op: noOp, verdict: Malformed, about: about})
	return false
}

// ask has the module verify what can be verified.
func (w *worker) ask(ctx context.Context) error {
	if len(w.ops) == 0 {
		return ctx.Err()
	}
	return w.hsm.Do(ctx, w.ops)
}

// judge counts the verdicts of a batch and writes them down, from the line on
// that count stands at.
func (w *worker) judge(c *chunk, count *counter) error {
	for i := range w.entries {
		e := &w.entries[i]
		if e.op != noOp {
			op := &w.ops[e.op]
			e.verdict, e.about = OK, aboutNothing
			if op.Err != nil {
				var ok bool
				if e.verdict, e.about, ok = judge(op.Err); !ok {
					_, line, _ := strings.Cut(string(count.bytes()), ",")
					return fmt.Errorf("line %s: %w", line, op.Err)
				}
			}
			c.tally.count(mac.Terminal.Bytes(op), e.verdict)
		}
		if !e.blank {
			c.tally.reasons[e.verdict][e.about]++
			if w.write {
				c.verdicts = w.lines.append(c.verdicts, count, e.verdict, e.about)
			}
		}
		count.next()
	}
	return nil
}
