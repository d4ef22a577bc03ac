package settlement

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"sync"
)

// A source is the files of a run, one after another. Workers take turns in
// reading it: each reads what it will work on, so that the text is in the caches
// of the processor that needs it.
type source struct {
	*run
	mu     sync.Mutex
	file   int   // the number of the file that is open, or is to be opened next
	offset int64 // where to begin in that, if it is to be opened
	line   int64
	in     *input // nil: none is open
	cutter *cutter
	ended  bool // there is nothing more to be had
}

// newSource begins at a place in the file of that number.
func (r *run) newSource(file int, offset, line int64) *source {
	for i := 1; i < file && i <= len(r.Files); i++ {
		if info, err := os.Stat(r.Files[i-1]); err == nil {
			r.read.Add(info.Size())
		}
	}
	return &source{run: r, file: file, offset: offset, line: line}
}

// take fills in c, the next chunk in order, with text in buffer, and tells
// whether there is one. If so, who works on it is to leave working in the end.
func (s *source) take(ctx context.Context, c *chunk, buffer []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	found, err := s.next(c, buffer)
	if !found || ctx.Err() != nil || !s.working.enter() {
		s.end()
		if err != nil {
			c.file, c.err = s.file, err
			s.order <- c
			c.done <- struct{}{}
		}
		if !found {
			close(s.order)
		}
		return false
	}
	s.order <- c
	return true
}

// abandon ends the source, unless somebody reads it, which on the standard input
// may take for ever: who does will end it.
func (s *source) abandon() {
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		s.end()
	}
}

func (s *source) end() {
	s.ended = true
	s.close()
}

// next reads a chunk, if there is one left in any file.
func (s *source) next(c *chunk, buffer []byte) (found bool, err error) {
	for ; s.file <= len(s.Files); s.file, s.offset, s.line = s.file+1, 0, 1 {
		if s.in == nil {
			if err := s.open(); err != nil {
				return false, err
			}
		}
		if err := s.cutter.next(c, buffer); !errors.Is(err, io.EOF) {
			return err == nil, err
		}
		s.close()
	}
	return false, nil
}

// open opens the file at the place where it is to be taken up.
func (s *source) open() error {
	in, err := openInput(s.Files[s.file-1], s.Stdin, &s.read)
	if err != nil {
		return err
	}
	s.in = in
	text := bufio.NewReaderSize(in.text, maxLine)
	head := &headReader{in: text}
	p, err := s.Format.open(head)
	if err != nil {
		return err
	}
	s.cutter = &cutter{in: text, parser: p, file: s.file, line: head.lines + 1, at: head.bytes}
	if s.offset > 0 {
		if err := in.skip(text, head.bytes, s.offset, &s.read); err != nil {
			return err
		}
		s.cutter.at, s.cutter.line = s.offset, s.line
	}
	return nil
}

// close closes the file that is open.
func (s *source) close() {
	if s.in != nil {
		s.in.Close()
		s.in = nil
	}
}

// A gate counts those who are inside. Once it is shut, nobody enters.
type gate struct {
	mu     sync.Mutex
	shut   bool
	inside sync.WaitGroup
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut {
		g.inside.Add(1)
	}
	return !g.shut
}

func (g *gate) leave() { g.inside.Done() }

// close shuts the gate and waits until nobody is inside.
func (g *gate) close() {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.inside.Wait()
}
