package recharge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A Proposed is what a person proposes: to refund an order on evidence that
// its money is not on the card, or to write it off because the card never came
// back.
type Proposed struct {
	Kind     State // Refunded or WrittenOff
	Domain   string
	TradeID  string
	OrderID  int64 // instead of Domain and TradeID
	Evidence string
}

// A Signature is a person who vouches for something.
type Signature struct {
	Name       string
	Passphrase Password
}

// AddPerson registers a person with a pass-phrase. The first two add
// themselves; from then on two of those who are there vouch for another, so that
// one of them cannot become two.
func (o *Operator) AddPerson(ctx context.Context, who string, added Signature, sponsors ...Signature) error {
	if !nameable(added.Name) || len(added.Passphrase) < 12 {
		return fmt.Errorf("%w: a name without blanks around it, and a pass-phrase of 12 characters or more", ErrUnsuited)
	}
	there, err := o.Ledger.Persons(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(there, func(name string) bool { return strings.EqualFold(name, added.Name) }) {
		return ErrExists
	}
	note := added.Name
	if len(there) >= 2 || len(sponsors) > 0 {
		if note, err = o.vouched(ctx, note, sponsors); err != nil {
			return err
		}
	}
	hash, err := o.hasher.hash(string(added.Passphrase))
	if err != nil {
		return err
	}
	c := &Change{Event: o.event("PERSON", who), Persons: []Person{{Name: added.Name, Hash: hash}}}
	c.Event.Note = note
	return exists(o.Ledger.Commit(ctx, c))
}

// nameable tells whether a person can have this name: one that is printed as it
// is, so that no two look the same in a list.
func nameable(name string) bool {
	return name != "" && len(name) <= 64 && name == strings.TrimSpace(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// RemovePerson keeps a person from taking part from now on. Two others vouch for
// it, and two remain. The name is not given again.
func (o *Operator) RemovePerson(ctx context.Context, who, name string, sponsors ...Signature) error {
	there, err := o.Ledger.Persons(ctx)
	switch {
	case err != nil:
		return err
	case !slices.Contains(there, name):
		return fmt.Errorf("%w: person %s", ErrUnknown, name)
	case len(there) <= 2:
		return ErrLastTwo
	case slices.ContainsFunc(sponsors, func(s Signature) bool { return s.Name == name }):
		return ErrSponsors
	}
	note, err := o.vouched(ctx, name, sponsors)
	if err != nil {
		return err
	}
	c := &Change{Event: o.event("PERSON GONE", who), Gone: []string{name}}
	c.Event.Note = note
	return o.Ledger.Commit(ctx, c)
}

// vouched holds that two persons vouch for a change of name, and gives the note
// of it.
func (o *Operator) vouched(ctx context.Context, name string, sponsors []Signature) (note string, err error) {
	if len(sponsors) != 2 || sponsors[0].Name == sponsors[1].Name {
		return "", ErrSponsors
	}
	for _, s := range sponsors {
		if err := o.person(ctx, s.Name, s.Passphrase); err != nil {
			return "", err
		}
	}
	return name + ", for whom " + sponsors[0].Name + " and " + sponsors[1].Name + " vouch", nil
}

// person checks a pass-phrase; that of nobody takes the same work.
func (o *Operator) person(ctx context.Context, name string, passphrase Password) error {
	k, err := o.Ledger.Find(ctx, Question{Person: name})
	if err != nil {
		return err
	}
	hash := ""
	if k.Person != nil {
		hash = k.Person.Hash
	}
	if !o.hasher.verify(hash, string(passphrase)) {
		return ErrPerson
	}
	return nil
}

// Propose stores a proposal, which changes nothing yet, and gives its number.
func (o *Operator) Propose(ctx context.Context, p Proposed, name string, passphrase Password) (int64, error) {
	if err := o.person(ctx, name, passphrase); err != nil {
		return 0, err
	}
	k, err := o.Ledger.Find(ctx, Question{Domain: p.Domain, TradeID: p.TradeID, OrderID: p.OrderID})
	switch {
	case err != nil:
		return 0, err
	case k.Order == nil:
		return 0, fmt.Errorf("%w: order", ErrUnknown)
	case p.Evidence == "":
		return 0, fmt.Errorf("%w: there is no evidence", ErrUnsuited)
	}
	if err := mayGiveUp(p.Kind, k.Order); err != nil {
		return 0, err
	}
	id, err := o.Ledger.NewID(ctx)
	if err != nil {
		return 0, err
	}
	c := &Change{Event: o.event("PROPOSE", name), Proposals: []Proposal{{
		ID: id, Kind: p.Kind, Order: k.Order.ID, OrderVersion: k.Order.Version, Evidence: p.Evidence, Proposer: name,
		At: o.Clock().UnixMilli(),
	}}}
	c.Event.Order = k.Order.ID
	return id, o.Ledger.Commit(ctx, c)
}

// mayGiveUp tells what can be done with an order in its state. The money of an
// unload was never credited, so there is nothing to refund.
func mayGiveUp(kind State, order *Order) error {
	switch {
	case order.State == Issued && kind == WrittenOff:
		return nil
	case (order.State == Issued || order.State == Consumed) && kind == Refunded && order.TradeType == TradeLoad:
		return nil
	}
	return fmt.Errorf("%w: the order is %s", ErrStatus, order.State)
}

// Approve carries a proposal of a kind out, if another person made it and the
// order has not moved since.
func (o *Operator) Approve(ctx context.Context, kind State, proposal int64, name string, passphrase Password) error {
	if err := o.person(ctx, name, passphrase); err != nil {
		return err
	}
	k, err := o.Ledger.Find(ctx, Question{Proposal: proposal})
	switch {
	case err != nil:
		return err
	case k.Proposal == nil || k.Proposal.Kind != kind:
		return fmt.Errorf("%w: proposal %d, to make an order %s", ErrUnknown, proposal, kind)
	case k.Proposal.Proposer == name:
		return ErrTwo
	case k.Proposal.Approver != "":
		return ErrStatus
	}
	p := k.Proposal
	k, err = o.Ledger.Find(ctx, Question{OrderID: p.Order})
	switch {
	case err != nil:
		return err
	case k.Order == nil:
		return fmt.Errorf("%w: order %d", ErrUnknown, p.Order)
	case k.Order.Version != p.OrderVersion:
		return fmt.Errorf("%w: the order has moved since the proposal", ErrStatus)
	}
	err = o.Ledger.Commit(ctx, o.giveUp(p, k.Order, name))
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("%w: %w", ErrStatus, err)
	}
	return err
}

// giveUp is the change that carries a proposal out.
func (o *Operator) giveUp(p *Proposal, order *Order, name string) *Change {
	to := WriteOffAccount
	if p.Kind == Refunded {
		to = creditOf(order)
	}
	c := &Change{
		Event:    o.event(string(p.Kind), name),
		Moves:    []Move{{Order: order.ID, Version: order.Version, From: order.State, To: p.Kind, Overtaken: order.Overtaken}},
		Approval: &Approval{Proposal: p.ID, Approver: name},
	}
	if order.TradeType == TradeLoad {
		c.Postings = []Posting{{Order: order.ID, From: CardsAccount, To: to, Amount: order.Amount}}
	}
	c.Event.Order = order.ID
	c.Event.Note = p.Proposer + ": " + p.Evidence
	return c
}
