package protocol

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// malformed is a field that is cut short, has a digit that is none, or stands
// where none belongs. It names the field and never its value.
type malformed string

func (e malformed) Error() string { return "protocol: malformed " + string(e) }

// Unwrap is mac.ErrInvalid: on the wire a field that cannot be read and a
// field that is out of range are the same.
func (e malformed) Unwrap() error { return mac.ErrInvalid }

// errLMK is an LMK identifier other than 00, the only storage master key here.
var errLMK = fmt.Errorf("protocol: LMK identifier: %w", keystore.ErrSealed)

// nibble is the value of a hexadecimal digit plus 0x10, or 0 if it is none.
var nibble = [256]byte{
	'0': 0x10, '1': 0x11, '2': 0x12, '3': 0x13, '4': 0x14, '5': 0x15, '6': 0x16, '7': 0x17, '8': 0x18, '9': 0x19,
	'A': 0x1A, 'B': 0x1B, 'C': 0x1C, 'D': 0x1D, 'E': 0x1E, 'F': 0x1F,
	'a': 0x1A, 'b': 0x1B, 'c': 0x1C, 'd': 0x1D, 'e': 0x1E, 'f': 0x1F,
}

const upper = "0123456789ABCDEF"

// appendHex appends b in upper-case hexadecimal digits.
func appendHex(out, b []byte) []byte {
	for _, c := range b {
		out = append(out, upper[c>>4], upper[c&0x0F])
	}
	return out
}

// appendNumber appends v in n digits of the base 10 or 16.
func appendNumber(out []byte, v, base, n int) []byte {
	at := len(out)
	for range n {
		out = append(out, '0')
	}
	for i := at + n - 1; i >= at; i-- {
		out[i] = upper[v%base]
		v /= base
	}
	return out
}

// A scanner takes the fields of a request off its front, one by one. Each step
// tells whether the field was there.
type scanner []byte

// hex reads two digits for each byte of dst.
func (s *scanner) hex(dst []byte) bool {
	if len(*s) < 2*len(dst) {
		return false
	}
	src := (*s)[:2*len(dst)]
	ok := byte(0x10)
	for i := range dst {
		high, low := nibble[src[2*i]], nibble[src[2*i+1]]
		ok &= high & low
		dst[i] = high<<4 | low&0x0F
	}
	*s = (*s)[2*len(dst):]
	return ok != 0
}

// number reads n digits of the base 10 or 16.
func (s *scanner) number(base, n int) (v int, ok bool) {
	if len(*s) < n {
		return 0, false
	}
	for _, c := range (*s)[:n] {
		d := nibble[c]
		if d == 0 || int(d&0x0F) >= base {
			return 0, false
		}
		v = v*base + int(d&0x0F)
	}
	*s = (*s)[n:]
	return v, true
}

// char reads c if it comes next.
func (s *scanner) char(c byte) bool {
	if len(*s) == 0 || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	return true
}

// end refuses whatever is left but the LMK identifier 00.
func (s *scanner) end() error {
	if len(*s) == 0 {
		return nil
	}
	if !s.char(lmkMark) {
		return malformed("end: bytes after the last field")
	}
	id, ok := s.number(10, 2)
	switch {
	case !ok || len(*s) > 0:
		return malformed("LMK identifier")
	case id != 0:
		return errLMK
	}
	return nil
}
