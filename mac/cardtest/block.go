package cardtest

import "pbochsm/keystore"

// A Block says what of a card answers no more.
type Block uint8

// Blocks.
const (
	NotBlocked     Block = iota
	AppBlocked           // the purse application, until it is unblocked 临时锁定
	AppBlockedGood       // the purse application, for good 永久锁定
	CardBlocked          // everything, for good
)

// Blocked tells what of the card answers no more.
func (c *Card) Blocked() Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocked
}

// BlockApplication is APPLICATION BLOCK 应用锁定, for good or for a time. See
// [PBOC] 6.
func (c *Card) BlockApplication(s Secured, good bool) error {
	return c.block(c.blockRole(keystore.UsageAppBlock), s, func() error {
		c.blocked = AppBlocked
		if good {
			c.blocked = AppBlockedGood
		}
		return nil
	})
}

// UnblockApplication is APPLICATION UNBLOCK 应用解锁. See [PBOC] 6.
func (c *Card) UnblockApplication(s Secured) error {
	return c.block(c.blockRole(keystore.UsageAppUnblock), s, func() error {
		if c.blocked != AppBlocked {
			return StatusConditions
		}
		c.blocked = NotBlocked
		return nil
	})
}

// BlockCard is CARD BLOCK 卡片锁定. See [PBOC] 6.
func (c *Card) BlockCard(s Secured) error {
	return c.block(keystore.UsageCardControl, s, func() error {
		c.blocked = CardBlocked
		return nil
	})
}

// block carries out a command without a body.
func (c *Card) block(role keystore.Usage, s Secured, run func() error) error {
	return c.command(func() error {
		if _, err := c.authentic(role, s); err != nil {
			return err
		}
		c.session = nil
		return run()
	})
}

// blockRole is own or, as most schemes have it, the key of maintenance.
func (c *Card) blockRole(own keystore.Usage) keystore.Usage {
	if c.profile.Switches[keystore.SwitchBlockKey] == keystore.BlockKeyOwn {
		return own
	}
	return keystore.UsageMaintenance
}
