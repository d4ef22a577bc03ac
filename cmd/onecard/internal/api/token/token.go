package token

import (
	"crypto/md5" //nolint:gosec // the document has it so; see the package comment
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"pbochsm/cmd/onecard/internal/api/flat"
)

// Name is the member that holds the token and takes no part in it.
const Name = "TOKEN"

// Size is the length of a token in hexadecimal digits.
const Size = 2 * md5.Size

// A Profile is one reading of "in upper case".
type Profile uint8

// The readings; a name is in upper case in all of them.
const (
	Pair     Profile = iota // names and values
	Verbatim                // names alone, values as sent
	All                     // names, values, and the key too
)

// A Charset is how text becomes bytes before it is hashed.
type Charset uint8

// The charsets.
const (
	UTF8 Charset = iota
	GBK
)

// A Rule says which tokens a caller may send.
type Rule struct {
	All     bool // also accept All; Pair and Verbatim are always
	Charset Charset
}

// ErrCharset is text that the charset has no bytes for.
var ErrCharset = errors.New("token: text that the charset cannot hold")

// Make gives the token of an object in upper-case digits.
func Make(p Profile, c Charset, object flat.Object, key string) (string, error) {
	digits, err := digest(p, c, signed(object), key)
	return strings.ToUpper(string(digits[:])), err
}

// Check tells whether claimed is a token of the object under one of the
// profiles of the rule. It computes all of them, whatever comes out, and
// compares in constant time, so its time tells nothing about the key.
func (r Rule) Check(object flat.Object, key, claimed string) bool {
	want := strings.ToLower(claimed)
	members := signed(object)
	good := 0
	for _, p := range r.profiles() {
		digits, err := digest(p, r.Charset, members, key)
		same := subtle.ConstantTimeCompare(digits[:], []byte(want))
		if err != nil {
			same = 0
		}
		good |= same
	}
	return good == 1
}

func (r Rule) profiles() []Profile {
	if r.All {
		return []Profile{Pair, Verbatim, All}
	}
	return []Profile{Pair, Verbatim}
}

// signed is what takes part: the members with a value, sorted by name.
func signed(object flat.Object) flat.Object {
	members := make(flat.Object, 0, len(object))
	for _, m := range object {
		if m.Value != "" && m.Name != Name {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b flat.Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}

// String is the pair string of an object, by canonical names and without a
// key: the same for every request that a token of profile Pair cannot tell
// apart. It may hold passwords and must be hashed under a key before it is
// kept.
func String(object flat.Object) string {
	var room [32]flat.Member
	canonical := append(room[:0], object...)
	for i := range canonical {
		canonical[i].Name = canonical[i].Key
	}
	var text strings.Builder
	text.Grow(usual)
	for _, m := range signed(canonical) {
		if text.Len() > 0 {
			text.WriteByte('&')
		}
		text.WriteString(m.Name)
		text.WriteByte('=')
		text.WriteString(strings.ToUpper(m.Value))
	}
	return text.String()
}

// usual is room for what is signed of a request that writes a card.
const usual = 512

// digest gives lower-case digits of the token over sorted members.
func digest(p Profile, c Charset, members flat.Object, key string) (digits [Size]byte, err error) {
	text := make([]byte, 0, 2*usual)
	for _, m := range members {
		value := m.Value
		if p != Verbatim {
			value = strings.ToUpper(value)
		}
		text = append(text, m.Name...)
		text = append(text, '=')
		text = append(text, value...)
		text = append(text, '&')
	}
	text = append(text, "CHANNELKEY="...)
	if p == All {
		key = strings.ToUpper(key)
	}
	text = append(text, key...)
	if c == GBK {
		encoded, unfit := simplifiedchinese.GBK.NewEncoder().Bytes(text)
		if unfit != nil {
			err = ErrCharset
		} else {
			text = encoded
		}
	}
	sum := md5.Sum(text) //nolint:gosec // see the import
	hex.Encode(digits[:], sum[:])
	return digits, err
}
