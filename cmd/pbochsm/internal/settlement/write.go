package settlement

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"pbochsm/mac"
)

// A Writer writes operations as the lines of a file, which is what a test file
// is made with. It is the other way round of reading one.
type Writer struct {
	columns []part
	needs   *kindNeeds
	sep     string
	widths  []int // nil: CSV
}

// NewCSVWriter writes all columns of Names.
func NewCSVWriter() *Writer {
	return &Writer{columns: columns(), needs: newKindNeeds(), sep: ","}
}

// NewFixedWriter writes all columns of Names with their widths, and no head.
func NewFixedWriter() *Writer {
	w := &Writer{columns: columns(), needs: newKindNeeds()}
	for _, p := range w.columns {
		w.widths = append(w.widths, fixedWidth(p))
	}
	return w
}

func fixedWidth(p part) int {
	switch {
	case p == partOperation:
		n := 0
		for _, k := range Kinds() {
			n = max(n, len(k.String()))
		}
		return n
	case p.digits() == 0:
		return 2 * mac.Field(p).Width()
	}
	return p.digits()
}

// Head is what stands before the first record.
func (w *Writer) Head() string {
	if w.widths != nil {
		return ""
	}
	return strings.Join(Names(), w.sep) + "\n"
}

// Layout is the layout of the lines, as YAML, where they have one.
func (w *Writer) Layout() string {
	var text strings.Builder
	text.WriteString("columns:\n")
	at := 1
	for i, p := range w.columns {
		fmt.Fprintf(&text, "  - {name: %s, start: %d, width: %d}\n", p, at, w.widths[i])
		at += w.widths[i]
	}
	return text.String()
}

// Append appends the line of op, without a line feed.
func (w *Writer) Append(line []byte, op *mac.Op) []byte {
	for i, p := range w.columns {
		if i > 0 {
			line = append(line, w.sep...)
		}
		before := len(line)
		line = w.value(line, p, op)
		if w.widths != nil {
			line = append(line, bytes.Repeat([]byte{' '}, max(0, w.widths[i]-(len(line)-before)))...)
		}
	}
	return line
}

// value appends the value of a part, nothing if op has none.
func (w *Writer) value(line []byte, p part, op *mac.Op) []byte {
	var raw []byte
	switch i := p.factor(); {
	case p == partOperation:
		return append(line, op.Kind.String()...)
	case i >= 0 && i < int(op.Levels):
		raw = op.Factors[i][:]
	case i >= 0:
	case p < partOperation && (w.needs[op.Kind].has(p) || mac.Field(p).Counted()):
		raw = mac.Field(p).Bytes(op)
	case p == partSet:
		raw = []byte{op.Key.Set}
	case p == partVersion:
		raw = []byte{op.Key.Version}
	case p == partAlgorithm:
		raw = []byte{op.Key.Algorithm}
	}
	before := len(line)
	line = hex.AppendEncode(line, raw)
	copy(line[before:], bytes.ToUpper(line[before:]))
	return line
}
