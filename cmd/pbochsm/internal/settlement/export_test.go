package settlement

import (
	"bufio"
	"bytes"
	"context"
	"time"

	"pbochsm/mac"
)

// Stages times what a worker does with a chunk, stage by stage.
type Stages struct {
	w *worker
	c *chunk
}

// NewStages has the text of one file, which becomes one chunk.
func NewStages(f Format, hsm mac.HSM, text []byte) (*Stages, error) {
	in := bufio.NewReaderSize(bytes.NewReader(text), maxLine)
	head := &headReader{in: in}
	p, err := f.open(head)
	if err != nil {
		return nil, err
	}
	c := newChunk(len(text))
	s := &cutter{in: in, parser: p, file: 1, line: head.lines + 1}
	return &Stages{&worker{hsm: hsm, needs: newKindNeeds(), lines: newVerdictLine(), write: true}, c}, s.next(c)
}

// Once does the work once: how long each stage took, and of how many records.
func (s *Stages) Once(ctx context.Context) (parse, ask, judge time.Duration, records int, err error) {
	s.c.tally.clear()
	s.c.verdicts = s.c.verdicts[:0]
	s.w.ops, s.w.entries = s.w.ops[:0], s.w.entries[:0]
	start := time.Now()
	s.w.parse(s.c)
	parsed := time.Now()
	if err = s.w.ask(ctx); err != nil {
		return
	}
	asked := time.Now()
	err = s.w.judge(s.c)
	return parsed.Sub(start), asked.Sub(parsed), time.Since(asked), len(s.w.entries), err
}
