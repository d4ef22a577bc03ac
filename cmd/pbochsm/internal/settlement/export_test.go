package settlement

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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
	c := newChunk()
	s := &cutter{in: in, parser: p, file: 1, line: head.lines + 1}
	w := &worker{hsm: hsm, needs: newKindNeeds(), lines: newVerdictLine(), write: true, batch: batchFor(hsm)}
	w.shapes.of(p)
	return &Stages{w, c}, s.next(c, make([]byte, len(text)))
}

// Once does the work once: how long each stage took, and of how many records.
func (s *Stages) Once(ctx context.Context) (parse, ask, judge time.Duration, records int, err error) {
	s.c.tally.clear()
	s.c.verdicts = s.c.verdicts[:0]
	count := newCounter(1, s.c.first)
	for text := s.c.text; len(text) > 0 && err == nil; {
		start := time.Now()
		text = s.w.parse(s.c.parser, text)
		parsed := time.Now()
		err = s.w.ask(ctx)
		asked := time.Now()
		err = errors.Join(err, s.w.judge(s.c, &count))
		parse, ask, judge = parse+parsed.Sub(start), ask+asked.Sub(parsed), judge+time.Since(asked)
		records += len(s.w.entries)
	}
	return parse, ask, judge, records, err
}
