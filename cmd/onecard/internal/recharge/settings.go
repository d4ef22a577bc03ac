package recharge

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pbochsm/mac"
)

// Settings are what the operator decides.
type Settings struct {
	Zone         *time.Location // of HostDate and HostTime
	Window       time.Duration  // how far they may be from the server's clock
	Domains      []Domain
	Schemes      []Scheme
	PaymentTypes []string // accepted in PaymentType
	OperateModes []string // accepted in OperateMode

	Unload            bool          // 圈提 is enabled
	RewriteLower      bool          // a rewrite accepts a balance below the order's: rewrite.balance "lower"
	RewriteSameDay    bool          // a rewrite must have the HostDate of the first write
	SoleLoader        bool          // no other host loads these cards, so a higher counter proves a load
	AlVerifyFresh     bool          // alverify answers a fresh TradeID and 0 where there is no order
	GroupVerifyWindow time.Duration // how long group/verify opens group/supply; 0: it is not needed
	Budgets           Budgets
}

// A Domain is what recharge has to know of an OrigionDomain.
type Domain struct {
	Code         string
	Merchants    []string // whose accounts it may use
	Depts        []string
	Operators    []string // empty: any
	Channels     []string // empty: any
	TrustChannel bool     // orders "trust_channel": mac1authal registers the order that it brings
}

// A Scheme is a family of cards under one issuer's keys.
type Scheme struct {
	ID         uint8    // in the ledger for ever; 1 to 255
	CardTypes  []string // the values of CardType that select it
	Set        byte     // key set in the security module
	Factors    []mac.Factor
	LoadType   mac.TransactionType // what TradeType 01 is in the MACs, by the store of money; 03 is always TypeUnload
	MaxAmount  Fen                 // of one write; 0: no limit but the purse's
	MaxBalance Fen                 // after a load; 0: the same
}

// Wallet is the store of money on the card that the scheme writes: 1 the
// deposit, 2 the purse.
func (s *Scheme) Wallet() uint8 { return uint8(s.LoadType) }

// Budgets say how many wrong MAC1s and passwords there may be before 4004 or
// the refusal of the password. Zero takes the default.
type Budgets struct {
	CardDay    int // wrong MAC1s and proofs of one card in a day: 10
	DomainDay  int // of one domain in a day: 1000
	AlarmDay   int // over all domains in a day, before an alarm: 1000
	SourceHour int // wrong passwords of one source in an hour: 5
	PerMinute  int // of all sources in a minute: 60
}

// domain gives the settings of a domain that package api has let pass.
func (s *Settings) domain(code string) (*Domain, error) {
	i := slices.IndexFunc(s.Domains, func(d Domain) bool { return d.Code == code })
	if i < 0 {
		return nil, refuse(NoPermission)
	}
	return &s.Domains[i], nil
}

// scheme gives the scheme that a CardType selects.
func (s *Settings) scheme(cardType string) (*Scheme, error) {
	i := slices.IndexFunc(s.Schemes, func(c Scheme) bool { return slices.Contains(c.CardTypes, cardType) })
	if i < 0 {
		return nil, refuseField(BadField, "CARDTYPE")
	}
	return &s.Schemes[i], nil
}

// schemeByID gives the scheme of an order.
func (s *Settings) schemeByID(id uint8) (*Scheme, error) {
	i := slices.IndexFunc(s.Schemes, func(c Scheme) bool { return c.ID == id })
	if i < 0 {
		return nil, refuse(CardRefused)
	}
	return &s.Schemes[i], nil
}

// most is the largest amount that any of the cards takes at once.
func (s *Settings) most() Fen {
	most := Fen(0)
	for i := range s.Schemes {
		if s.Schemes[i].MaxAmount == 0 {
			return MaxFen
		}
		most = max(most, s.Schemes[i].MaxAmount)
	}
	if most == 0 {
		return MaxFen
	}
	return most
}

// check refuses settings that would lose money or sense.
func (s *Settings) check() error {
	if s.Zone == nil || s.Window <= 0 {
		return errors.New("recharge: no time zone, or no window for HostDate and HostTime")
	}
	ids, types := map[uint8]bool{0: true}, map[string]bool{}
	for _, c := range s.Schemes {
		if ids[c.ID] {
			return fmt.Errorf("recharge: the number %d of a card scheme is 0 or used twice", c.ID)
		}
		if c.LoadType != mac.TypeLoadED && c.LoadType != mac.TypeLoadEP {
			return fmt.Errorf("recharge: card scheme %d loads with transaction type %02X, which is no load", c.ID, uint8(c.LoadType))
		}
		for _, t := range c.CardTypes {
			if types[t] {
				return fmt.Errorf("recharge: card type %s selects two card schemes", t)
			}
			types[t] = true
		}
		ids[c.ID] = true
	}
	return nil
}

// among tells whether value is in list, or list is empty.
func among(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
