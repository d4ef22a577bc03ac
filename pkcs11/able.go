//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// Abilities are what known answers have shown that a token can do, besides what
// it must: chains with session keys. What it cannot do is refused, with the
// reason.
type abilities struct {
	tac    TACWay // WayNone: TAC keys are not folded
	lock   bool   // the key of a grey lock is derived from a session key
	script bool   // issuer scripts: blocks enciphered, and retail MACs
}

// An ability is one of them, or the one that every token must have.
type ability uint8

const (
	must ability = iota
	foldTAC
	lock
	script
)

// needs tells which ability a chain takes.
func needs(c keystore.Cipher, f mac.Final) ability {
	switch {
	case folds(c, f):
		return foldTAC
	case f == mac.FinalLock:
		return lock
	case f == mac.FinalCard:
		return script
	}
	return must
}

// folds tells whether the last key of a chain is folded. With SM4 the key of a TAC
// is the card's own.
func folds(c keystore.Cipher, f mac.Final) bool { return f == mac.FinalTAC && c == keystore.Cipher3DES }

// refuse says why the token cannot run a chain.
func (a *abilities) refuse(cipher keystore.Cipher, c *mac.Chain) error {
	switch n := needs(cipher, c.Final); {
	case n == foldTAC && c.Levels > 0 && a.tac == WayNone:
		return fmt.Errorf("%w: this token folds TAC keys in no way that the settings allow", mac.ErrUnsupported)
	case n == lock && !a.lock:
		return fmt.Errorf("%w: this token fails the known answer of a grey lock", mac.ErrUnsupported)
	case n == script && !a.script:
		return fmt.Errorf("%w: this token fails the known answers of issuer scripts", mac.ErrUnsupported)
	}
	return nil
}

// lost tells what was there before, and is not now. After a fault that is one
// more fault: a token does not become another.
func (a *abilities) lost(before *abilities) error {
	switch {
	case a.tac == WayNone && before.tac != WayNone:
		return fmt.Errorf("%w: TAC keys cannot be folded by way %s any more", errAnswer, before.tac)
	case before.lock && !a.lock:
		return fmt.Errorf("%w: grey locks cannot be computed any more", errAnswer)
	case before.script && !a.script:
		return fmt.Errorf("%w: issuer scripts cannot be computed any more", errAnswer)
	}
	return nil
}

// proveAll runs the known answers: it fails if the token cannot do what it must,
// or has a fault, and finds out what else it can do. TAC keys are folded by the
// best way that works and is not below floor.
func (x calls) proveAll(l *library, answers []known, floor TACWay) (a abilities, kek pkcs11.ObjectHandle, err error) {
	a = abilities{tac: WayNone, lock: true, script: true}
	for i := range answers {
		k := &answers[i]
		need := needs(k.cipher, k.chain.Final)
		if need == foldTAC {
			continue
		}
		err := x.prove(l, k, WayHost, 0)
		switch {
		case err == nil:
		case need == must || !incapable(err):
			return a, 0, err
		case need == lock:
			a.lock = false
		default:
			a.script = false
		}
	}
	for way := WayVendor; way >= floor && way >= WayHost; way-- {
		if kek, err = x.proveWay(l, answers, way); err == nil {
			a.tac = way
			return a, kek, nil
		}
		if !incapable(err) {
			return a, 0, err
		}
	}
	return a, 0, nil
}

// incapable tells whether an error says that the token cannot do a thing; a fault
// says nothing about that.
func incapable(err error) bool { return classify(err) == classRequest || errors.Is(err, errAnswer) }

// proveWay tries one way to fold.
func (x calls) proveWay(l *library, answers []known, way TACWay) (kek pkcs11.ObjectHandle, err error) {
	switch {
	case way == WayVendor && x.profile.XORKeys == 0:
		return 0, fmt.Errorf("%w: profile %s names no mechanism that XORs two keys", mac.ErrUnsupported, x.profile.Name)
	case way == WayUnwrap:
		if kek, err = x.wrappingKey(); err != nil {
			return 0, err
		}
	}
	for i := range answers {
		if folds(answers[i].cipher, answers[i].chain.Final) {
			if err := x.prove(l, &answers[i], way, kek); err != nil {
				return 0, err
			}
		}
	}
	return kek, nil
}
