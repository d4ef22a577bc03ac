package contract

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Class is the characters that a value may have. No class has '&', '=' or a
// control character: in the string that is signed they would end a value.
type Class uint8

// The classes.
const (
	Digits    Class = iota // 0-9
	Hex                    // 0-9, A-F, a-f
	UpperCase              // 0-9, A-Z
	Alnum                  // 0-9, A-Z, a-z
	Ident                  // the same, '_' and '-'
	Printable              // printable ASCII
	Text                   // printable characters of any script
	anyClass
)

// ranges of ASCII bytes, in pairs, as they also stand in a pattern.
var ranges = [anyClass]string{
	Digits:    "09",
	Hex:       "09AFaf",
	UpperCase: "09AZ",
	Alnum:     "09AZaz",
	Ident:     "09AZaz__--",
	Printable: " %'<>~", // without & and =
}

// holds tells whether every character of value is one of the class, and
// whether no blank stands at either end. An empty value passes.
func (c Class) holds(value string) bool {
	if strings.HasPrefix(value, " ") || strings.HasSuffix(value, " ") {
		return false
	}
	if c == Text {
		return strings.IndexFunc(value, func(r rune) bool {
			return r == '&' || r == '=' || !unicode.IsPrint(r)
		}) < 0
	}
	for i := range len(value) {
		if !within(ranges[c], value[i]) {
			return false
		}
	}
	return true
}

func within(ranges string, b byte) bool {
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] <= b && b <= ranges[i+1] {
			return true
		}
	}
	return false
}

// set gives the class with a length, or with a shortest and a longest, as a
// part of a regular expression.
func (c Class) set(lengths ...int) string {
	var set strings.Builder
	for i := 0; i < len(ranges[c]); i += 2 {
		from, to := ranges[c][i], ranges[c][i+1]
		set.WriteByte(from)
		if from != to {
			set.Write([]byte{'-', to})
		}
	}
	count := strconv.Itoa(lengths[0])
	if last := lengths[len(lengths)-1]; last != lengths[0] {
		count += "," + strconv.Itoa(last)
	}
	return "[" + set.String() + "]{" + count + "}"
}

// length counts characters.
func length(value string) int { return utf8.RuneCountInString(value) }
