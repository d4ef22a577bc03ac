package settlement

import (
	"bytes"

	"pbochsm/mac"
	"pbochsm/mac/digits"
)

// A shape is what lines have in common that differ in digits alone: which
// values they have, where, and what stands between. A file has few of them. A
// line of a shape that is known needs no parser, because the parser would do with
// it what it did with the first: it is held against the pattern, and all its
// digits are decoded at once.
type shape struct {
	*digits.Pattern        // of the line with its end, and the fixed bytes of its operation
	next            *shape // another one as long
}

// Shapes are those that a worker has met in the files of one parser.
type shapes struct {
	parser parser
	count  int
	byLong [digits.MaxPattern + 1]*shape // by the length of the line with its end
}

// maxShapes is how many there may be: the lines of a file with more go through
// its parser.
const maxShapes = 64

// of begins anew for another parser.
func (s *shapes) of(p parser) {
	if s.parser != p {
		*s = shapes{parser: p}
	}
}

// read makes the line that text begins with an operation, if it has a shape
// that is known, and gives the length of the line with its end. If not, it gives
// 0.
func (s *shapes) read(text []byte, op *mac.Op) int {
	n := bytes.IndexByte(text[:min(len(text), digits.MaxPattern)], '\n') + 1
	for shape := s.byLong[n]; shape != nil; shape = shape.next {
		if shape.Decode(op.Fixed(), text) {
			return n
		}
	}
	return 0
}

// learn takes up the shape of a line, with its end, that has become the
// operation of r.
func (s *shapes) learn(line []byte, r *record) {
	if s.count == maxShapes || len(line) > digits.MaxPattern || !r.plain() {
		return
	}
	values := make([]digits.Value, 0, len(r.found))
	for _, f := range r.found {
		if f.part != partOperation {
			values = append(values, digits.Value{At: f.at, Digits: f.end - f.at, To: r.start.placeOf(f.part)})
		}
	}
	pattern, ok := digits.NewPattern(line, r.op.Fixed(), values, r.gaps, s.parser.never())
	if !ok {
		return
	}
	s.byLong[len(line)] = &shape{pattern, s.byLong[len(line)]}
	s.count++
}

// A find is a value where it was found in its line.
type find struct {
	part    part
	at, end int
}

// note remembers where a value, a part of the line, was found.
func (r *record) note(p part, text []byte) {
	at := cap(r.line) - cap(text)
	r.found = append(r.found, find{p, at, at + len(text)})
}

// pass remembers a part of the line that nothing was read of.
func (r *record) pass(text []byte) {
	at := cap(r.line) - cap(text)
	r.gaps = append(r.gaps, digits.Gap{At: at, End: at + len(text)})
}

// plain tells whether the values of r say all about its line: there is none that
// could not be read, or says itself how long it is, and none lies where the
// operation stands.
func (r *record) plain() bool {
	if r.bad != 0 || r.counted {
		return false
	}
	for _, o := range r.found {
		for _, f := range r.found {
			if o.part == partOperation && f.part != partOperation && f.at < o.end && o.at < f.end {
				return false
			}
		}
	}
	return true
}

// placeOf finds where in the fixed bytes of an operation a part stands.
func (t *template) placeOf(p part) int {
	var op mac.Op
	r := record{op: &op, start: t}
	r.put(p, bytes.Repeat([]byte{'F'}, p.digits()))
	return bytes.IndexByte(op.Fixed(), 0xFF)
}
