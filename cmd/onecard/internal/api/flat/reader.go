package flat

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A reader stands at a place in valid UTF-8.
type reader struct {
	text string
	at   int
}

// space skips what JSON calls white space.
func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next reads c if it comes next, white space aside.
func (r *reader) next(c byte) bool {
	r.space()
	if r.at == len(r.text) || r.text[r.at] != c {
		return false
	}
	r.at++
	return true
}

// nameBytes are the bytes of a name. There are no escapes among them: a name
// that is written in two ways could be read in two ways.
var nameBytes = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

func set(bytes string) (in [256]bool) {
	for i := range len(bytes) {
		in[bytes[i]] = true
	}
	return in
}

// name reads on behind the first quotation mark of a name.
func (r *reader) name() (name string, ok bool) {
	start := r.at
	for r.at < len(r.text) && nameBytes[r.text[r.at]] {
		r.at++
	}
	name = r.text[start:r.at]
	if len(name) == 0 || len(name) > MaxName || r.at == len(r.text) || r.text[r.at] != '"' {
		return "", false
	}
	r.at++
	return name, true
}

// value reads a string, or null, which is as good as an empty one.
func (r *reader) value() (string, Reason) {
	if r.next('"') {
		return r.string()
	}
	if strings.HasPrefix(r.text[r.at:], "null") {
		r.at += len("null")
		return "", ""
	}
	return "", ErrValue
}

// string reads on behind the first quotation mark of a value. One without
// escapes is a part of the text and costs no copy.
func (r *reader) string() (string, Reason) {
	start := r.at
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return r.text[start : r.at-1], ""
		case c == '\\':
			return r.escaped(r.text[start:r.at])
		case c < ' ':
			return "", ErrSyntax
		}
	}
	return "", ErrSyntax
}

// escaped reads on at the first backslash of a value that begins with head.
func (r *reader) escaped(head string) (string, Reason) {
	value := []byte(head)
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '"':
			r.at++
			return string(value), ""
		case c == '\\':
			char, ok := r.escape()
			if !ok {
				return "", ErrSyntax
			}
			value = utf8.AppendRune(value, char)
			continue
		case c < ' ':
			return "", ErrSyntax
		}
		value = append(value, c)
		r.at++
	}
	return "", ErrSyntax
}

// short are the escapes of one letter.
var short = [256]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escape reads one character behind a backslash. A half of a surrogate pair
// without the other is no character: decoders differ in what they make of it.
func (r *reader) escape() (char rune, ok bool) {
	if r.at+1 >= len(r.text) {
		return 0, false
	}
	if char = short[r.text[r.at+1]]; char != 0 {
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
	if len(r.text)-r.at < length || r.text[r.at] != '\\' || r.text[r.at+1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(r.text[r.at+2 : r.at+length]) {
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
