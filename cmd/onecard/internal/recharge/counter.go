package recharge

import (
	"context"
	"time"
)

// CardSupply answers /card/supply: a load that was paid over the counter.
func (s *Service) CardSupply(ctx context.Context, r CardSupply) (MAC2, error) {
	if err := s.place(r.Domain, r.Counter); err != nil {
		return MAC2{}, err
	}
	return s.run(ctx, &load{
		Caller: r.Caller, kind: "ISSUE", source: FromCash, write: r.Write, detail: r.detail(), mayRegister: true,
		check: func(context.Context, *load, *Known, *Order, time.Time) (int64, error) { return CashAccount, nil },
	})
}

func (c Counter) detail() Detail { return Detail{Dept: c.Dept, Operator: c.Operator} }

// GroupSupply answers /group/supply: a load that the corporate account of the
// card pays. The request has no password; where the operator sets a window, a
// good group/verify must have come shortly before.
func (s *Service) GroupSupply(ctx context.Context, r GroupSupply) (MAC2, error) {
	if err := s.place(r.Domain, r.Counter); err != nil {
		return MAC2{}, err
	}
	return s.run(ctx, &load{
		Caller: r.Caller, kind: "ISSUE", source: FromCorporate, write: r.Write, detail: r.detail(), mayRegister: true,
		ask: Question{Group: r.Write.CardNo},
		check: func(_ context.Context, l *load, k *Known, owner *Order, now time.Time) (int64, error) {
			c := k.Corporate
			switch window := s.set.GroupVerifyWindow; {
			case c == nil || c.ASN != l.write.ASN:
				return 0, refuse(CorporateRefused)
			case owner != nil:
				return c.Account.ID, nil
			case c.Account.Status != Active, window > 0 && now.UnixMilli()-c.VerifiedAt > window.Milliseconds():
				return 0, refuse(CorporateRefused)
			case l.write.TradeType == TradeLoad && c.Account.Balance < l.write.Amount:
				return 0, refuse(CorporateFunds)
			}
			return c.Account.ID, nil
		},
	})
}
