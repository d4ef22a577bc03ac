package sim

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// Errors of a deck.
var (
	ErrNoCard  = errors.New("sim: no such card")
	ErrCardNo  = errors.New("sim: a card number and an ASN have 16 digits")
	ErrTwice   = errors.New("sim: there is a card of that number or ASN already")
	ErrNoKind  = errors.New("sim: no such card type")
	ErrRequest = errors.New("sim: request not understood")
)

// A CardKind is what a CardType of the API means to a simulated card.
type CardKind struct {
	Type      string // CardType
	Purse     cardtest.Purse
	Issuer    cardtest.Issuer
	Factors   []mac.Factor
	Set       byte // of the keys, where the security module has them
	Version   byte
	Algorithm byte
	UnloadEP  bool
}

// A Deck holds the simulated cards.
type Deck struct {
	seed  uint64
	kinds []CardKind
	mu    sync.Mutex
	cards []*Card // in the order in which they were made
}

// A Card is a simulated card with what is printed on it.
type Card struct {
	No   string
	ASN  string
	Kind CardKind
	*cardtest.Card
	till *cardtest.Terminal
	rand *rand.ChaCha8
}

// NewDeck makes cards of the kinds; their randoms follow from seed.
func NewDeck(seed uint64, kinds ...CardKind) *Deck { return &Deck{seed: seed, kinds: kinds} }

// Add makes an empty card. Without a number or an ASN it gets the next free
// one, plainly of a simulation.
func (d *Deck) Add(no, asn, cardType string) (*Card, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := slices.IndexFunc(d.kinds, func(k CardKind) bool { return k.Type == cardType || cardType == "" })
	if k < 0 {
		return nil, ErrNoKind
	}
	n := uint64(len(d.cards) + 1)
	if no == "" {
		no = fmt.Sprintf("21500101%08d", 86000000+n)
	}
	if asn == "" {
		asn = fmt.Sprintf("00000101%08d", 86000000+n)
	}
	factor, err := hex.DecodeString(asn)
	if err != nil || len(asn) != 16 || len(no) != 16 || strings.Trim(no+asn, "0123456789") != "" {
		return nil, ErrCardNo
	}
	if slices.ContainsFunc(d.cards, func(c *Card) bool { return c.No == no || c.ASN == asn }) {
		return nil, ErrTwice
	}
	kind := d.kinds[k]
	source := rand.NewChaCha8(d.cardSeed(factor))
	card := &Card{
		No: no, ASN: asn, Kind: kind,
		Card: cardtest.New(cardtest.Options{
			Issuer: kind.Issuer, Factors: kind.Factors, ASN: mac.Factor(factor), Version: kind.Version,
			Algorithm: kind.Algorithm, Rand: source, UnloadEP: kind.UnloadEP,
		}),
		till: &cardtest.Terminal{Issuer: kind.Issuer, Factors: kind.Factors, ID: mac.TerminalID{0x99, 0, 0, 0, 0, 0x01}, Serial: 1},
		rand: source,
	}
	d.cards = append(d.cards, card)
	return card, nil
}

// cardSeed is the seed of one card's random numbers.
func (d *Deck) cardSeed(asn []byte) (seed [32]byte) {
	binary.BigEndian.PutUint64(seed[:], d.seed)
	copy(seed[8:], asn)
	return seed
}

// Card finds a card by its number.
func (d *Deck) Card(no string) (*Card, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.cards {
		if c.No == no {
			return c, nil
		}
	}
	return nil, ErrNoCard
}

// Cards lists the cards in the order in which they were made.
func (d *Deck) Cards() []*Card {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.cards)
}

// Balance is that of the purse that the card's type is about.
func (c *Card) Balance() mac.Fen { return c.Card.Balance(c.Kind.Purse) }

// Counter is the online counter of that purse.
func (c *Card) Counter() mac.OnlineCount {
	online, _ := c.Counters(c.Kind.Purse)
	return online
}

// A Saved card is what a sandbox keeps of it on disk.
type Saved struct {
	No, ASN, Type string
	State         cardtest.State
	Serial        uint32 // of the till at which it is spent
	Rand          []byte // where its random numbers have got to
}

// Save gives every card's memory.
func (d *Deck) Save() (all []Saved, err error) {
	for _, c := range d.Cards() {
		random, err := c.rand.MarshalBinary()
		if err != nil {
			return nil, err
		}
		all = append(all, Saved{No: c.No, ASN: c.ASN, Type: c.Kind.Type, State: c.State(), Serial: c.till.Serial, Rand: random})
	}
	return all, nil
}

// Restore puts the cards of all in the place of those there are. The deck is
// as it was if it fails.
func (d *Deck) Restore(all []Saved) error {
	fresh := NewDeck(d.seed, d.kinds...)
	for _, s := range all {
		c, err := fresh.Add(s.No, s.ASN, s.Type)
		if err != nil {
			return err
		}
		if err := c.Card.Restore(s.State); err != nil {
			return err
		}
		if err := c.rand.UnmarshalBinary(s.Rand); err != nil {
			return err
		}
		c.till.Serial = s.Serial
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cards = fresh.cards
	return nil
}
