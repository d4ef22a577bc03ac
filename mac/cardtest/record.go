package cardtest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A Record is one transaction as the card remembers it: its log 交易明细 and what
// GET TRANSACTION PROVE answers. See [PBOC] 5.8.
type Record struct {
	Purse    Purse
	Type     mac.TransactionType
	Counter  uint16 // before its increment: the online one, in a purchase the offline one
	Amount   mac.Fen
	Limit    mac.Fen `json:",omitempty"` // the overdraft limit afterwards
	Terminal mac.TerminalID
	Date     mac.BCDDate
	Time     mac.BCDTime
	MAC      mac.MAC            // MAC2 of a load or purchase, MAC3 of an unload
	TAC      mac.TransactionMAC // zero in an unload
}

// records is how many transactions a card remembers.
const records = 10

func (c *Card) remember(r Record) {
	r.Limit = c.purse(r.Purse).limit
	c.log = append(c.log, r)
	if len(c.log) > records {
		c.log = slices.Clone(c.log[len(c.log)-records:])
	}
}

// Log gives the last transactions, the oldest first.
func (c *Card) Log() []Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// Prove is GET TRANSACTION PROVE 取交易认证: the MAC and TAC of a transaction
// whose answer was lost. See [PBOC] 5.8.
func (c *Card) Prove(kind mac.TransactionType, counter uint16) (Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.log) - 1; i >= 0; i-- {
		if r := c.log[i]; r.Type == kind && r.Counter == counter {
			return r, nil
		}
	}
	return Record{}, StatusNoProof
}

// A State is the memory of a card, without the keys of its personalisation:
// what a sandbox keeps between two runs.
type State struct {
	ED, EP   Store
	Log      []Record
	PIN      []byte       `json:",omitempty"` // none: that of personalisation
	Failures uint8        `json:",omitempty"` // how often the PIN was wrong
	Blocked  Block        `json:",omitempty"`
	Written  []WrittenKey `json:",omitempty"` // by WRITE KEY
	files
}

// A WrittenKey is a test card's key that WRITE KEY has put there.
type WrittenKey struct {
	Usage              keystore.Usage
	Version, Algorithm byte
	Key                []byte
}

// A Store is the state of one purse.
type Store struct {
	Balance mac.Fen
	Limit   mac.Fen `json:",omitempty"` // overdraft limit 透支限额, which is part of the balance; of the deposit
	Online  mac.OnlineCount
	Offline mac.OfflineCount
}

// State gives the card's memory.
func (c *Card) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	store := func(p Purse) Store {
		u := c.purse(p)
		return Store{Balance: u.balance, Limit: u.limit, Online: u.online, Offline: u.offline}
	}
	s := State{
		ED: store(ED), EP: store(EP), Log: slices.Clone(c.log),
		PIN: bytes.Clone(c.pin.value), Failures: c.pin.failures, Blocked: c.blocked, files: c.files.clone(),
	}
	for _, u := range roles {
		if k, ok := c.keys[u]; ok && k != c.issued[u] {
			s.Written = append(s.Written, WrittenKey{u, k.version, k.algorithm, bytes.Clone(k.key[:])})
		}
	}
	return s
}

// Restore gives the card the memory of s and takes its session away. No real
// card can do it.
func (c *Card) Restore(s State) error {
	for _, u := range []Store{s.ED, s.EP} {
		if u.Balance > MaxBalance {
			return fmt.Errorf("cardtest: a purse cannot hold %d fen", u.Balance)
		}
		if u.Limit > MaxLimit {
			return fmt.Errorf("cardtest: no overdraft limit can be %d fen", u.Limit)
		}
	}
	if s.EP.Limit > 0 {
		return errors.New("cardtest: only the deposit can be overdrawn")
	}
	keys := maps.Clone(c.issued)
	for _, w := range s.Written {
		if len(w.Key) != len(reference.Key{}) || !slices.Contains(roles, w.Usage) {
			return fmt.Errorf("cardtest: a card has no such key of usage %s", w.Usage)
		}
		keys[w.Usage] = held{reference.Key(w.Key), w.Version, w.Algorithm}
	}
	for f, records := range s.Records {
		if slices.ContainsFunc(records, func(r []byte) bool { return len(r) == 0 }) {
			return fmt.Errorf("cardtest: file %04X has an empty record", uint16(f))
		}
	}
	if s.PIN != nil && !validPIN(s.PIN) {
		return fmt.Errorf("cardtest: a PIN of %d bytes", len(s.PIN))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.purses = [2]purse{
		{balance: s.ED.Balance, limit: s.ED.Limit, online: s.ED.Online, offline: s.ED.Offline},
		{balance: s.EP.Balance, online: s.EP.Online, offline: s.EP.Offline},
	}
	c.log, c.session, c.challenge = slices.Clone(s.Log), nil, nil
	c.keys, c.blocked, c.files = keys, s.Blocked, s.files.clone()
	c.pin.failures = s.Failures
	if s.PIN != nil {
		c.pin.value = bytes.Clone(s.PIN)
	}
	return nil
}
