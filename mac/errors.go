package mac

import (
	"errors"
	"fmt"
)

// Errors of an Op, besides those of package keystore for its key.
var (
	// ErrVerify is what the errors of a wrong MAC or TAC have in common.
	ErrVerify = errors.New("verification failed")

	ErrMAC1 = fmt.Errorf("mac: MAC1: %w", ErrVerify)
	ErrMAC2 = fmt.Errorf("mac: MAC2: %w", ErrVerify)
	ErrMAC3 = fmt.Errorf("mac: MAC3: %w", ErrVerify)
	ErrTAC  = fmt.Errorf("mac: TAC: %w", ErrVerify)

	// ErrMAC is the MAC of a message that is no card's.
	ErrMAC = fmt.Errorf("mac: MAC: %w", ErrVerify)

	// ErrResponse is a card that did not answer a challenge with its key.
	ErrResponse = fmt.Errorf("mac: response: %w", ErrVerify)

	// ErrInvalid is a field out of range. The error that wraps it names the
	// field.
	ErrInvalid = errors.New("mac: invalid field")

	// ErrUnavailable is a key store device, a token, that does not answer. The
	// error that wraps it names the device's own.
	ErrUnavailable = errors.New("mac: token unavailable")

	// ErrElsewhere is a key whose bytes are in a token, asked of a backend that
	// computes with bytes.
	ErrElsewhere = fmt.Errorf("%w: the key lives in a token, which only a daemon that has it configured can use", ErrUnavailable)

	// ErrNotGivenOut is a key in a token that was to be written into a card.
	ErrNotGivenOut = fmt.Errorf("%w: the key lives in a token, which does not give it out", ErrUnsupported)

	// ErrNoSerials is an operation that needs a terminal serial, where none are
	// kept.
	ErrNoSerials = fmt.Errorf("%w: no terminal serials are kept here", ErrUnsupported)

	// ErrBudget is a card or client that has been wrong too often. See
	// docs/security.md.
	ErrBudget = errors.New("mac: failure budget spent")

	// ErrUnsupported is an operation or a cipher that the backend does not have.
	ErrUnsupported = errors.New("mac: not available on this backend")
)
