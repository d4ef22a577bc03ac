package recharge

import (
	"context"
	"slices"
	"time"
)

// account makes the change that accounts for a MAC2: its write, and with the
// first write of an order its money and its state. A load at a higher counter
// settles what was issued below it.
func (s *Service) account(ctx context.Context, l *load, k *Known, owner *Order, account int64, now time.Time) (*Change, error) {
	w := &l.write
	c := &Change{Event: s.event(l.kind, l.Caller, now)}
	order := owner
	switch {
	case owner == nil:
		id, err := s.Ledger.NewID(ctx)
		if err != nil {
			return nil, err
		}
		order = s.newOrder(l, id, account, now)
		c.Orders = []Order{*order}
		c.Postings = l.postings(id, account)
	case owner.State == Reserved:
		c.Moves = []Move{{Order: owner.ID, Version: owner.Version, From: Reserved, To: Issued, Issue: l.issue()}}
		c.Postings = l.postings(owner.ID, ReserveAccount)
	default:
		c.Event.Kind = "REWRITE"
		c.Moves = []Move{{Order: owner.ID, Version: owner.Version, From: Issued, To: Issued, Overtaken: owner.Overtaken}}
	}
	c.Event.Order = order.ID
	c.Writes = []CardWrite{l.cardWrite(order.ID, now)}
	if l.use != nil && owner == nil {
		c.Uses = []Use{{Serial: l.use.Serial, Order: order.ID, Now: now.UnixMilli()}}
	}
	bound := Binding{Scheme: l.scheme.ID, ASN: w.ASN, CardNo: w.CardNo}
	if !slices.Contains(k.Bindings, bound) {
		c.Bindings = []Binding{bound}
	}
	c.Moves = append(c.Moves, s.settle(k.OfCard, w)...)
	return c, nil
}

// settle moves what was issued at a lower counter: where no other host loads
// these cards, the card has taken that money. Elsewhere the order is marked
// for the operator.
func (s *Service) settle(ofCard []Order, w *Write) (moves []Move) {
	for _, o := range ofCard {
		if o.State != Issued || o.Counter >= w.Counter {
			continue
		}
		m := Move{Order: o.ID, Version: o.Version, From: Issued, To: Consumed}
		if !s.set.SoleLoader {
			m.To, m.Overtaken = Issued, true
		}
		if s.set.SoleLoader || !o.Overtaken {
			moves = append(moves, m)
		}
	}
	return moves
}

func (s *Service) newOrder(l *load, id, account int64, now time.Time) *Order {
	w := &l.write
	return &Order{
		ID: id, Domain: l.Domain, TradeID: l.tradeID, Source: l.source, TradeType: w.TradeType, State: Issued, Version: 1,
		Card: l.card, CardNo: w.CardNo, Counter: w.Counter, Balance: w.Balance, Amount: w.Amount, Account: account,
		Payment: l.payment, Detail: l.detail, Fingerprint: l.Fingerprint, At: now.UnixMilli(),
	}
}

func (l *load) issue() *Issue {
	w := &l.write
	return &Issue{
		Card: l.card, Counter: w.Counter, Balance: w.Balance, TradeType: w.TradeType, Payment: l.payment, Detail: l.detail,
	}
}

// postings moves the money of a load onto the card. That of an unload moves
// when the card has proved it, and not before.
func (l *load) postings(order, from int64) []Posting {
	if l.write.TradeType == TradeUnload {
		return nil
	}
	return []Posting{{Order: order, From: from, To: CardsAccount, Amount: l.write.Amount}}
}

func (l *load) cardWrite(order int64, now time.Time) CardWrite {
	w := &l.write
	return CardWrite{
		Order: order, Card: l.card, Counter: w.Counter, Random: w.Random, Balance: w.Balance,
		Key:      l.key(),
		Terminal: w.Terminal, Date: w.Date, Time: w.Time, MAC2: *l.mac2, Fingerprint: l.Fingerprint, At: now.UnixMilli(),
	}
}

func (s *Service) event(kind string, c Caller, now time.Time) Event {
	return Event{At: now.UnixMilli(), Kind: kind, Domain: c.Domain, Who: c.Source}
}
