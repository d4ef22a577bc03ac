package recharge

import (
	"context"
	"errors"
	"time"
)

// AcctTransSupply answers /prepay/accttranssupply: a load that a merchant's
// account pays.
func (s *Service) AcctTransSupply(ctx context.Context, r AcctTransSupply) (MAC2, error) {
	if err := s.merchant(r.Domain, r.Merchant); err != nil {
		return MAC2{}, err
	}
	return s.run(ctx, &load{
		Caller: r.Caller, kind: "ISSUE", source: FromPrepaid, tradeID: r.TradeID, write: r.Write, mayRegister: true,
		detail: Detail{Device: r.Device},
		gates:  []string{serialGate(r.Domain, r.TradeID)},
		ask:    Question{Account: MerchantAccount, Number: r.Merchant},
		check: func(_ context.Context, l *load, k *Known, owner *Order, _ time.Time) (int64, error) {
			a := k.Account
			switch {
			case a == nil:
				return 0, refuse(MerchantRefused)
			case owner != nil && owner.Account != a.ID:
				return 0, refuse(SerialReused)
			case owner != nil:
				return a.ID, nil
			case a.Status != Active:
				return 0, refuse(MerchantRefused)
			case l.write.TradeType == TradeLoad && a.Balance < l.write.Amount:
				return 0, refuse(MerchantFunds)
			}
			return a.ID, nil
		},
	})
}

// PrepaySupply answers /prepay/supply.
func (s *Service) PrepaySupply(ctx context.Context, r PrepaySupply) (PrepaySupplied, error) {
	if err := s.merchant(r.Domain, r.Merchant); err != nil {
		return PrepaySupplied{}, err
	}
	leave, err := s.gate.enter(ctx, serialGate(r.Domain, r.TradeID))
	if err != nil {
		return PrepaySupplied{}, err
	}
	defer leave()
	for range mostTries {
		balance, err := s.topUp(ctx, r)
		if !errors.Is(err, ErrConflict) {
			return PrepaySupplied{r.Merchant, balance}, s.storeError(err)
		}
	}
	return PrepaySupplied{}, refuse(Busy)
}

func (s *Service) topUp(ctx context.Context, r PrepaySupply) (Fen, error) {
	k, err := s.Ledger.Find(ctx, Question{Domain: r.Domain, TradeID: r.TradeID, Account: MerchantAccount, Number: r.Merchant})
	if err != nil {
		return 0, err
	}
	switch {
	case k.Order != nil && k.Order.Fingerprint == r.Fingerprint:
		return k.Order.Balance, nil
	case k.Order != nil:
		return 0, refuse(SerialReused)
	case k.Account == nil || k.Account.Status != Active:
		return 0, refuse(MerchantRefused)
	case r.Amount < 1:
		return 0, refuseField(BadField, "TRADEMONEY")
	}
	if sum, ok := plus(k.Account.Balance, r.Amount); !ok || r.Amount > MaxFen || sum > mostBalance {
		return 0, refuse(LimitExceeded)
	}
	now, err := s.now()
	if err != nil {
		return 0, err
	}
	id, err := s.Ledger.NewID(ctx)
	if err != nil {
		return 0, err
	}
	c := topUpChange(id, k.Account, r.Amount, r.Domain, r.TradeID, now)
	c.Event.Who, c.Orders[0].Fingerprint = r.Source, r.Fingerprint
	err = s.Ledger.Commit(ctx, c)
	return c.Balance, err
}

// mostBalance is the most that an account may hold: 10 million million yuan,
// far from where sums of 64 bits end.
const mostBalance Fen = 1e15

// topUpChange brings money from the outside to an account.
func topUpChange(id int64, to *Account, amount Fen, domain, tradeID string, now time.Time) *Change {
	at := now.UnixMilli()
	return &Change{
		Event: Event{At: at, Kind: "TOPUP", Domain: domain, Order: id},
		Orders: []Order{{
			ID: id, Domain: domain, TradeID: tradeID, Source: FromTransfer, State: Confirmed, Version: 1, Amount: amount,
			Account: to.ID, At: at,
		}},
		Postings: []Posting{{Order: id, From: BankAccount, To: to.ID, Amount: amount}},
	}
}
