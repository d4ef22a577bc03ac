package settlement

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Format is how the lines of files become records: a *CSV or a *Layout.
type Format interface {
	// open reads what stands before the first record and gives the parser of
	// the rest.
	open(*headReader) (parser, error)
}

// A parser fills in a record from a line without its end. It is used by many
// goroutines at once.
type parser interface {
	template() *template
	parse(line []byte, r *record)
	// never gives two bytes that change how a line is parsed wherever they
	// stand in it.
	never() [2]byte
}

// identity tells one format from another in a state file.
func identity(f Format) (string, error) {
	text, err := json.Marshal(f)
	return fmt.Sprintf("%T %s", f, text), err
}

// maxLine bounds a line. What is longer is no record.
const maxLine = 64 << 10

// A headReader reads the lines before the first record, and counts them.
type headReader struct {
	in    *bufio.Reader // with room for maxLine
	bytes int64
	lines int64
}

// line gives the next line without its end, until the next call.
func (h *headReader) line() ([]byte, error) {
	line, err := h.in.ReadSlice('\n')
	h.bytes += int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("the first line is longer than %d bytes", maxLine)
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, errors.New("the file is empty")
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	h.lines++
	return withoutEnd(line), nil
}

// withoutEnd takes the line feed off, and the carriage return before it.
func withoutEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
