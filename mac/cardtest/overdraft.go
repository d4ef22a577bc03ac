package cardtest

import (
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// MaxLimit is the most that an overdraft limit can be, in fen.
const MaxLimit mac.Fen = 1<<24 - 1

// InitUpdate is INITIALIZE FOR UPDATE 修改初始化, of the deposit. See [PBOC] 5.6.
func (c *Card) InitUpdate(terminal mac.TerminalID) (a Answer, err error) {
	err = c.command(func() error {
		c.session = nil
		u := c.purse(ED)
		if u.online == 0xFFFF {
			return StatusCounter
		}
		a, err = c.begin(&session{purse: ED, kind: mac.TypeOverdraft, terminal: terminal}, keystore.UsageOverdraft, limit(u.limit))
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// UpdateLimit is UPDATE OVERDRAW LIMIT 修改透支限额: if MAC2 is right the limit
// is to, and the balance, which the limit is part of, moves with it. See [PBOC]
// 5.6.
func (c *Card) UpdateLimit(to mac.Limit, date mac.BCDDate, time mac.BCDTime, mac2 mac.MAC) (tac mac.TransactionMAC, err error) {
	err = c.command(func() error {
		s := c.session
		c.session = nil
		if s == nil || !s.update() {
			return StatusState
		}
		if err := s.check(mac2, to[:], date, time); err != nil {
			return err
		}
		k, err := c.key(keystore.UsageTAC)
		if err != nil {
			return err
		}
		u := c.purse(ED)
		raised := u.balance + mac.Fen(to[0])<<16 + mac.Fen(to[1])<<8 + mac.Fen(to[2])
		if raised < u.limit || raised-u.limit > MaxBalance { // the card owes more than the new limit, or cannot hold it
			return StatusFunds
		}
		u.balance, u.limit = raised-u.limit, raised-u.balance
		tac = c.limitTAC(k.key, fen(u.balance), u16(uint16(u.online)), to[:], []byte{byte(s.kind)}, s.terminal[:], date[:], time[:])
		c.finish(s, date, time, Record{MAC: mac2, TAC: tac})
		return nil
	})
	if err != nil {
		return mac.TransactionMAC{}, err
	}
	return tac, nil
}

// limitTAC is the TAC of an overdraft update, with the key folded or, as a
// profile may have it, as it is.
func (c *Card) limitTAC(k reference.Key, parts ...[]byte) mac.TransactionMAC {
	if c.profile.Switches[keystore.SwitchOverdraftTAC] != keystore.OverdraftDirect {
		return mac.TransactionMAC(transactionMAC(k.TACKey(), parts...))
	}
	chain := k.Retail([16]byte{}, reference.Pad(join(parts...)))
	return mac.TransactionMAC(chain[len(chain)-1][:4])
}

// limit is an overdraft limit in its three bytes.
func limit(f mac.Fen) []byte { return fen(f)[1:] }
