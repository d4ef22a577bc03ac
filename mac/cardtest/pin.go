package cardtest

import (
	"bytes"
	"crypto/subtle"

	"pbochsm/keystore"
)

// tries is how often a PIN may be wrong.
const tries = 3

// A pin is the holder's 个人密码, and how often it was wrong since it was right.
type pin struct {
	value    []byte
	failures uint8
}

// validPIN tells whether a PIN has a length that cards have.
func validPIN(p []byte) bool { return len(p) >= 2 && len(p) <= 8 }

// VerifyPIN is VERIFY 校验口令. See [PBOC] 6.
func (c *Card) VerifyPIN(p []byte) error {
	return c.command(func() error { return c.verifyPIN(p) })
}

func (c *Card) verifyPIN(p []byte) error {
	switch {
	case c.pin.value == nil:
		return StatusNoKey
	case c.pin.failures >= tries:
		return StatusLocked
	case subtle.ConstantTimeCompare(c.pin.value, p) != 1:
		c.pin.failures++
		return StatusTries | Status(tries-c.pin.failures)
	}
	c.pin.failures = 0
	return nil
}

// ChangePIN is CHANGE PIN 修改口令: who knows the old one gives the card another.
// See [PBOC] 6.
func (c *Card) ChangePIN(from, to []byte) error {
	return c.command(func() error {
		if !validPIN(to) {
			return StatusData
		}
		if err := c.verifyPIN(from); err != nil {
			return err
		}
		c.pin.value = bytes.Clone(to)
		return nil
	})
}

// ReloadPIN is RELOAD PIN 重装口令: the issuer gives the card another PIN, in the
// clear and without a challenge. See [PBOC] 6.
func (c *Card) ReloadPIN(s Secured) error {
	return c.command(func() error {
		k, err := c.key(keystore.UsagePINReload)
		if err != nil {
			return err
		}
		var header []byte
		if c.profile.Switches[keystore.SwitchPINReload] == keystore.PINReloadHeader {
			header = s.Header[:]
		}
		want := transactionMAC(k.key.TACKey(), header, s.Body)
		if subtle.ConstantTimeCompare(want[:], s.MAC[:]) != 1 {
			return StatusMAC
		}
		return c.setPIN(s.Body)
	})
}

// UnblockPIN is UNBLOCK PIN 解锁口令: the PIN in it, enciphered, is from then on
// the card's, with all its tries. See [PBOC] 6.
func (c *Card) UnblockPIN(s Secured) error {
	return c.command(func() error {
		k, err := c.authentic(keystore.UsagePINUnblock, s)
		if err != nil {
			return err
		}
		p, err := content(k, s.Body)
		if err != nil {
			return err
		}
		return c.setPIN(p)
	})
}

func (c *Card) setPIN(p []byte) error {
	if !validPIN(p) {
		return StatusData
	}
	c.pin = pin{value: bytes.Clone(p)}
	return nil
}
