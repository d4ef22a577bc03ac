package keystore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrHome is the answer to a home that no key can have.
var ErrHome = errors.New("keystore: home of the key")

// A Home is where the bytes of a key are. The zero Home is the sealed file; any
// other is an object of a PKCS#11 token, which the file knows by its names
// alone. Like every attribute it is authenticated with the file, so nobody can
// point a key at another object.
type Home struct {
	Token string // the name that the daemon's configuration gives the token
	Label string // CKA_LABEL of the object
	ID    string // CKA_ID of the object, the bytes themselves
}

// The longest parts of a Home, in bytes.
const (
	maxTokenName = 64
	maxLabel     = 128
	maxID        = 64
)

// InToken tells whether the key lives in a token.
func (h Home) InToken() bool { return h != Home{} }

// String gives token:label#id for people, the identifier in hexadecimal, or
// "file".
func (h Home) String() string {
	if !h.InToken() {
		return "file"
	}
	return fmt.Sprintf("%s:%s#%X", h.Token, h.Label, h.ID)
}

// check refuses a home that does not name one object.
func (h Home) check() error {
	if !h.InToken() {
		return nil
	}
	for _, part := range []struct {
		name, text string
		most       int
	}{{"token", h.Token, maxTokenName}, {"label", h.Label, maxLabel}, {"identifier", h.ID, maxID}} {
		if part.text == "" || len(part.text) > part.most {
			return fmt.Errorf("%w: its %s has %d bytes, not 1 to %d", ErrHome, part.name, len(part.text), part.most)
		}
	}
	for _, text := range []string{h.Token, h.Label} {
		if strings.ContainsFunc(text, unprintable) {
			return fmt.Errorf("%w: %q has other characters than printable ASCII", ErrHome, text)
		}
	}
	return nil
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// A homeRecord is a Home in the file.
type homeRecord struct {
	Token string `json:"token"`
	Label string `json:"label"`
	ID    string `json:"id"` // upper-case hexadecimal
}

func (h Home) record() *homeRecord {
	if !h.InToken() {
		return nil
	}
	return &homeRecord{h.Token, h.Label, strings.ToUpper(hex.EncodeToString([]byte(h.ID)))}
}

func (r *homeRecord) home() (Home, error) {
	if r == nil {
		return Home{}, nil
	}
	id, err := hex.DecodeString(r.ID)
	if err != nil {
		return Home{}, fmt.Errorf("%w: home: %w", ErrDamaged, err)
	}
	h := Home{r.Token, r.Label, string(id)}
	if !h.InToken() {
		return Home{}, fmt.Errorf("%w: an empty home", ErrDamaged)
	}
	return h, nil
}
