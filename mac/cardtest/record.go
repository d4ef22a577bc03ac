package cardtest

import (
	"fmt"
	"slices"

	"pbochsm/mac"
)

// A Record is one transaction as the card remembers it: its log 交易明细 and what
// GET TRANSACTION PROVE answers. See [PBOC] 5.8.
type Record struct {
	Purse    Purse
	Type     mac.TransactionType
	Counter  uint16 // before its increment: the online one, in a purchase the offline one
	Amount   mac.Fen
	Terminal mac.TerminalID
	Date     mac.BCDDate
	Time     mac.BCDTime
	MAC      mac.MAC            // MAC2 of a load or purchase, MAC3 of an unload
	TAC      mac.TransactionMAC // zero in an unload
}

// records is how many transactions a card remembers.
const records = 10

func (c *Card) remember(r Record) {
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

// A State is the memory of a card without its keys: what a sandbox keeps
// between two runs.
type State struct {
	ED, EP Store
	Log    []Record
}

// A Store is the state of one purse.
type Store struct {
	Balance mac.Fen
	Online  mac.OnlineCount
	Offline mac.OfflineCount
}

// State gives the card's memory.
func (c *Card) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	store := func(p Purse) Store {
		u := c.purse(p)
		return Store{Balance: u.balance, Online: u.online, Offline: u.offline}
	}
	return State{ED: store(ED), EP: store(EP), Log: slices.Clone(c.log)}
}

// Restore gives the card the memory of s and takes its session away. No real
// card can do it.
func (c *Card) Restore(s State) error {
	for _, u := range []Store{s.ED, s.EP} {
		if u.Balance > MaxBalance {
			return fmt.Errorf("cardtest: a purse cannot hold %d fen", u.Balance)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.purses = [2]purse{
		{balance: s.ED.Balance, online: s.ED.Online, offline: s.ED.Offline},
		{balance: s.EP.Balance, online: s.EP.Online, offline: s.EP.Offline},
	}
	c.log, c.session = slices.Clone(s.Log), nil
	return nil
}
