package settlement

import (
	"errors"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Verdict is what became of one record.
type Verdict uint8

// Verdicts. Only a Mismatch says that a TAC is wrong; of the ones after it
// nothing is known, as the TAC could not be computed.
const (
	OK          Verdict = iota // the TAC is that of the card
	Mismatch                   // the TAC is wrong
	Malformed                  // the line cannot be read as a record
	Invalid                    // a field is out of range, or the factors are not as many as the key's levels
	NoKey                      // there is no such key for TACs
	InactiveKey                // the key is not active
	Refused                    // this module does not verify such a record, or not for this card any more
	numVerdicts
)

var verdictWords = [numVerdicts]string{
	"ok", "mismatch", "malformed", "invalid", "no-key", "inactive-key", "refused",
}

// String gives the word that stands in a verdict file.
func (v Verdict) String() string {
	if v >= numVerdicts {
		return "verdict?"
	}
	return verdictWords[v]
}

// judge turns the error of an answered operation into a verdict and what it
// is about. ok is false if the error is not about the operation: the module
// could not answer at all.
func judge(err error) (v Verdict, about part, ok bool) {
	switch {
	case err == nil:
		return OK, aboutNothing, true
	case errors.Is(err, mac.ErrVerify):
		return Mismatch, aboutNothing, true
	case errors.Is(err, mac.ErrInvalid):
		return Invalid, aboutField(err), true
	case errors.Is(err, keystore.ErrNotFound), errors.Is(err, keystore.ErrUsage), errors.Is(err, keystore.ErrAlgorithm):
		return NoKey, aboutNothing, true
	case errors.Is(err, keystore.ErrRetired):
		return InactiveKey, aboutNothing, true
	case errors.Is(err, mac.ErrUnsupported), errors.Is(err, mac.ErrBudget):
		return Refused, aboutNothing, true
	}
	return 0, 0, false
}

// aboutField is the field that an error names.
func aboutField(err error) part {
	switch f, ok := mac.InvalidField(err); {
	case !ok:
		return aboutNothing
	case f == mac.Factors:
		return aboutFactors
	case f == mac.Key:
		return aboutKey
	default:
		return part(f)
	}
}

// VerdictHeader is the first line of a verdict file.
const VerdictHeader = "file,line,verdict,about\n"

// A verdictLine makes the lines of a verdict file, which have the number of
// the input file, from 1, and of the line in it. Numbers are counted up in
// decimal, which is a good deal quicker than to convert each.
type verdictLine struct {
	tails [numVerdicts][numParts]string // a line from its verdict on
}

func newVerdictLine() *verdictLine {
	w := new(verdictLine)
	for v := range w.tails {
		for p := range w.tails[v] {
			w.tails[v][p] = "," + Verdict(v).String() + "," + part(p).String() + "\n"
		}
	}
	return w
}

// append appends the line that a counter stands at.
func (w *verdictLine) append(lines []byte, c *counter, v Verdict, about part) []byte {
	if v == OK {
		return c.appendOK(lines)
	}
	return append(append(lines, c.bytes()...), w.tails[v][about]...)
}

// A counter is "FILE,LINE", up to numberEnd, with what follows in the line of a
// record that is right.
type counter struct {
	text  [numberEnd + lineRoom]byte
	start int
}

const (
	numberEnd = 48
	okTail    = ",ok,\n"

	// lineRoom is what nearly all lines have room in: they are copied as so many
	// bytes, whatever their length.
	lineRoom = 32
)

// newCounter stands at a line of a file.
func newCounter(file int, line int64) (c counter) {
	c.start = numberEnd
	copy(c.text[numberEnd:], okTail)
	c.number(line)
	c.before(',')
	c.number(int64(file))
	return c
}

func (c *counter) before(b byte) {
	c.start--
	c.text[c.start] = b
}

func (c *counter) number(n int64) {
	for c.before(byte('0' + n%10)); n >= 10; c.before(byte('0' + n%10)) {
		n /= 10
	}
}

// next counts one line on.
func (c *counter) next() {
	i := numberEnd - 1
	for ; c.text[i] == '9'; i-- {
		c.text[i] = '0'
	}
	if c.text[i] != ',' {
		c.text[i]++
		return
	}
	copy(c.text[c.start-1:i], c.text[c.start:i+1]) // room for another digit
	c.start--
	c.text[i-1], c.text[i] = ',', '1'
}

func (c *counter) bytes() []byte { return c.text[c.start:numberEnd] }

// appendOK appends the line of a record that is right.
func (c *counter) appendOK(lines []byte) []byte {
	n, size := len(lines), numberEnd+len(okTail)-c.start
	if size > lineRoom || cap(lines)-n < lineRoom {
		return append(lines, c.text[c.start:c.start+size]...)
	}
	*(*[lineRoom]byte)(lines[n : n+lineRoom]) = *(*[lineRoom]byte)(c.text[c.start:])
	return lines[:n+size]
}
