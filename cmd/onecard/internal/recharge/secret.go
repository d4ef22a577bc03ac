package recharge

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
)

// A Password is the password of a recharge card or of a corporate card. No
// format verb prints it.
type Password string

// Format prints that there is a password, and nothing of it.
func (Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[password]") }

// MarshalText refuses: a password is not written anywhere.
func (Password) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("recharge: a password is not written")
}

// A Fingerprint says that two requests are the same: an HMAC over the path and
// every field but the token.
type Fingerprint [sha256.Size]byte

// A Digest stands for the password of a recharge card: an HMAC of it.
type Digest [sha256.Size]byte

// Keys are what the server's secret is used for. Whoever has the database but
// not the secret can test neither a guessed password nor a guessed request.
type Keys struct{ fingerprint, password, seal, check [sha256.Size]byte }

// NewKeys derives the keys from the server's secret, of at least 32 bytes.
func NewKeys(secret []byte) (*Keys, error) {
	if len(secret) < sha256.Size {
		return nil, fmt.Errorf("recharge: the server's secret has %d bytes, and needs %d", len(secret), sha256.Size)
	}
	return &Keys{
		fingerprint: digest(secret, "onecard request fingerprint 1"),
		password:    digest(secret, "onecard recharge card 1"),
		seal:        digest(secret, "onecard seal 1"),
		check:       digest(secret, "onecard check 1"),
	}, nil
}

// Check stands for the server's secret in the ledger, so that another one is
// noticed: under it no request would be known again, and no recharge card.
func (k *Keys) Check() []byte { return k.check[:] }

// Fingerprint is that of a request. pairs is the string that its token signs,
// in upper-case pairs, without the channel key, names canonical, in UTF-8.
func (k *Keys) Fingerprint(path, pairs string) Fingerprint {
	return digest(k.fingerprint[:], path, pairs)
}

// Digest is what the ledger stores for a recharge card's password.
func (k *Keys) Digest(p Password) Digest { return digest(k.password[:], string(p)) }

// digest is the HMAC of parts, each with its length before it.
func digest(key []byte, parts ...string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	h.Sum(sum[:0])
	return sum
}
