package flat

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A reader stands at a place in valid UTF-8. What names and values come to is
// written one behind the other into a text that has room for all of it: nothing
// is longer there than where it comes from.
type reader struct {
	body []byte
	at   int
	text strings.Builder
}

// since gives what was written to the text behind the first n bytes.
func (r *reader) since(n int) string { return r.text.String()[n:] }

// space skips what JSON calls white space.
func (r *reader) space() {
	for r.at < len(r.body) {
		switch r.body[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next reads c if it comes next, white space aside.
func (r *reader) next(c byte) bool {
	if r.at < len(r.body) && r.body[r.at] == c { // most bodies have none
		r.at++
		return true
	}
	r.space()
	if r.at == len(r.body) || r.body[r.at] != c {
		return false
	}
	r.at++
	return true
}

// upper are the bytes of a name in upper case, and 0 for all others. There are
// no escapes among them: a name that is written in two ways could be read in
// two ways.
var upper = func() (to [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") {
		to[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		to[c] = c - 'a' + 'A'
	}
	return to
}()

// name reads on behind the first quotation mark of a name.
func (r *reader) name() (name string, ok bool) {
	var letters [MaxName]byte
	n := 0
	for ; r.at < len(r.body) && upper[r.body[r.at]] != 0; r.at++ {
		if n == MaxName {
			return "", false
		}
		letters[n] = upper[r.body[r.at]]
		n++
	}
	if n == 0 || r.at == len(r.body) || r.body[r.at] != '"' {
		return "", false
	}
	r.at++
	begin := r.text.Len()
	r.text.Write(letters[:n])
	return r.since(begin), true
}

var null = []byte("null")

// value reads a string, or null, which is as good as an empty one.
func (r *reader) value() (string, Reason) {
	if r.next('"') {
		return r.string()
	}
	if bytes.HasPrefix(r.body[r.at:], null) {
		r.at += len(null)
		return "", ""
	}
	return "", ErrValue
}

// string reads on behind the first quotation mark of a value.
func (r *reader) string() (string, Reason) {
	begin := r.text.Len()
	for {
		n := plain(r.body[r.at:])
		r.text.Write(r.body[r.at : r.at+n])
		r.at += n
		switch {
		case r.at == len(r.body):
			return "", ErrSyntax
		case r.body[r.at] == '"':
			r.at++
			return r.since(begin), ""
		case r.body[r.at] != '\\':
			return "", ErrSyntax // a control character
		}
		char, ok := r.escape()
		if !ok {
			return "", ErrSyntax
		}
		r.text.WriteRune(char)
	}
}

// plain tells how many bytes come before a quotation mark, a backslash or a
// control character. It looks at eight at a time: in each comparison the lowest
// byte that is told is told rightly, and those above it do not matter.
func plain(b []byte) (n int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		quote, slash := x^ones*'"', x^ones*'\\'
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

// short are the escapes of one letter.
var short = [256]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escape reads one character behind a backslash. A half of a surrogate pair
// without the other is no character: decoders differ in what they make of it.
func (r *reader) escape() (char rune, ok bool) {
	if r.at+1 >= len(r.body) {
		return 0, false
	}
	if char = short[r.body[r.at+1]]; char != 0 {
		r.at += 2
		return char, true
	}
	char, ok = r.unit()
	if !ok || !utf16.IsSurrogate(char) {
		return char, ok
	}
	low, ok := r.unit()
	char = utf16.DecodeRune(char, low)
	return char, ok && char != utf8.RuneError
}

// unit reads \u and four hexadecimal digits.
func (r *reader) unit() (unit rune, ok bool) {
	const length = len(`\uFFFF`)
	if len(r.body)-r.at < length || r.body[r.at] != '\\' || r.body[r.at+1] != 'u' {
		return 0, false
	}
	for _, c := range r.body[r.at+2 : r.at+length] {
		switch {
		case c >= '0' && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			unit = unit<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	r.at += length
	return unit, true
}
