package pkcs11

import (
	"errors"
	"fmt"
	"strings"
)

// An AuditError is a key of a token that could do, or be made to do, more than
// derive. It is not served from.
type AuditError struct {
	Label    string
	Problems []string
}

// Error lists what is wrong with the key.
func (e *AuditError) Error() string {
	return fmt.Sprintf("pkcs11: key %q is not safe to serve from: %s", e.Label, strings.Join(e.Problems, "; "))
}

var errAudit = errors.New("pkcs11: the key in the token could do more than it is for")

// Is makes all of them one error to this package.
func (e *AuditError) Is(target error) bool { return target == errAudit }

// Hint tells how such a key is mended.
func (e *AuditError) Hint() string {
	return "a key made by pbochsm token generate or import has the right attributes; for this one, " +
		"have the token's own tool set them where it allows that (SENSITIVE on; EXTRACTABLE, ENCRYPT, DECRYPT, WRAP, UNWRAP, SIGN, VERIFY off), " +
		"or import it again under another label and destroy this one"
}

// A demand is the value that an attribute of a key must have, and why.
type demand struct {
	name string
	id   uint
	want bool
	why  string
}

// masterDemands are those on a key that others are derived from. ALWAYS_SENSITIVE
// and NEVER_EXTRACTABLE are no demands: no imported key has them.
var masterDemands = []demand{
	{"TOKEN", 0x1, true, "it goes with the session"},
	{"PRIVATE", 0x2, true, "it can be used without the PIN"},
	{"SENSITIVE", 0x103, true, "its value can be read"},
	{"EXTRACTABLE", 0x162, false, "its value can be taken out wrapped"},
	{"DERIVE", 0x10C, true, "it cannot make cards' keys"},
	{"ENCRYPT", 0x104, false, "whoever has the PIN gets cards' keys by encrypting"},
	{"DECRYPT", 0x105, false, "whoever has the PIN gets cards' keys by decrypting"},
	{"WRAP", 0x106, false, "other keys can be taken out under it"},
	{"UNWRAP", 0x107, false, "keys of somebody's choice can be put in under it"},
	{"SIGN", 0x108, false, "it makes MACs of anything"},
	{"VERIFY", 0x10A, false, "it judges MACs of anything"},
}

// foldedDemands are those on a card's TAC key that was folded outside: it MACs.
var foldedDemands = func() []demand {
	var d []demand
	for _, m := range masterDemands {
		if m.name == "ENCRYPT" {
			m.want, m.why = true, "it cannot make MACs"
		}
		d = append(d, m)
	}
	return d
}()

// judge lists the demands that a key does not meet. has gives an attribute, and
// whether the token knows of it.
func judge(demands []demand, has func(id uint) (value, known bool)) (problems []string) {
	for _, d := range demands {
		value, known := has(d.id)
		switch {
		case !known && d.want:
			problems = append(problems, fmt.Sprintf("the token does not tell its %s", d.name))
		case known && value && !d.want:
			problems = append(problems, fmt.Sprintf("%s is on: %s", d.name, d.why))
		case known && !value && d.want:
			problems = append(problems, fmt.Sprintf("%s is off: %s", d.name, d.why))
		}
	}
	return problems
}

// An Object is a secret key of a token, as far as the token tells of it.
type Object struct {
	Label    string
	ID       string   // CKA_ID, the bytes themselves
	KeyType  uint     // CKA_KEY_TYPE
	Problems []string // why it could not be an issuer's key; none: it could
}
