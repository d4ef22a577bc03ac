package cardtest

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// An Answer is the 16 bytes of INITIALIZE FOR LOAD and FOR UNLOAD, in pieces.
// See [PBOC] 5.1.
type Answer struct {
	Balance   mac.Fen // before the transaction
	Counter   mac.OnlineCount
	Version   byte
	Algorithm byte
	Random    [4]byte
	MAC1      mac.MAC
	Limit     mac.Fen // the overdraft limit, in the answer to INITIALIZE FOR UPDATE: see [PBOC] 5.6
}

// A session is what INITIALIZE began. It ends with the next command that uses
// it, and with the power.
type session struct {
	purse    Purse
	kind     mac.TransactionType
	key      [8]byte // of a transaction with the host; a purchase has none before its serial
	staged   []staged
	amount   mac.Fen
	terminal mac.TerminalID
	random   [4]byte
}

func (s *session) load() bool { return s.kind == mac.TypeLoadED || s.kind == mac.TypeLoadEP }

func (s *session) unload() bool { return s.kind == mac.TypeUnload }

func (s *session) update() bool { return s.kind == mac.TypeOverdraft }

func (s *session) purchase() bool { return !s.load() && !s.unload() && !s.update() }

// InitLoad is INITIALIZE FOR LOAD 圈存初始化. See [PBOC] 5.1.
func (c *Card) InitLoad(p Purse, amount mac.Fen, terminal mac.TerminalID) (Answer, error) {
	kind := mac.TypeLoadEP
	if p == ED {
		kind = mac.TypeLoadED
	}
	return c.initialize(p, kind, amount, terminal)
}

// InitUnload is INITIALIZE FOR UNLOAD 圈提初始化. See [PBOC] 5.5.
func (c *Card) InitUnload(p Purse, amount mac.Fen, terminal mac.TerminalID) (Answer, error) {
	return c.initialize(p, mac.TypeUnload, amount, terminal)
}

func (c *Card) initialize(p Purse, kind mac.TransactionType, amount mac.Fen, terminal mac.TerminalID) (a Answer, err error) {
	err = c.command(func() error {
		c.session = nil // a new INITIALIZE takes the place of the one before
		u := c.purse(p)
		switch {
		case kind == mac.TypeUnload && p != ED && !c.unloadEP:
			return StatusConditions
		case u.online == 0xFFFF:
			return StatusCounter
		case kind == mac.TypeUnload && u.balance < amount, kind != mac.TypeUnload && MaxBalance-u.balance < amount:
			return StatusFunds
		}
		role := keystore.UsageLoad
		if kind == mac.TypeUnload {
			role = keystore.UsageUnload
		}
		s := &session{purse: p, kind: kind, amount: amount, terminal: terminal}
		a, err = c.begin(s, role, fen(amount))
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	return a, nil
}

// begin opens the session of a transaction with the host. MAC1 is over the
// balance, what, type and terminal.
func (c *Card) begin(s *session, role keystore.Usage, what []byte) (Answer, error) {
	k, err := c.key(role)
	if err != nil {
		return Answer{}, err
	}
	if _, err := io.ReadFull(c.rand, s.random[:]); err != nil {
		return Answer{}, fmt.Errorf("cardtest: random number: %w", err)
	}
	u := c.purse(s.purse)
	s.key = k.key.SessionKey([8]byte(join(s.random[:], u16(uint16(u.online)), []byte{0x80, 0})))
	c.session = s
	return Answer{
		Balance: u.balance, Counter: u.online, Limit: u.limit, Version: k.version, Algorithm: k.algorithm, Random: s.random,
		MAC1: mac.MAC(transactionMAC(s.key, fen(u.balance), what, []byte{byte(s.kind)}, s.terminal[:])),
	}, nil
}

// Credit is CREDIT FOR LOAD 圈存: if MAC2 is right, the purse has the money and
// the counter rises. See [PBOC] 5.1.
func (c *Card) Credit(date mac.BCDDate, time mac.BCDTime, mac2 mac.MAC) (tac mac.TransactionMAC, err error) {
	err = c.command(func() error {
		s, err := c.take((*session).load, mac2, date, time)
		if err != nil {
			return err
		}
		k, err := c.key(keystore.UsageTAC)
		if err != nil {
			return err
		}
		u := c.purse(s.purse)
		u.balance += s.amount
		tac = mac.TransactionMAC(transactionMAC(k.key.TACKey(), fen(u.balance), u16(uint16(u.online)), fen(s.amount),
			[]byte{byte(s.kind)}, s.terminal[:], date[:], time[:]))
		c.finish(s, date, time, Record{MAC: mac2, TAC: tac})
		return nil
	})
	if err != nil {
		return mac.TransactionMAC{}, err
	}
	return tac, nil
}

// Debit is DEBIT FOR UNLOAD 圈提: if MAC2 is right, the purse has given the
// money back, and MAC3 proves it. See [PBOC] 5.5.
func (c *Card) Debit(date mac.BCDDate, time mac.BCDTime, mac2 mac.MAC) (mac3 mac.MAC, err error) {
	err = c.command(func() error {
		s, err := c.take((*session).unload, mac2, date, time)
		if err != nil {
			return err
		}
		u := c.purse(s.purse)
		u.balance -= s.amount
		mac3 = mac.MAC(transactionMAC(s.key, fen(u.balance), u16(uint16(u.online)), fen(s.amount),
			[]byte{byte(s.kind)}, s.terminal[:], date[:], time[:]))
		c.finish(s, date, time, Record{MAC: mac3})
		return nil
	})
	if err != nil {
		return mac.MAC{}, err
	}
	return mac3, nil
}

// take ends the session and gives it out if it is of the right sort and MAC2
// is the host's.
func (c *Card) take(sort func(*session) bool, mac2 mac.MAC, date mac.BCDDate, time mac.BCDTime) (*session, error) {
	s := c.session
	c.session = nil
	if s == nil || !sort(s) {
		return nil, StatusState
	}
	if err := s.check(mac2, fen(s.amount), date, time); err != nil {
		return nil, err
	}
	return s, nil
}

// check compares MAC2 over what, type, terminal and time.
func (s *session) check(mac2 mac.MAC, what []byte, date mac.BCDDate, time mac.BCDTime) error {
	want := transactionMAC(s.key, what, []byte{byte(s.kind)}, s.terminal[:], date[:], time[:])
	if subtle.ConstantTimeCompare(want[:], mac2[:]) != 1 {
		return StatusMAC
	}
	return nil
}

// finish counts and remembers a transaction with the host.
func (c *Card) finish(s *session, date mac.BCDDate, time mac.BCDTime, r Record) {
	u := c.purse(s.purse)
	r.Purse, r.Type, r.Counter, r.Amount = s.purse, s.kind, uint16(u.online), s.amount
	r.Terminal, r.Date, r.Time = s.terminal, date, time
	u.online++
	c.remember(r)
}

// transactionMAC is the MAC of [PBOC] 3.1 over the parts, one after the other.
func transactionMAC(key [8]byte, parts ...[]byte) [4]byte {
	chain := reference.ChainBlocks(key, reference.Pad(join(parts...)))
	last := chain[len(chain)-1]
	return [4]byte(last[:4])
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func fen(f mac.Fen) []byte { return binary.BigEndian.AppendUint32(nil, uint32(f)) }

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
