//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"pbochsm/mac"
)

// A class of errors decides what happens next.
type class uint8

// Classes, from mild to grave.
const (
	classNone    class = iota
	classRequest       // the request or the profile does not fit: the caller's error, no retry
	classSession       // this session is dead: another one, retry once
	classHandle        // a key is gone: find all again, retry once
	classLogin         // the login is gone: log in, find all again, retry once
	classDevice        // token or library gone: initialize afresh, retry once
	classPlanned       // nothing is wrong: initialize afresh before the module has grown too large
	classPIN           // never retried
)

var classNames = [...]string{"none", "request", "session", "handle", "login", "device", "planned", "PIN"}

// String gives the word used in logs.
func (c class) String() string { return classNames[c] }

// classes are the return codes of PKCS #11 that say what is wrong. Whatever is
// not listed, a vendor's own code too, is taken for a fault of the device.
var classes = map[uint]class{
	0x10: classRequest, 0x11: classRequest, 0x12: classRequest, 0x13: classRequest, // attributes
	0x21: classRequest,                     // CKR_DATA_LEN_RANGE
	0x63: classRequest, 0x68: classRequest, // kind and use of a key
	0x54: classRequest, 0x70: classRequest, 0x71: classRequest, // function, mechanism
	0xD0: classRequest, 0xD1: classRequest, // template
	0x110: classRequest, 0x112: classRequest, 0x113: classRequest, 0x114: classRequest, 0x115: classRequest, // wrapping

	0xB3: classSession, 0xB0: classSession, 0x90: classSession, 0x91: classSession,

	0x82: classHandle, 0x60: classHandle,

	0x101: classLogin, // CKR_USER_NOT_LOGGED_IN

	0xA0: classPIN, 0xA3: classPIN, 0xA4: classPIN,
}

// unsupported are the codes of a token that lacks what is asked for.
var unsupported = map[uint]bool{0x54: true, 0x63: true, 0x68: true, 0x70: true, 0x71: true}

// Errors of this package that have no code of PKCS #11.
var (
	errPINStop = errors.New("pkcs11: stopped because of the PIN")
	errNoToken = errors.New("pkcs11: no token fits the configuration")
	errNoKey   = errors.New("pkcs11: the token has no such key")
	errTwoKeys = errors.New("pkcs11: the token has more than one such key")
	errKCV     = errors.New("pkcs11: the key in the token has another check value than the catalogue")
	errClosed  = errors.New("pkcs11: closed")
)

// A CallError is a PKCS#11 function that failed.
type CallError struct {
	Call string // the function
	Err  error  // what the token said
}

// Error gives the function and the name of the code.
func (e *CallError) Error() string { return fmt.Sprintf("pkcs11: %s: %v", e.Call, e.Err) }

// Unwrap gives what the token said.
func (e *CallError) Unwrap() error { return e.Err }

// callError names the function that failed; nil stays nil.
func callError(call string, err error) error {
	if err == nil {
		return nil
	}
	return &CallError{call, err}
}

// answer is err as an operation reports it: not available on this token, or
// the token not available.
func answer(err error) error {
	if unsupported[code(err)] {
		return fmt.Errorf("%w: %w", mac.ErrUnsupported, err)
	}
	if errors.Is(err, mac.ErrUnsupported) || errors.Is(err, mac.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", mac.ErrUnavailable, err)
}

// code is the return code of PKCS #11 in err; 0: there is none. crypto11 wraps
// in the way that was usual before errors.As.
func code(err error) uint {
	var rv pkcs11.Error
	for err != nil {
		if errors.As(err, &rv) {
			return uint(rv)
		}
		old, ok := err.(interface{ Cause() error }) // each step of the chain is looked at
		if !ok {
			inner := errors.Unwrap(err)
			if inner == nil {
				return 0
			}
			err = inner
			continue
		}
		err = old.Cause()
	}
	return 0
}

// classify tells what to do about err.
func classify(err error) class {
	switch {
	case err == nil:
		return classNone
	case errors.Is(err, errPINStop):
		return classPIN
	}
	for _, request := range []error{errNoKey, errTwoKeys, errKCV, errAudit, mac.ErrUnsupported} {
		if errors.Is(err, request) {
			return classRequest
		}
	}
	rv := code(err)
	if c, ok := classes[rv]; ok {
		return c
	}
	return classDevice
}
