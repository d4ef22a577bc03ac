package contract

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Field is a datum of a request or an answer under all of its spellings.
type Field struct {
	Name    string // one of the spellings; its Key is the same in upper case
	Example string
	Chinese string
	English string

	Class             Class
	Shortest, Longest int
	Lengths           []int    // other than every one between
	Values            []string // an enumeration; empty: any
	Money             bool     // decimal fen without sign or leading zero
	Zero              bool     // money may be 0
	Layout            string   // of a date or a time
	Nullable          bool     // "" and null are values
	Secret            bool     // never in a log or a record
}

// Key is the name by which the program knows the field: upper case, aliases
// resolved.
func (f *Field) Key() string { return strings.ToUpper(f.Name) }

// MaxFen is the largest amount and balance: what fits 4 signed bytes.
const MaxFen = 1<<31 - 1

// byKey is filled once, from the table above.
var byKey = func() map[string]*Field {
	m := make(map[string]*Field, len(fields))
	for i := range fields {
		m[fields[i].Key()] = &fields[i]
	}
	return m
}()

// aliases are the spellings that mean another field. The other doublets of the
// document differ in letter case alone.
var aliases = map[string]string{"CARNO": "CARDNO"}

// Aliases are the spellings, in upper case, that mean another field.
func Aliases() map[string]string { return maps.Clone(aliases) }

// KeyOf is what a spelling means.
func KeyOf(name string) string {
	name = strings.ToUpper(name)
	if key, ok := aliases[name]; ok {
		return key
	}
	return name
}

// Lookup finds a field by any of its spellings.
func Lookup(name string) (Field, bool) {
	f, ok := byKey[KeyOf(name)]
	if !ok {
		return Field{}, false
	}
	return *f, true
}

// Rules are what an operator may set about fields.
type Rules struct {
	CardNumber *regexp.Regexp // instead of 16 digits; nil: those
	Payments   []string       // PaymentType beyond those of the document; described, not checked
}

// Characters tells whether value has characters of the field alone. It is
// asked before the token, so that no value can reach into the next one in the
// string that is signed.
func (r *Rules) Characters(key, value string) bool {
	f, known := byKey[key]
	if !known {
		return Text.holds(value)
	}
	if key == "CARDNO" && r.CardNumber != nil {
		return Ident.holds(value)
	}
	return f.Class.holds(value)
}

// Accepts tells whether value, of the right characters, has the shape of the
// field: its length, its range, its place in the calendar. Enumerations depend
// on settings, and are looked at after the stored answers.
func (r *Rules) Accepts(key, value string) bool {
	f, known := byKey[key]
	switch {
	case !known:
		return true
	case value == "":
		return f.Nullable
	case key == "CARDNO" && r.CardNumber != nil:
		return r.CardNumber.MatchString(value)
	case f.Layout != "":
		_, err := time.Parse(f.Layout, value)
		return err == nil && len(value) == len(f.Layout)
	case f.Money:
		_, ok := ParseFen(value)
		return ok && (f.Zero || value != "0")
	}
	n := length(value)
	return n >= f.Shortest && n <= f.Longest && (f.Lengths == nil || slices.Contains(f.Lengths, n))
}

// ParseFen reads decimal digits without sign and without leading zero, up to
// MaxFen.
func ParseFen(digits string) (fen int64, ok bool) {
	if digits == "" || len(digits) > 10 || digits[0] == '0' && digits != "0" {
		return 0, false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		fen = fen*10 + int64(c-'0')
	}
	return fen, fen <= MaxFen
}

// Accepted says in a few words what a value of the field looks like.
func (f *Field) Accepted() string {
	words := [anyClass]string{"digits", "hexadecimal digits", "digits and capitals", "letters and digits",
		"letters, digits, `_`, `-`", "printable ASCII", "printable text"}
	switch n := fmt.Sprint(f.Longest); {
	case f.Money:
		least := "1"
		if f.Zero {
			least = "0"
		}
		return least + " to 2147483647"
	case f.Lengths != nil:
		return fmt.Sprintf("%d or %d %s", f.Lengths[0], f.Lengths[1], words[f.Class])
	case f.Layout == "20060102":
		return "a date, 8 digits"
	case f.Layout != "":
		return "a time of day, 6 digits"
	case f.Shortest == f.Longest:
		return n + " " + words[f.Class]
	case f.Shortest == 0:
		return "up to " + n + ", " + words[f.Class]
	default:
		return fmt.Sprintf("%d to %s, %s", f.Shortest, n, words[f.Class])
	}
}
