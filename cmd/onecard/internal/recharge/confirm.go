package recharge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pbochsm/mac"
)

// TAC answers /ext/tac: a good TAC of any write of a load confirms it.
func (s *Service) TAC(ctx context.Context, r ConfirmTAC) error {
	return s.confirm(ctx, r.Caller, r.Name, TradeLoad, func(scheme *Scheme, o *Order, w *CardWrite) mac.Op {
		return mac.LoadTAC{
			Card: scheme.macCard(w.Key, w.Card.ASN), Balance: mac.Fen(w.Balance + o.Amount), Counter: w.Counter,
			Amount: mac.Fen(o.Amount), Type: scheme.LoadType, Terminal: w.Terminal, Date: w.Date, Time: w.Time, TAC: r.TAC,
		}.Op()
	})
}

// MAC3 answers /ext/mac3: a good MAC3 of any write of an unload confirms it,
// and with that its money is credited.
func (s *Service) MAC3(ctx context.Context, r ConfirmMAC3) error {
	return s.confirm(ctx, r.Caller, r.Name, TradeUnload, func(scheme *Scheme, o *Order, w *CardWrite) mac.Op {
		return mac.UnloadProof{
			Card: scheme.macCard(w.Key, w.Card.ASN), Random: w.Random, Counter: w.Counter, Balance: mac.Fen(w.Balance - o.Amount),
			Amount: mac.Fen(o.Amount), Terminal: w.Terminal, Date: w.Date, Time: w.Time, MAC3: r.MAC3,
		}.Op()
	})
}

// A question to the security module: did the card prove this write?
type proof func(*Scheme, *Order, *CardWrite) mac.Op

func (s *Service) confirm(ctx context.Context, by Caller, n Name, t TradeType, p proof) error {
	for range mostTries {
		if err := s.confirmOnce(ctx, by, n, t, p); !errors.Is(err, ErrConflict) {
			return s.storeError(err)
		}
	}
	return refuse(Busy)
}

func (s *Service) confirmOnce(ctx context.Context, by Caller, n Name, t TradeType, p proof) error {
	now, err := s.now()
	if err != nil {
		return err
	}
	k, err := s.named(ctx, by, n, Question{})
	if err != nil {
		return err
	}
	o := k.Order
	if o.TradeType != t || len(k.Writes) == 0 {
		return refuse(OrderClosed)
	}
	if err := s.prove(ctx, by, o, k.Writes, p, now); err != nil {
		return err
	}
	switch o.State {
	case Confirmed: // asked again
		return nil
	case Issued, Consumed:
	default:
		return s.provedAfterAll(ctx, by, o, now)
	}
	c := &Change{
		Event: s.event("CONFIRM", by, now),
		Moves: []Move{{Order: o.ID, Version: o.Version, From: o.State, To: Confirmed, Overtaken: o.Overtaken}},
	}
	c.Event.Order = o.ID
	if t == TradeUnload {
		c.Postings = []Posting{{Order: o.ID, From: CardsAccount, To: creditOf(o), Amount: o.Amount}}
	}
	return s.Ledger.Commit(ctx, c)
}

// provedAfterAll is what becomes of a proof whose order was given up: its money
// was given back, and is on the card. People must see to it.
func (s *Service) provedAfterAll(ctx context.Context, by Caller, o *Order, now time.Time) error {
	s.alarm(fmt.Sprintf("a card has proved order %d of domain %s, which is %s", o.ID, o.Domain, o.State))
	c := &Change{Event: s.event(EventProved, by, now)}
	c.Event.Order = o.ID
	if err := s.Ledger.Commit(ctx, c); err != nil {
		return err
	}
	return refuse(OrderClosed)
}

// creditOf is where the money of an unload, or of a refund, goes.
func creditOf(o *Order) int64 {
	switch {
	case o.Account >= FirstAccount:
		return o.Account
	case o.TradeType == TradeUnload:
		return UnloadAccount
	}
	return RefundAccount
}

// prove asks the security module about every write of an order in one batch.
func (s *Service) prove(ctx context.Context, by Caller, o *Order, writes []CardWrite, p proof, now time.Time) error {
	scheme, err := s.set.schemeByID(o.Card.Scheme)
	if err != nil {
		return err
	}
	budgets := s.cardBudgets(o.Domain, o.Card, now)
	k, err := s.Ledger.Find(ctx, Question{Budgets: budgets})
	if err != nil {
		return err
	}
	if s.set.Budgets.spent(budgets, k.Spent) {
		return refuse(BudgetSpent)
	}
	ops := make([]mac.Op, len(writes))
	for i := range writes {
		ops[i] = p(scheme, o, &writes[i])
	}
	if err := s.HSM.Do(ctx, ops); err != nil {
		return refuseFor(s.hsmCode(err), err)
	}
	for i := range ops {
		switch code := s.hsmCodeOf(ops[i].Err); code {
		case Success:
			return nil
		case CardNotAuthentic:
		default:
			return refuseFor(code, ops[i].Err)
		}
	}
	return s.fail(ctx, by, ProofRefused, now, budgets)
}

func (s *Service) hsmCodeOf(err error) Code {
	if err == nil {
		return Success
	}
	return s.hsmCode(err)
}
