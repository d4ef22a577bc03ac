package keystore

import (
	"crypto/subtle"
	"errors"
	"fmt"
)

// The rules of a key ceremony, one error each. In production mode a broken
// rule refuses the key; in test mode it is a Warning, because the published
// examples break most of them. The texts complete a sentence that begins with
// "component 2" or "the key".
//
// Equality, here, is equality for DES: the lowest bit of each byte, its parity
// bit, does not count. Parity itself is neither checked nor adjusted, since
// derived keys have none.
var (
	ErrComponents  = errors.New("needs more components, each from another custodian")
	ErrRepeated    = errors.New("was entered before")
	ErrZero        = errors.New("is all zeros")
	ErrPublished   = errors.New("is a published test key")
	ErrWeak        = errors.New("has a half that is a weak or semi-weak DES key")
	ErrEqualHalves = errors.New("has equal halves, which makes it a single DES key")
	ErrReused      = errors.New("has the same bytes as another key of the store")
)

// A Warning is a rule of the ceremony that was broken in test mode. Rule is the
// error that production mode would have given. It holds no secret.
type Warning struct{ Rule error }

// String is the text of Rule.
func (w Warning) String() string { return w.Rule.Error() }

// soundness lists what a component and a key are each judged by, the most
// telling first.
var soundness = []struct {
	rule   error
	broken func(*Secret) bool
}{
	{ErrZero, isZero},
	{ErrPublished, (*Secret).Published},
	{ErrWeak, hasWeakHalf},
	{ErrEqualHalves, func(s *Secret) bool { return sameDES(s[:8], s[8:]) }},
}

// combine is the key that components are parts of: their exclusive or.
func combine(components []Secret) (key Secret) {
	for i := range components {
		subtle.XORBytes(key[:], key[:], components[i][:])
	}
	return key
}

// CheckComponent tells which rule of production the last of components breaks,
// so that its custodian can be asked again while still at the keyboard. Import
// judges them all in any case.
func CheckComponent(components []Secret) error {
	return errors.Join(brokenByLast(components)...)
}

// brokenByComponents lists the rules that components break. A single one is
// judged as the key that it is.
func brokenByComponents(components []Secret) (broken []error) {
	if len(components) < 2 {
		return nil
	}
	for i := range components {
		broken = append(broken, brokenByLast(components[:i+1])...)
	}
	return broken
}

// brokenByLast lists the rules that the last of components breaks.
func brokenByLast(components []Secret) []error {
	last := len(components) - 1
	name := fmt.Sprintf("component %d", last+1)
	broken := unsound(name, &components[last])
	for j := range last {
		if sameDES(components[last][:], components[j][:]) {
			broken = append(broken, fmt.Errorf("keystore: %s %w, as component %d", name, ErrRepeated, j+1))
		}
	}
	return broken
}

// brokenByKey lists the rules that a key breaks that is to join others.
func brokenByKey(key *Secret, others []row) []error {
	broken := unsound("the key", key)
	for i := range others {
		if others[i].has(key) {
			broken = append(broken, fmt.Errorf("keystore: the key %w, %s", ErrReused, others[i].Ref))
		}
	}
	return broken
}

// has tells whether r is key. Of a key in a token only the check value can be
// compared.
func (r *row) has(key *Secret) bool {
	if r.Home.InToken() {
		kcv, err := key.KCV(r.Cipher)
		return err == nil && kcv == r.KCV
	}
	return sameDES(key[:], r.secret[:])
}

func unsound(name string, s *Secret) (broken []error) {
	for _, rule := range soundness {
		if rule.broken(s) {
			broken = append(broken, fmt.Errorf("keystore: %s %w", name, rule.rule))
		}
	}
	return broken
}

// sameDES tells in constant time whether a and b, of one length, are the same
// to DES.
func sameDES(a, b []byte) bool {
	var differ byte
	for i := range a {
		differ |= (a[i] ^ b[i]) & notParity
	}
	return subtle.ConstantTimeByteEq(differ, 0) == 1
}

const notParity = 0xFE

func isZero(s *Secret) bool { return sameDES(s[:], make([]byte, len(s))) }

func hasWeakHalf(s *Secret) bool {
	found := false
	for i := range weakKeys {
		left, right := sameDES(s[:8], weakKeys[i][:]), sameDES(s[8:], weakKeys[i][:])
		found = found || left || right
	}
	return found
}

// weakKeys are the keys of DES whose round keys are all the same (the first
// four), or that come in pairs of which one deciphers what the other
// enciphered.
var weakKeys = [][8]byte{
	{0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
	{0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE},
	{0x1F, 0x1F, 0x1F, 0x1F, 0x0E, 0x0E, 0x0E, 0x0E},
	{0xE0, 0xE0, 0xE0, 0xE0, 0xF1, 0xF1, 0xF1, 0xF1},

	{0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE}, {0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01},
	{0x1F, 0xE0, 0x1F, 0xE0, 0x0E, 0xF1, 0x0E, 0xF1}, {0xE0, 0x1F, 0xE0, 0x1F, 0xF1, 0x0E, 0xF1, 0x0E},
	{0x01, 0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1}, {0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1, 0x01},
	{0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E, 0xFE}, {0xFE, 0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E},
	{0x01, 0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E}, {0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E, 0x01},
	{0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1, 0xFE}, {0xFE, 0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1},
}
