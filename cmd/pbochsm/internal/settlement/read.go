package settlement

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
)

// readAll cuts the files into chunks, from a place in the file of that number
// on.
func (r *run) readAll(ctx context.Context, file int, offset, line int64) {
	defer close(r.work)
	defer close(r.order)
	for i := 1; i < file && i <= len(r.Files); i++ {
		if info, err := os.Stat(r.Files[i-1]); err == nil {
			r.read.Add(info.Size())
		}
	}
	for ; file <= len(r.Files) && ctx.Err() == nil; file++ {
		if err := r.readFile(ctx, file, offset, line); err != nil {
			failed := &chunk{file: file, err: err, done: make(chan struct{}, 1)}
			failed.done <- struct{}{}
			r.order <- failed
			return
		}
		offset, line = 0, 1
	}
}

func (r *run) readFile(ctx context.Context, file int, offset, line int64) error {
	in, err := openInput(r.Files[file-1], r.Stdin, &r.read)
	if err != nil {
		return err
	}
	defer in.Close()
	text := bufio.NewReaderSize(in.text, maxLine)
	head := &headReader{in: text}
	p, err := r.Format.open(head)
	if err != nil {
		return err
	}
	s := &cutter{in: text, parser: p, file: file, line: head.lines + 1, at: head.bytes}
	if offset > 0 {
		if err := in.skip(text, head.bytes, offset, &r.read); err != nil {
			return err
		}
		s.at, s.line = offset, line
	}
	for {
		var c *chunk
		select {
		case <-ctx.Done():
			return nil
		case c = <-r.free:
		}
		if err := s.next(c); errors.Is(err, io.EOF) {
			r.free <- c
			return nil
		} else if err != nil {
			return err
		}
		r.work <- c
		r.order <- c
	}
}
