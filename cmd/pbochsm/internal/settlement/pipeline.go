package settlement

import (
	"context"
	"fmt"
)

// pipeline runs all stages until the input ends, one of them fails, or ctx
// ends.
func (r *run) pipeline(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	n := 2*r.Workers + 2
	r.free, r.order = make(chan *chunk, n), make(chan *chunk, n)
	for range n {
		r.free <- newChunk()
	}
	s := r.newSource(r.state.File, r.state.Offset, r.state.Line)
	// A read of the standard input cannot be stopped, so nobody waits for a worker
	// that reads: it ends with its input, or with the process.
	defer s.abandon()
	defer r.working.close()
	defer cancel()
	for range r.Workers {
		go r.worker(ctx, s)
	}
	return r.collect(ctx)
}

func (r *run) worker(ctx context.Context, s *source) {
	w := &worker{hsm: r.HSM, needs: r.needs, lines: r.lines, write: r.Out != "", batch: batchFor(r.HSM)}
	buffer := make([]byte, r.Chunk)
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-r.free:
			if !s.take(ctx, c, buffer) {
				return
			}
			w.work(ctx, c)
			c.done <- struct{}{}
			r.working.leave()
		}
	}
}

// collect takes the chunks in the order of the input.
func (r *run) collect(ctx context.Context) error {
	r.saved = r.Now()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c, ok := <-r.order:
			if !ok {
				return nil
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-c.done:
			}
			if err := r.take(c); err != nil {
				return err
			}
			r.free <- c
		}
	}
}

// take adds what is known of the next chunk.
func (r *run) take(c *chunk) error {
	if c.err != nil {
		if c.file > 0 && c.file <= len(r.Files) {
			return fmt.Errorf("%s: %w", r.Files[c.file-1], c.err)
		}
		return c.err
	}
	if r.out != nil {
		if err := r.append(c.verdicts); err != nil {
			return err
		}
	}
	r.totals.add(&c.tally)
	r.state.File, r.state.Offset, r.state.Line = c.file, c.end, c.first+c.lines
	if r.Progress != nil {
		r.Progress(Progress{Records: r.totals.records(), Read: r.read.Load(), Size: r.size})
	}
	if now := r.Now(); now.Sub(r.saved) >= r.Interval {
		r.saved = now
		return r.save()
	}
	return nil
}
