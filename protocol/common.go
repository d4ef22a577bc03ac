package protocol

import (
	"fmt"
	"io"

	"pbochsm/keystore"
	"pbochsm/mac/digits"
)

// The common commands, byte-compatible with payShield. Each one here answers
// from what the server knows; see the command table for the fields.

const (
	wideKCV     = 16 // digits of a check value field; more than 6 are zeros
	shortKCV    = 6
	maxSockets  = 99 // that two digits can tell
	firmwareLen = 9
	maxRandom   = 999
)

// diagnostics is NC.
func diagnostics(r *responder, fields scanner, out []byte) ([]byte, error) {
	if err := fields.end(); err != nil {
		return nil, err
	}
	if r.keys == nil {
		return nil, keystore.ErrSealed
	}
	keys := r.keys.Acquire()
	defer keys.Release()
	out = appendKCV(out, keys.Check(), wideKCV)
	return append(out, r.firmware...), nil
}

// Modes of NO. The last is ours: payShield has none of this number.
const (
	modeStatus     = 0
	modeCompliance = 1
	modeTokens     = 90
)

// notCompliant is the answer in the mode of compliance with PCI HSM: a program is
// no certified device.
const notCompliant = '0'

// status is NO.
func status(r *responder, fields scanner, out []byte) ([]byte, error) {
	mode, ok := fields.number(10, 2)
	if !ok {
		return nil, malformed("mode")
	}
	if err := fields.end(); err != nil {
		return nil, err
	}
	switch mode {
	case modeStatus:
		return generalStatus(r, out), nil
	case modeCompliance:
		return append(out, notCompliant), nil
	case modeTokens:
		return tokenStates(r, out)
	}
	return nil, malformed("mode")
}

// generalStatus is NO in its mode 00.
func generalStatus(r *responder, out []byte) []byte {
	out = append(out, bufferDigit(r.format.Limit), '1')
	out = appendNumber(out, min(r.sockets, maxSockets), 10, 2)
	out = append(out, r.firmware...)
	return append(out, "00000"...)
}

// bufferKiB are the sizes that the status can tell.
var bufferKiB = [...]int{2, 8, 16, 32}

// bufferDigit tells the largest of the sizes that a frame may have.
func bufferDigit(limit int) byte {
	digit := 0
	for i, size := range bufferKiB {
		if limit >= size<<10 {
			digit = i
		}
	}
	return '0' + byte(digit)
}

// echo is B2.
func echo(_ *responder, fields scanner, out []byte) ([]byte, error) {
	n, ok := fields.number(16, 4)
	if !ok || n > len(fields) {
		return nil, malformed("length")
	}
	data := fields[:n]
	fields = fields[n:]
	if err := fields.end(); err != nil {
		return nil, err
	}
	return append(out, data...), nil
}

// echoTrailer finds the trailer of B2, behind the data and the LMK identifier.
// Where the length does not fit there is none.
func echoTrailer(fields []byte) int {
	s := scanner(fields)
	n, ok := s.number(16, 4)
	if !ok || n > len(s) {
		return len(fields)
	}
	rest := s[n:]
	return len(fields) - len(rest) + trailerOf(rest)
}

// random is N0.
func random(r *responder, fields scanner, out []byte) ([]byte, error) {
	n, ok := fields.number(10, 3)
	if !ok || n == 0 {
		return nil, malformed("count")
	}
	if err := fields.end(); err != nil {
		return nil, err
	}
	at := len(out)
	for range n {
		out = append(out, 0)
	}
	if _, err := io.ReadFull(r.rand, out[at:]); err != nil {
		return nil, fmt.Errorf("protocol: random source: %w", err)
	}
	return out, nil
}

// keyCheckValue is BU for a key in the key table. The key type says nothing
// that the table does not know better; it is read and left.
func keyCheckValue(r *responder, fields scanner, out []byte) ([]byte, error) {
	q, err := scanKCV(fields)
	if err != nil {
		return nil, err
	}
	if r.keys == nil {
		return nil, keystore.ErrSealed
	}
	keys := r.keys.Acquire()
	defer keys.Release()
	h, err := keys.At(q.index)
	if err != nil {
		return nil, err
	}
	return appendKCV(out, keys.Key(h).KCV, q.digits), nil
}

// appendKCV appends a check value in a field of that many digits.
func appendKCV(out []byte, kcv keystore.KCV, width int) []byte {
	out = digits.Append(out, kcv[:])
	for range width - shortKCV {
		out = append(out, '0')
	}
	return out
}
