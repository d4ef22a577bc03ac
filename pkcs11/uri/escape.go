package uri

import (
	"errors"
	"fmt"
	"strings"
)

// The characters that may stand for themselves. See [RFC 7512], section 2.3.
const (
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	reserved   = ":[]@!$'()*+,="
	pathMarks  = unreserved + reserved + "&"
	queryMarks = unreserved + reserved + "/?|"
	none       = ""
)

var errCharacter = errors.New("a character that must be escaped, or a broken escape")

// unescape turns %XX into the byte, and lets pass only what may stand for
// itself.
func unescape(s, marks string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && digit(s[i+1]) >= 0 && digit(s[i+2]) >= 0:
			b.WriteByte(byte(digit(s[i+1])<<4 | digit(s[i+2])))
			i += 2
		case s[i] != '%' && strings.IndexByte(marks, s[i]) >= 0:
			b.WriteByte(s[i])
		default:
			return "", errCharacter
		}
	}
	return b.String(), nil
}

func digit(c byte) int { return strings.IndexByte("0123456789ABCDEF", upper(c)) }

func upper(c byte) byte {
	if c >= 'a' && c <= 'f' {
		c -= 'a' - 'A'
	}
	return c
}

// escape is the reverse of unescape.
func escape(s, marks string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(marks, s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}
