package recharge

import (
	"context"
	"time"
)

// CheckPassword answers /recharcard/pwcheck.
func (s *Service) CheckPassword(ctx context.Context, r CheckPassword) (Worth, error) {
	leave, err := s.gate.enter(ctx, sourceGate(r.Caller))
	if err != nil {
		return Worth{}, err
	}
	defer leave()
	now, err := s.now()
	if err != nil {
		return Worth{}, err
	}
	digest, budgets := s.Keys.Digest(r.Password), s.passwordBudgets(r.Caller, now)
	k, err := s.Ledger.Find(ctx, Question{Voucher: &digest, Budgets: budgets})
	if err != nil {
		return Worth{}, s.storeError(err)
	}
	if s.set.Budgets.spent(budgets, k.Spent) {
		return Worth{}, refuse(TooManyRequests)
	}
	if !k.Voucher.spendable(now) {
		return Worth{}, s.fail(ctx, r.Caller, RechargeRefused, now, budgets)
	}
	return Worth{k.Voucher.Amount}, nil
}

// sourceGate makes the guesses of one source come one after the other, so that
// none is judged before the one before it is counted.
func sourceGate(c Caller) string { return "source " + c.Domain + " " + c.Source }

// spendable tells whether a recharge card can still be spent. Nothing tells a
// caller which of the reasons it was that it cannot.
func (v *Voucher) spendable(now time.Time) bool {
	return v != nil && v.Status == Active && v.Expires > now.UnixMilli()
}

// PasswordSupply answers /recharcard/supply: a load that a recharge card pays,
// with all that it is worth.
func (s *Service) PasswordSupply(ctx context.Context, r PasswordSupply) (MAC2, error) {
	if err := s.place(r.Domain, r.Counter); err != nil {
		return MAC2{}, err
	}
	digest := s.Keys.Digest(r.Password)
	return s.run(ctx, &load{
		Caller: r.Caller, kind: "ISSUE", source: FromVoucher, write: r.Write, detail: r.detail(), mayRegister: true,
		gates: []string{"voucher " + string(digest[:]), sourceGate(r.Caller)},
		ask:   Question{Voucher: &digest, Budgets: s.passwordBudgets(r.Caller, s.Clock())},
		check: s.checkVoucher,
	})
}

func (s *Service) checkVoucher(ctx context.Context, l *load, k *Known, owner *Order, now time.Time) (int64, error) {
	cardBudgets := len(k.Spent) - len(l.ask.Budgets)
	if s.set.Budgets.spent(l.ask.Budgets, k.Spent[cardBudgets:]) {
		return 0, refuse(TooManyRequests)
	}
	v := k.Voucher
	rewrite := owner != nil && v != nil && v.Status == Used && v.Order == owner.ID
	if !rewrite && (owner != nil || !v.spendable(now) || v.Amount != l.write.Amount) {
		return 0, s.fail(ctx, l.Caller, RechargeRefused, now, l.ask.Budgets)
	}
	l.use = v
	return VoucherAccount, nil
}
