package protocol

import (
	"bytes"
	"errors"
	"fmt"
)

// Errors of a frame. After one of them the connection is closed: where the
// next frame begins is no longer known, and guessing would let one client's
// bytes become another request.
var (
	ErrHeader = errors.New("protocol: frame too short for a header and a command")
	ErrLength = errors.New("protocol: frame longer than the limit")
)

const (
	lengthSize  = 2
	commandSize = 2
	statusSize  = 2

	maxHeader  = 255
	maxFrame   = 1<<16 - 1
	maxTrailer = 32

	trailerMark = 0x19 // X'19' (EM) begins the trailer
	lmkMark     = '%'  // begins the LMK identifier
)

// noCommand stands in the reply to a frame that is too short to have a
// command.
var noCommand = [commandSize]byte{'Z', 'Z'}

// A Format is what both ends must agree on before the first frame.
type Format struct {
	// Header is the number of bytes before the command, 0 to 255. They are the
	// caller's: echoed and not looked at.
	Header int
	// Limit is the longest frame, counted as its length prefix counts, at most
	// 65535, which is always the limit of WS. If it is 0 the whole Format is DefaultFormat.
	Limit int

	dialect Dialect // of a server that speaks another; nil: [WIRE]
}

// DefaultFormat has a header of 4 bytes and frames up to 16 KiB.
func DefaultFormat() Format { return Format{Header: 4, Limit: 16 << 10} }

// check fills in the default and refuses what the length prefix cannot say.
func (f Format) check() (Format, error) {
	if f.Limit == 0 {
		dialect := f.dialect
		f = DefaultFormat()
		f.dialect = dialect
	}
	if f.dialect != nil {
		f.Header = 0
	}
	if f.Header < 0 || f.Header > maxHeader {
		return f, fmt.Errorf("protocol: header length %d is not within 0 to %d", f.Header, maxHeader)
	}
	if shortest := f.Header + commandSize; f.Limit < shortest || f.Limit > maxFrame {
		return f, fmt.Errorf("protocol: frame limit %d is not within %d to %d", f.Limit, shortest, maxFrame)
	}
	return f, nil
}

// cut splits off the first frame of b. If b does not hold all of it, frame is
// nil and rest is b. With an error, frame is as much of the broken one as can
// be used to answer; there is no rest.
func (f Format) cut(b []byte) (frame, rest []byte, err error) {
	if f.dialect != nil {
		return f.cutForeign(b)
	}
	need := f.need(b)
	if len(b) < need {
		return nil, b, nil
	}
	switch n := frameLength(b); {
	case n > f.Limit && !f.isMany(b):
		return b[lengthSize:need], nil, ErrLength
	case n < f.Header+commandSize:
		return b[lengthSize:need], nil, ErrHeader
	}
	return b[lengthSize:need], b[need:], nil
}

// need is how many bytes the frame that b begins takes, or would have to have
// before it can be refused: of one that is too long only the beginning is
// ever stored.
func (f Format) need(b []byte) int {
	if f.dialect != nil {
		n, _ := f.dialect.Need(b, f.Limit)
		return n
	}
	if len(b) < lengthSize {
		return lengthSize
	}
	n := frameLength(b)
	if n > f.Limit && !f.isMany(b) {
		n = f.Header + commandSize
	}
	return lengthSize + n
}

// isMany tells whether b begins a frame that the limit is not for: one of a
// command that takes many records.
func (f Format) isMany(b []byte) bool {
	at := lengthSize + f.Header
	if len(b) < at+commandSize {
		return false
	}
	c := lookup(b[at:])
	return c != 0 && commands[c-1].many
}

func frameLength(b []byte) int { return int(b[0])<<8 | int(b[1]) }

// trailerOf finds where the trailer begins in the fields of a command whose
// data are printable, or their end.
func trailerOf(fields []byte) int {
	at := bytes.IndexByte(fields, trailerMark)
	if at < 0 {
		return len(fields)
	}
	return at
}

// openFrame appends a length, to be closed, and the header.
func openFrame(out, header []byte) []byte {
	out = append(out, 0, 0)
	return append(out, header...)
}

// closeFrame fills in the length of the frame that began at start.
func closeFrame(out []byte, start int) []byte {
	n := len(out) - start - lengthSize
	out[start], out[start+1] = byte(n>>8), byte(n)
	return out
}
