package cardtest

import (
	"fmt"
	"io"
	"sync"

	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A Status is what a card answers instead of data. See [PBOC] 10.
type Status uint16

// Status words of this card.
const (
	StatusState      Status = 0x6901 // no INITIALIZE came before
	StatusConditions Status = 0x6985 // the purse has no such transaction
	StatusMAC        Status = 0x9302 // the MAC of the host or terminal is wrong
	StatusFunds      Status = 0x9401 // the balance does not cover the amount, or cannot hold it
	StatusCounter    Status = 0x9402 // a counter is at its maximum
	StatusNoProof    Status = 0x9406 // no transaction with that counter is remembered
)

// Error gives the four digits.
func (s Status) Error() string { return fmt.Sprintf("cardtest: card answers %04X", uint16(s)) }

// Issuer holds the issuer's keys that a card's own come from, one for each
// role.
type Issuer struct {
	Load, Unload, Purchase, TAC reference.Key
}

// A Purse is one of the two stores of money on a card.
type Purse uint8

// The purses, by their number in P2 of INITIALIZE.
const (
	ED Purse = 1 // electronic deposit 电子存折
	EP Purse = 2 // electronic purse 电子钱包
)

// MaxBalance is the most that a purse can hold, in fen.
const MaxBalance mac.Fen = 1<<31 - 1

// Options make a card.
type Options struct {
	Issuer    Issuer
	Factors   []mac.Factor // of the authorities between issuer and card, outermost first
	ASN       mac.Factor   // application serial number, its rightmost 16 digits
	Version   byte         // of the keys, as INITIALIZE reports it
	Algorithm byte
	Own       bool      // the keys are the card's own already: nothing is diversified
	Rand      io.Reader // the card's random numbers; a seeded one repeats a run
	UnloadEP  bool      // let the EP be unloaded; no source describes it, see [PBOC] 5.5
}

// A Card is safe for concurrent use, one command at a time.
type Card struct {
	keys      Issuer // diversified to this card
	asn       mac.Factor
	version   byte
	algorithm byte
	rand      io.Reader
	unloadEP  bool

	mu      sync.Mutex
	purses  [2]purse
	log     []Record
	session *session
	tear    Tear
}

// A purse is what the card keeps of one of its two.
type purse struct {
	balance mac.Fen
	online  mac.OnlineCount
	offline mac.OfflineCount
}

// New is a card as it leaves personalisation: empty, with its counters at zero.
func New(o Options) *Card {
	factors := append(append([]mac.Factor(nil), o.Factors...), o.ASN)
	if o.Own {
		factors = nil
	}
	own := func(k reference.Key) reference.Key {
		for _, f := range factors {
			k = k.Diversify(f)
		}
		return k
	}
	return &Card{
		keys: Issuer{Load: own(o.Issuer.Load), Unload: own(o.Issuer.Unload), Purchase: own(o.Issuer.Purchase), TAC: own(o.Issuer.TAC)},
		asn:  o.ASN, version: o.Version, algorithm: o.Algorithm, rand: o.Rand, unloadEP: o.UnloadEP,
	}
}

// ASN is the application serial number, as file 0015 has it.
func (c *Card) ASN() mac.Factor { return c.asn }

// Balance is what GET BALANCE answers. See [PBOC] 5.8.
func (c *Card) Balance(p Purse) mac.Fen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.purse(p).balance
}

// Counters are the online and the offline counter of a purse.
func (c *Card) Counters(p Purse) (mac.OnlineCount, mac.OfflineCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.purse(p).online, c.purse(p).offline
}

// purse is the purse p; a number that is none counts as the EP.
func (c *Card) purse(p Purse) *purse {
	if p == ED {
		return &c.purses[0]
	}
	return &c.purses[1]
}
