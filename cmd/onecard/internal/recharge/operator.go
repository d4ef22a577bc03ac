package recharge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"pbochsm/mac"
)

// OperatorOptions are what an Operator works with.
type OperatorOptions struct {
	Ledger Books
	Keys   *Keys
	Clock  func() time.Time
	Rand   io.Reader
	Cost   Cost // of password hashes; zero: the default

	Settings Settings // of the service: what it would refuse to load is not sold either
}

// Books are a Ledger as an Operator needs it.
type Books interface {
	Ledger

	// Persons gives the names of those who may take part in what takes two.
	Persons(ctx context.Context) ([]string, error)
}

// An Operator does what is not for the API: accounts, recharge cards, corporate
// cards, and what takes two persons. who, in every method, is for the record of
// the change.
type Operator struct {
	OperatorOptions
	hasher *hasher
}

// Errors of an Operator.
var (
	ErrUnknown   = errors.New("recharge: there is no such thing")
	ErrExists    = errors.New("recharge: there is one already")
	ErrStatus    = errors.New("recharge: it is not in a status for that")
	ErrPerson    = errors.New("recharge: person or pass-phrase refused")
	ErrTwo       = errors.New("recharge: the person who approves must not be the one who proposed")
	ErrSponsors  = errors.New("recharge: two others who are there must vouch for it, each with a pass-phrase")
	ErrLastTwo   = errors.New("recharge: two persons must remain")
	ErrUnsuited  = errors.New("recharge: that value cannot be")
	errBadAmount = fmt.Errorf("%w: the amount", ErrUnsuited)
)

// NewOperator makes an Operator.
func NewOperator(o OperatorOptions) (*Operator, error) {
	h, err := newHasher(o.Cost, o.Rand)
	return &Operator{o, h}, err
}

func (o *Operator) event(kind, who string) Event {
	return Event{At: o.Clock().UnixMilli(), Kind: kind, Who: who}
}

// CreateMerchant opens the prepaid account of a merchant.
func (o *Operator) CreateMerchant(ctx context.Context, who, number, name string) error {
	if number == "" {
		return fmt.Errorf("%w: an empty number", ErrUnsuited)
	}
	id, err := o.Ledger.NewID(ctx)
	if err != nil {
		return err
	}
	c := &Change{
		Event:    o.event("ACCOUNT", who),
		Accounts: []Account{{ID: id, Kind: MerchantAccount, Number: number, Name: name, Status: Active}},
	}
	c.Event.Note = number
	return exists(o.Ledger.Commit(ctx, c))
}

// exists says what a conflict means to somebody who creates something.
func exists(err error) error {
	if errors.Is(err, ErrConflict) {
		return ErrExists
	}
	return err
}

// operatorDomain is the domain of orders that operators make; no OrigionDomain
// has a blank.
const operatorDomain = "OPERATOR "

// TopUp credits the account of a merchant or a corporate card with money that
// was transferred to the house, once for a serial, and gives its new balance.
func (o *Operator) TopUp(ctx context.Context, who string, kind AccountKind, number, serial string, amount Fen) (Fen, error) {
	for range mostTries {
		balance, err := o.topUp(ctx, who, kind, number, serial, amount)
		if !errors.Is(err, ErrConflict) {
			return balance, err
		}
	}
	return 0, ErrBusy
}

func (o *Operator) topUp(ctx context.Context, who string, kind AccountKind, number, serial string, amount Fen) (Fen, error) {
	k, err := o.Ledger.Find(ctx, Question{Domain: operatorDomain, TradeID: serial, Account: kind, Number: number})
	switch {
	case err != nil:
		return 0, err
	case serial == "":
		return 0, fmt.Errorf("%w: an empty serial", ErrUnsuited)
	case k.Account == nil:
		return 0, fmt.Errorf("%w: account %s", ErrUnknown, number)
	case k.Order != nil && k.Order.Account == k.Account.ID && k.Order.Amount == amount:
		return k.Order.Balance, nil
	case k.Order != nil:
		return 0, fmt.Errorf("%w: serial %s, for something else", ErrExists, serial)
	case amount < 1 || amount > mostBalance-k.Account.Balance:
		return 0, errBadAmount
	}
	id, err := o.Ledger.NewID(ctx)
	if err != nil {
		return 0, err
	}
	c := topUpChange(id, k.Account, amount, operatorDomain, serial, o.Clock())
	c.Event.Who = who
	err = o.Ledger.Commit(ctx, c)
	return c.Balance, err
}

// SetAccountStatus blocks an account or opens it again.
func (o *Operator) SetAccountStatus(ctx context.Context, who string, kind AccountKind, number string, to Status) error {
	k, err := o.Ledger.Find(ctx, Question{Account: kind, Number: number})
	switch {
	case err != nil:
		return err
	case k.Account == nil:
		return fmt.Errorf("%w: account %s", ErrUnknown, number)
	case to != Active && to != Blocked || k.Account.Status == to:
		return ErrStatus
	}
	c := &Change{
		Event:    o.event("STATUS", who),
		Statuses: []StatusMove{{Account: k.Account.ID, From: k.Account.Status, To: to}},
	}
	c.Event.Note = string(kind) + " " + number + " " + string(to)
	return o.Ledger.Commit(ctx, c)
}

// CreateCorporate opens the account of a corporate card and sets its password.
func (o *Operator) CreateCorporate(ctx context.Context, who, cardNo string, asn mac.Factor, name string, p Password) error {
	if !suitable(p) {
		return fmt.Errorf("%w: a password has 6 to 12 printable characters", ErrUnsuited)
	}
	id, err := o.Ledger.NewID(ctx)
	if err != nil {
		return err
	}
	hash, err := o.hasher.hash(string(p))
	if err != nil {
		return err
	}
	a := Account{ID: id, Kind: CorporateAccount, Number: cardNo, Name: name, Status: Active}
	c := &Change{
		Event:      o.event("CORPORATE", who),
		Accounts:   []Account{a},
		Corporates: []Corporate{{Account: a, CardNo: cardNo, ASN: asn, Hash: hash}},
	}
	c.Event.Note = cardNo
	return exists(o.Ledger.Commit(ctx, c))
}

// SetCorporatePassword replaces the password of a corporate card.
func (o *Operator) SetCorporatePassword(ctx context.Context, who, cardNo string, p Password) error {
	if !suitable(p) {
		return fmt.Errorf("%w: a password has 6 to 12 printable characters", ErrUnsuited)
	}
	k, err := o.Ledger.Find(ctx, Question{Group: cardNo})
	if err != nil {
		return err
	}
	if k.Corporate == nil {
		return fmt.Errorf("%w: corporate card %s", ErrUnknown, cardNo)
	}
	k.Corporate.Previous, k.Corporate.VerifiedAt = "", 0
	if k.Corporate.Hash, err = o.hasher.hash(string(p)); err != nil {
		return err
	}
	c := &Change{Event: o.event("PASSWORD", who), Corporates: []Corporate{*k.Corporate}}
	c.Event.Note = cardNo
	return o.Ledger.Commit(ctx, c)
}
