package pkcs11

import (
	"errors"
	"fmt"

	"pbochsm/keystore"
)

// A Spec is a key that is to be made in a token, or is there: which one it is,
// and what it is.
type Spec struct {
	Label  string
	ID     string // CKA_ID, the bytes themselves
	Cipher keystore.Cipher
	// Folded says that the key is a card's own TAC key, which needs its folded
	// form beside it, see Folded.
	Folded bool
}

// String gives label and identifier, which may be said of a key.
func (s Spec) String() string {
	if s.ID == "" {
		return fmt.Sprintf("%q", s.Label)
	}
	return fmt.Sprintf("%q with identifier %X", s.Label, s.ID)
}

// ErrLabel is the answer to a label that is taken. Nothing is overwritten.
var ErrLabel = errors.New("pkcs11: the token has a key of this label already")
