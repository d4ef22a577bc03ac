package settlement

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/digits"
)

// A record is a line on its way to becoming an operation. The operation lives
// in the batch that it will be asked in.
type record struct {
	op    *mac.Op
	have  set // the parts that have a value
	bad   set // the parts whose value cannot be read
	torn  bool
	start *template

	// For the shape of the line.
	line    []byte
	found   []find       // the values that were read
	gaps    []digits.Gap // what was not looked at
	counted bool         // whether a value says itself how long it is
}

// A template is what all records of a file have in common: the values that
// stand for those that a line lacks.
type template struct {
	op    mac.Op
	have  set
	outer int // the factors of all records; those of a line come after them
	words []word
}

// A word is how a file calls an operation.
type word struct {
	text []byte
	kind mac.Kind
}

// Constants are the values that all records of a file share. A value in a line
// has precedence over the constant of its name. Factors are the outermost
// ones, before those that a line has.
type Constants struct {
	Values  map[string]string
	Factors []string
}

// newTemplate reads constants. operations maps the words of a file to names of
// operations; the names themselves are always understood.
func newTemplate(c Constants, operations map[string]string) (*template, error) {
	t := new(template)
	for _, k := range Kinds() {
		t.words = append(t.words, word{[]byte(k.String()), k})
	}
	for text, name := range operations {
		i := bytes.IndexFunc([]byte(text), func(r rune) bool { return r <= ' ' })
		k := t.kind([]byte(name))
		if k == 0 || text == "" || i >= 0 {
			return nil, fmt.Errorf("operations: %q: %q is none of %s", text, name, kindNames())
		}
		t.words = append(t.words, word{[]byte(text), k})
	}
	if len(c.Factors) > keystore.MaxLevels {
		return nil, fmt.Errorf("%d factors: there are at most %d levels", len(c.Factors), keystore.MaxLevels)
	}
	r := record{op: &t.op, start: t}
	for i, f := range c.Factors {
		if !digits.Decode(t.op.Factors[i][:], []byte(f)) {
			return nil, fmt.Errorf("factor %q is not 16 hexadecimal digits", f)
		}
	}
	t.outer = len(c.Factors)
	for name, value := range c.Values {
		p, ok := named(name)
		if !ok || p.factor() >= 0 {
			return nil, fmt.Errorf("%q cannot be a constant", name)
		}
		if r.read(p, []byte(value)); !r.have.has(p) {
			return nil, fmt.Errorf("%s: %q is not %s", name, value, p.wanted())
		}
	}
	t.have = r.have
	return t, nil
}

// wanted says what a value of p looks like.
func (p part) wanted() string {
	switch n := p.digits(); {
	case p == partOperation:
		return "one of " + kindNames()
	case n == 0:
		return fmt.Sprintf("up to %d hexadecimal digits", 2*mac.Field(p).Width())
	default:
		return fmt.Sprintf("%d hexadecimal digits", n)
	}
}

func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

func (t *template) kind(text []byte) mac.Kind {
	for i := range t.words {
		if string(t.words[i].text) == string(text) {
			return t.words[i].kind
		}
	}
	return 0
}

// admits checks the columns of a file: there must be an operation that they
// and the constants together are enough for.
func (t *template) admits(has set) error {
	if t.outer+factorsOf(has) > keystore.MaxLevels {
		return fmt.Errorf("%d constant factors and columns for %d more: there are at most %d levels",
			t.outer, factorsOf(has), keystore.MaxLevels)
	}
	var least error
	for _, k := range Kinds() {
		if t.have.has(partOperation) && !has.has(partOperation) && k != t.op.Kind {
			continue
		}
		lacks := needs(k).without(has | t.have)
		if lacks == 0 {
			return nil
		}
		least = errors.Join(least, fmt.Errorf("%s lacks %s", k, lacks))
	}
	return fmt.Errorf("not enough columns and constants for any operation: %w", least)
}

// factorsOf is the highest factor that a file has a column of.
func factorsOf(s set) int {
	n := 0
	for f := s.factors(); f != 0; f >>= 1 {
		n++
	}
	return n
}

// begin makes r the empty record of a line, to be filled in at op.
func (r *record) begin(t *template, op *mac.Op, line []byte) {
	*op = t.op
	*r = record{op: op, have: t.have, start: t, line: line, found: r.found[:0], gaps: r.gaps[:0]}
}

// put takes a value from a line, if it is one. If not, the part stays as it
// was.
func (r *record) put(p part, text []byte) bool {
	if p < partOperation && !digits.Decode(mac.Field(p).Bytes(r.op), text) || p >= partOperation && !r.set(p, text) {
		return false
	}
	r.have.add(p)
	r.note(p, text)
	return true
}

// read takes a value from a line, from first to last byte. No bytes are no
// value, and what cannot be read is a bad one.
func (r *record) read(p part, text []byte) {
	if len(text) > 0 && !r.put(p, text) && !r.putCounted(p, text) {
		r.bad.add(p)
	}
}

// putCounted takes the value of a part that says itself how long it is.
func (r *record) putCounted(p part, text []byte) bool {
	f := mac.Field(p)
	n := len(text) / 2
	if p >= partOperation || !f.Counted() || n > f.Width() {
		return false
	}
	var raw [16]byte
	if n > len(raw) || !digits.Decode(raw[:n], text) || !f.SetLen(r.op, n) {
		return false
	}
	copy(f.Bytes(r.op), raw[:n])
	r.have.add(p)
	r.counted = true
	return true
}

// set decodes the value of a part that is no field.
func (r *record) set(p part, text []byte) bool {
	op := r.op
	if p >= partFactor {
		i := r.start.outer + p.factor()
		return i < len(op.Factors) && digits.Decode(op.Factors[i][:], text)
	}
	if p == partOperation {
		k := r.start.kind(text)
		if k != 0 {
			op.Kind = k
		}
		return k != 0
	}
	var b [1]byte
	ok := digits.Decode(b[:], text)
	if ok {
		*keyByte(&op.Key, p) = b[0]
	}
	return ok
}

// keyByte is where the set, version or algorithm of a key is.
func keyByte(k *mac.KeyID, p part) *byte {
	switch p {
	case partSet:
		return &k.Set
	case partVersion:
		return &k.Version
	default:
		return &k.Algorithm
	}
}

// finish completes the operation, or tells what the line lacks.
func (r *record) finish(needs *kindNeeds) (about part, ok bool) {
	need := needs[r.op.Kind]
	factors := r.have.factors()
	switch unread := need.without(r.have.without(r.bad)); {
	case r.torn:
		return aboutColumns, false
	case r.op.Kind == 0, r.bad.has(partOperation):
		return partOperation, false
	case unread != 0:
		return unread.first(), false
	case r.bad.factors() != 0:
		return partFactor + r.bad.factors().first(), false
	case factors&(factors+1) != 0: // an inner factor without the outer one
		return partFactor + (^factors).first(), false
	}
	r.op.Levels = uint8(r.start.outer + factorsOf(factors<<partFactor))
	return aboutNothing, true
}

// kindNeeds are the needs of each kind by its number.
type kindNeeds [256]set

func newKindNeeds() *kindNeeds {
	n := new(kindNeeds)
	for _, k := range Kinds() {
		n[k] = needs(k)
	}
	return n
}
