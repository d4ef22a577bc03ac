package cardtest

import (
	"pbochsm/keystore"
	"pbochsm/mac/reference"
)

// roleOf are the key types of P1 in WRITE KEY, as a city card numbers them. See
// [PBOC] 6.
var roleOf = map[byte]keystore.Usage{
	0x04: keystore.UsagePINUnblock, 0x05: keystore.UsagePINReload, 0x06: keystore.UsagePurchase,
	0x07: keystore.UsageLoad, 0x08: keystore.UsageTAC, 0x09: keystore.UsageUnload, 0x0A: keystore.UsageOverdraft,
	0x33: keystore.UsageAppBlock, 0x34: keystore.UsageAppUnblock, 0x36: keystore.UsageMaintenance, 0x39: keystore.UsageKeyControl,
}

// keyFrame is what a city card's WRITE KEY enciphers: version, algorithm, error
// count, state and the key.
const keyFrame = 4 + len(reference.Key{})

// WriteKey is WRITE KEY 写密钥: the key of the type in P1 is replaced, its version
// and algorithm identifier with it. See [PBOC] 6.
func (c *Card) WriteKey(s Secured) error {
	return c.command(func() error {
		role, ok := roleOf[s.Header[2]]
		if !ok {
			return StatusNoKey
		}
		k, err := c.authentic(keystore.UsageKeyControl, s)
		if err != nil {
			return err
		}
		frame, err := content(k, s.Body)
		if err != nil {
			return err
		}
		if len(frame) != keyFrame {
			return StatusData
		}
		c.keys[role] = held{reference.Key(frame[4:]), frame[0], frame[1]}
		return nil
	})
}
