package cardtest

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A Secured command is one that only the issuer can have sent, as it arrives.
// See [PBOC] 3.2.
type Secured struct {
	Header [5]byte // CLA INS P1 P2 Lc
	Body   []byte  // without the MAC, enciphered or not
	MAC    mac.MAC
}

// Challenge is GET CHALLENGE 取随机数: n bytes, with which the MAC of the next
// command begins. No other command can be made with them.
func (c *Card) Challenge(n int) (challenge []byte, err error) {
	err = c.command(func() error {
		challenge = make([]byte, n)
		if _, err := io.ReadFull(c.rand, challenge); err != nil {
			return fmt.Errorf("cardtest: random number: %w", err)
		}
		c.challenge = bytes.Clone(challenge)
		return nil
	})
	return challenge, err
}

// DropChallenge makes a challenge worthless: another command came in between.
func (c *Card) DropChallenge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.challenge = nil
}

// authentic gives the key of a role if it made the MAC of s. That spends the
// challenge.
func (c *Card) authentic(u keystore.Usage, s Secured) (reference.Key, error) {
	challenge := c.challenge
	c.challenge = nil
	k, err := c.key(u)
	if err != nil {
		return reference.Key{}, err
	}
	var iv [16]byte
	switch {
	case c.profile.Switches[keystore.SwitchScriptIV] == keystore.ScriptIVZero:
	case challenge == nil:
		return reference.Key{}, StatusConditions
	default:
		copy(iv[:8], challenge)
	}
	chain := k.key.Retail(iv, reference.Pad(join(s.Header[:], s.Body)))
	if subtle.ConstantTimeCompare(chain[len(chain)-1][:4], s.MAC[:]) != 1 {
		return reference.Key{}, StatusMessaging
	}
	return k.key, nil
}

// content deciphers a body: its length, itself, and padding. See [PBOC] 3.3.
func content(k reference.Key, body []byte) ([]byte, error) {
	if len(body) == 0 || len(body)%8 != 0 {
		return nil, StatusData
	}
	plain := reference.Of(keystore.Cipher3DES).Decipher(k, body)
	n := int(plain[0])
	if n >= len(plain) {
		return nil, StatusData
	}
	padding := bytes.TrimRight(plain[1+n:], "\x00")
	if len(padding) > 1 || len(padding) == 1 && padding[0] != 0x80 || len(padding) == 0 && 1+n != len(plain) {
		return nil, StatusData
	}
	return plain[1 : 1+n], nil
}
