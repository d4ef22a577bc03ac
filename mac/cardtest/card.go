package cardtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A Status is what a card answers instead of data. See [PBOC] 10.
type Status uint16

// Status words of this card.
const (
	StatusTries        Status = 0x63C0 // the PIN is wrong; the last digit says how many tries are left
	StatusState        Status = 0x6901 // no INITIALIZE came before
	StatusLocked       Status = 0x6983 // the PIN has no tries left
	StatusConditions   Status = 0x6985 // no such transaction, or no challenge was asked for
	StatusMessaging    Status = 0x6988 // the MAC of a secured command is wrong
	StatusData         Status = 0x6A80 // the data are not what the command takes
	StatusBlocked      Status = 0x6A81 // the application, or the card, is blocked
	StatusNoRecord     Status = 0x6A83 // there is no such record
	StatusOffset       Status = 0x6B00 // behind the end of the file
	StatusMAC          Status = 0x9302 // the MAC of the host or terminal is wrong
	StatusBlockedFully Status = 0x9303 // the application is blocked for good
	StatusFunds        Status = 0x9401 // the balance does not cover the amount, or cannot hold it
	StatusCounter      Status = 0x9402 // a counter is at its maximum
	StatusNoKey        Status = 0x9403 // the card has no such key
	StatusNoProof      Status = 0x9406 // no transaction with that counter is remembered
)

// Error gives the four digits.
func (s Status) Error() string { return fmt.Sprintf("cardtest: card answers %04X", uint16(s)) }

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

	Profile  keystore.Profile // how the card reads what schemes differ in
	AuthCode AuthCode         // where the profile has MAC1 made with it
	PIN      []byte           // 2 to 8 bytes; none: the card has no PIN
}

// An AuthCode is the authentication code 安全认证识别码 of a city card. See [PBOC]
// 5.3.
type AuthCode [9]byte

// A Card is safe for concurrent use, one command at a time.
type Card struct {
	asn      mac.Factor
	rand     io.Reader
	unloadEP bool
	profile  keystore.Profile
	code     AuthCode
	issued   map[keystore.Usage]held // the keys of personalisation, diversified to this card

	mu        sync.Mutex
	keys      map[keystore.Usage]held
	purses    [2]purse
	log       []Record
	pin       pin
	blocked   Block
	files     files
	session   *session
	challenge []byte // nil: none was asked for
	tear      Tear
}

// A held key is one of the card's own.
type held struct {
	key                reference.Key
	version, algorithm byte
}

// A purse is what the card keeps of one of its two.
type purse struct {
	balance mac.Fen // an overdraft limit is in it
	limit   mac.Fen // 透支限额, of the deposit
	online  mac.OnlineCount
	offline mac.OfflineCount
}

// New is a card as it leaves personalisation: empty, with its counters at zero.
func New(o Options) *Card {
	factors := append(append([]mac.Factor(nil), o.Factors...), o.ASN)
	if o.Own {
		factors = nil
	}
	issued := map[keystore.Usage]held{}
	for _, u := range Usages() {
		k := *o.Issuer.Key(u)
		if k == (reference.Key{}) {
			continue
		}
		for _, f := range factors {
			k = k.Diversify(f)
		}
		issued[u] = held{k, o.Version, o.Algorithm}
	}
	return &Card{
		asn: o.ASN, rand: o.Rand, unloadEP: o.UnloadEP, profile: o.Profile, code: o.AuthCode,
		issued: issued, keys: maps.Clone(issued), pin: pin{value: slices.Clone(o.PIN)},
	}
}

// key is the card's key of a role.
func (c *Card) key(u keystore.Usage) (held, error) {
	k, ok := c.keys[u]
	if !ok {
		return held{}, StatusNoKey
	}
	return k, nil
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
