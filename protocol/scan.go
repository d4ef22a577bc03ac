package protocol

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/digits"
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

// A scanner takes the fields of a request off its front, one by one. Each step
// tells whether the field was there.
type scanner []byte

// hex reads two digits for each byte of dst.
func (s *scanner) hex(dst []byte) bool {
	n := 2 * len(dst)
	if len(*s) < n || !digits.Decode(dst, (*s)[:n]) {
		return false
	}
	*s = (*s)[n:]
	return true
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
