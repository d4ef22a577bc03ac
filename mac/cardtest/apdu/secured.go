package apdu

import (
	"bytes"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

const macSize = 4

// split takes the MAC from the end of a command.
func split(cmd *command) (s cardtest.Secured, ok bool) {
	n := len(cmd.data) - macSize
	if n < 0 {
		return s, false
	}
	s.Header = [5]byte{cmd.class, cmd.ins, cmd.p1, cmd.p2, byte(len(cmd.data))}
	s.Body, s.MAC = cmd.data[:n], mac.MAC(cmd.data[n:])
	return s, true
}

// secured is a handler of a command that ends with a MAC.
func secured(run func(c *Card, s cardtest.Secured) error) handler {
	return func(c *Card, cmd *command) ([]byte, error) {
		s, ok := split(cmd)
		if !ok {
			return nil, noMessaging
		}
		return nil, run(c, s)
	}
}

// challenge is GET CHALLENGE of 4 or 8 bytes.
func (c *Card) challenge(cmd *command) ([]byte, error) {
	switch {
	case cmd.p1 != 0 || cmd.p2 != 0:
		return nil, wrongPointers
	case cmd.le != 4 && cmd.le != 8:
		return nil, wrongLength
	}
	return c.purse.Challenge(cmd.le)
}

// verifyPIN is VERIFY. P2 names the PIN; there is one.
func (c *Card) verifyPIN(cmd *command) ([]byte, error) {
	if cmd.p1 != 0 {
		return nil, wrongPointers
	}
	return nil, c.purse.VerifyPIN(cmd.data)
}

// changePIN is CHANGE PIN (P1 01), old, FF and new, and RELOAD PIN (00), new and
// its MAC.
func (c *Card) changePIN(cmd *command) ([]byte, error) {
	switch cmd.p1 {
	case 0x00:
		s, ok := split(cmd)
		if !ok {
			return nil, wrongLength
		}
		return nil, c.purse.ReloadPIN(s)
	case 0x01:
		from, to, ok := bytes.Cut(cmd.data, []byte{0xFF})
		if !ok {
			return nil, wrongData
		}
		return nil, c.purse.ChangePIN(from, to)
	}
	return nil, wrongPointers
}

func (c *Card) unblockPIN(s cardtest.Secured) error { return c.purse.UnblockPIN(s) }

func (c *Card) writeKey(s cardtest.Secured) error { return c.purse.WriteKey(s) }

func (c *Card) blockCard(s cardtest.Secured) error {
	if s.Header[2] != 0 || s.Header[3] != 0 {
		return wrongPointers
	}
	return c.purse.BlockCard(s)
}

// blockApplication blocks for a time (P2 00) or for good (01).
func (c *Card) blockApplication(s cardtest.Secured) error {
	if s.Header[2] != 0 || s.Header[3] > 1 {
		return wrongPointers
	}
	return c.purse.BlockApplication(s, s.Header[3] == 1)
}

func (c *Card) unblockApplication(s cardtest.Secured) error {
	if s.Header[2] != 0 || s.Header[3] != 0 {
		return wrongPointers
	}
	return c.purse.UnblockApplication(s)
}

// updateBinary writes where READ BINARY reads.
func (c *Card) updateBinary(s cardtest.Secured) error {
	f, offset, err := c.binary(s.Header[2], s.Header[3])
	if err != nil {
		return err
	}
	return c.purse.UpdateBinary(cardtest.File(f), s, offset, c.initial(f))
}

// updateRecord writes a record by its number.
func (c *Card) updateRecord(s cardtest.Secured) error {
	f := file(s.Header[3] >> 3)
	switch {
	case s.Header[3]&7 != 0x04:
		return wrongPointers
	case f != compoundFile && f != recordFile:
		return noFile
	}
	return c.purse.UpdateRecord(cardtest.File(f), s, int(s.Header[2]))
}
