package settlement

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// A chunk is a piece of the input, whole lines, on its way from a worker to the
// verdict file, with what has been found out about it.
type chunk struct {
	text   []byte // lies in the buffer of the worker
	parser parser
	file   int   // from 1
	first  int64 // the number of the first line
	lines  int64
	end    int64 // where the next chunk begins
	long   bool  // a single line that is too long, and not in text

	verdicts []byte // lines of the verdict file
	tally    tally
	err      error         // nobody answered
	done     chan struct{} // holds one token when a worker is through
}

func newChunk() *chunk { return &chunk{done: make(chan struct{}, 1)} }

// A cutter cuts the text of one file into chunks.
type cutter struct {
	in     *bufio.Reader
	parser parser
	file   int
	line   int64 // the number of the next line
	at     int64 // its offset in the text
	rest   []byte
	ended  bool
}

// next reads text into a buffer and fills in c, or gives io.EOF where there is
// nothing left.
func (s *cutter) next(c *chunk, buffer []byte) error {
	n := copy(buffer, s.rest)
	s.rest = s.rest[:0]
	n, err := s.fill(buffer, n)
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	cut := n
	if !s.ended {
		cut = bytes.LastIndexByte(buffer[:n], '\n') + 1
		s.rest = append(s.rest, buffer[cut:n]...)
	}
	c.text, c.long = buffer[:cut], false
	c.parser, c.file, c.first = s.parser, s.file, s.line
	c.lines = int64(bytes.Count(c.text, []byte{'\n'}))
	if cut > 0 && c.text[cut-1] != '\n' {
		c.lines++
	}
	s.at += int64(cut)
	if cut == 0 {
		c.long, c.lines = true, 1
		if err := s.passLine(); err != nil {
			return err
		}
	}
	s.line += c.lines
	c.end = s.at
	return nil
}

// fill reads until the buffer, which holds n bytes, is full or the text ends.
// An unexpected end, as of a file that is cut short, is an error.
func (s *cutter) fill(buffer []byte, n int) (int, error) {
	for n < len(buffer) && !s.ended {
		read, err := s.in.Read(buffer[n:])
		n += read
		if s.ended = errors.Is(err, io.EOF); err != nil && !s.ended {
			return n, err
		}
	}
	return n, nil
}

// passLine passes over a line that fills a whole chunk without coming to an
// end.
func (s *cutter) passLine() error {
	s.at += int64(len(s.rest))
	s.rest = s.rest[:0]
	for {
		piece, err := s.in.ReadSlice('\n')
		s.at += int64(len(piece))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			s.ended = true
			return nil
		default:
			return err
		}
	}
}
