package recharge

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Order answers /ext/order: an order that was paid waits for its card, and its
// money is held.
func (s *Service) Order(ctx context.Context, r RegisterOrder) error {
	if !slices.Contains(s.set.PaymentTypes, r.Payment.Type) {
		return refuseField(BadField, "PAYMENTTYPE")
	}
	return s.onSerial(ctx, r.Domain, r.TradeID, func() error {
		now, err := s.now()
		if err != nil {
			return err
		}
		return register(ctx, s.Ledger, r, s.set.most(), now)
	})
}

// onSerial decides what f decides about a serial, anew while the ledger moves.
func (s *Service) onSerial(ctx context.Context, domain, tradeID string, f func() error) error {
	leave, err := s.gate.enter(ctx, serialGate(domain, tradeID))
	if err != nil {
		return err
	}
	defer leave()
	for range mostTries {
		if err := f(); !errors.Is(err, ErrConflict) {
			return s.storeError(err)
		}
	}
	return refuse(Busy)
}

// register stores an order that was paid, if there are cards that take as much
// at once. Another request with the same content finds it stored.
func register(ctx context.Context, l Ledger, r RegisterOrder, most Fen, now time.Time) error {
	k, err := l.Find(ctx, Question{Domain: r.Domain, TradeID: r.TradeID, Payment: r.Payment})
	if err != nil {
		return err
	}
	if o := k.Order; o != nil {
		if o.Source == FromPayment && o.CardNo == r.CardNo && o.Amount == r.Amount && o.Payment == r.Payment {
			return nil
		}
		return refuse(SerialReused)
	}
	switch {
	case k.Paid != nil:
		return refuse(SerialReused)
	case r.Amount < 1:
		return refuseField(BadField, "TRADEMONEY")
	case r.Amount > most:
		return refuse(LimitExceeded)
	}
	id, err := l.NewID(ctx)
	if err != nil {
		return err
	}
	at := now.UnixMilli()
	return l.Commit(ctx, &Change{
		Event: Event{At: at, Kind: "REGISTER", Domain: r.Domain, Order: id, Who: r.Source},
		Orders: []Order{{
			ID: id, Domain: r.Domain, TradeID: r.TradeID, Source: FromPayment, TradeType: TradeLoad, State: Reserved, Version: 1,
			CardNo: r.CardNo, Amount: r.Amount, Account: PaymentAccount, Payment: r.Payment, Fingerprint: r.Fingerprint, At: at,
		}},
		Postings: []Posting{{Order: id, From: PaymentAccount, To: ReserveAccount, Amount: r.Amount}},
	})
}

// Cancel answers /ext/cancel. It races safely with a load: both want the order
// to be reserved.
func (s *Service) Cancel(ctx context.Context, r CancelOrder) error {
	return s.onSerial(ctx, r.Domain, r.TradeID, func() error {
		k, err := s.Ledger.Find(ctx, Question{Domain: r.Domain, TradeID: r.TradeID})
		switch {
		case err != nil:
			return err
		case k.Order == nil:
			return refuse(NoSuchOrder)
		case k.Order.State == Cancelled: // asked again
			return nil
		case k.Order.State != Reserved:
			return refuse(OrderClosed)
		}
		now, err := s.now()
		if err != nil {
			return err
		}
		o := k.Order
		c := &Change{
			Event:    s.event("CANCEL", r.Caller, now),
			Moves:    []Move{{Order: o.ID, Version: o.Version, From: Reserved, To: Cancelled}},
			Postings: []Posting{{Order: o.ID, From: ReserveAccount, To: RefundAccount, Amount: o.Amount}},
		}
		c.Event.Order = o.ID
		return s.Ledger.Commit(ctx, c)
	})
}

// Query answers /ext/query, for orders of the caller's domain.
func (s *Service) Query(ctx context.Context, r QueryOrder) (OrderState, error) {
	k, err := s.named(ctx, r.Caller, r.Name, Question{})
	if err != nil {
		return OrderState{}, s.storeError(err)
	}
	return OrderState{TradeID: k.Order.TradeID, State: k.Order.State, Amount: k.Order.Amount}, nil
}

// named finds the order that a request names, with its writes.
func (s *Service) named(ctx context.Context, by Caller, n Name, q Question) (*Known, error) {
	q.Domain, q.TradeID, q.WithWrites = by.Domain, n.TradeID, true
	if n.TradeID == "" {
		q.CardNo, q.Counter, q.ByNumber = n.CardNo, n.Counter, true
	}
	k, err := s.Ledger.Find(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case k.Order == nil || k.Order.Domain != by.Domain:
		return nil, refuse(NoSuchOrder)
	}
	return k, nil
}
