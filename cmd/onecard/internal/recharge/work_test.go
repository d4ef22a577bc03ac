package recharge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

// Work is what a refusal costs: how often the ledger is read and written, what
// is counted, how often the security module is asked, how many password hashes
// are computed.
type work struct{ finds, commits, spends, asked, hashes int }

// A meter stands before the ledger and the security module of a service.
type meter struct {
	recharge.Ledger
	mac.HSM
	work
}

func (m *meter) Find(ctx context.Context, q recharge.Question) (*recharge.Known, error) {
	m.finds++
	return m.Ledger.Find(ctx, q)
}

func (m *meter) Commit(ctx context.Context, c *recharge.Change) error {
	m.commits++
	m.spends += len(c.Spend)
	return m.Ledger.Commit(ctx, c)
}

func (m *meter) Do(ctx context.Context, ops []mac.Op) error {
	m.asked++
	return m.HSM.Do(ctx, ops)
}

// metered has w counted from now on.
func metered(w *world) *meter {
	m := &meter{Ledger: w.service.Ledger, HSM: w.service.HSM}
	w.service.Ledger, w.service.HSM = m, m
	w.service.CountHashes(func() { m.hashes++ })
	return m
}

// A refusal is one of those that a caller cannot tell apart.
type refusal struct {
	why string
	ask func() error
}

// alike holds that every refusal has the code, and takes the same work.
func (m *meter) alike(t *testing.T, code recharge.Code, all ...refusal) {
	t.Helper()
	var first work
	for i, r := range all {
		m.work = work{}
		refused(t, r.ask(), code)
		if i == 0 {
			first = m.work
		}
		if m.work != first || m.commits != 1 {
			t.Errorf("%s: %+v, and %s: %+v", r.why, m.work, all[0].why, first)
		}
	}
}

// Nothing but its answer could tell why a password was refused: an unknown card,
// a wrong password and a blocked account take the same work, and so do all
// recharge cards that cannot be spent.
func TestRefusalsTakeTheSameWork(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		ctx := context.Background()
		known, blocked := w.newCard(), w.newCard()
		for _, c := range []*holder{known, blocked} {
			w.must(w.office.CreateCorporate(ctx, "op", c.number, c.ASN(), "Corp "+c.number, "secret1"))
		}
		w.must(w.office.SetAccountStatus(ctx, "op", recharge.CorporateAccount, blocked.number, recharge.Blocked))
		m := metered(w)

		sources := 0
		by := func() recharge.Caller { // each guess from a source of its own: none has spent its budget
			sources++
			c := w.caller("TERM", "guess", sources)
			c.Source = fmt.Sprint("terminal ", sources)
			return c
		}
		verify := func(card string, p recharge.Password) func() error {
			return func() error {
				_, err := w.service.GroupVerify(ctx, recharge.GroupVerify{Caller: by(), Card: card, Password: p})
				return err
			}
		}
		m.alike(t, recharge.CorporateRefused,
			refusal{"wrong password", verify(known.number, "secret2")},
			refusal{"unknown number", verify("6999999999999999", "secret1")},
			refusal{"unknown ASN", verify("0999999999999999", "secret1")},
			refusal{"not a number", verify("x", "secret1")},
			refusal{"blocked", verify(blocked.number, "secret1")},
			refusal{"blocked, wrong password", verify(blocked.number, "secret2")},
		)
		modify := func(card string, old recharge.Password) func() error {
			return func() error {
				return w.service.GroupModify(ctx, recharge.GroupModify{Caller: by(), CardNo: card, Old: old, New: "secret9"})
			}
		}
		m.alike(t, recharge.CorporateRefused,
			refusal{"wrong password", modify(known.number, "secret2")},
			refusal{"unknown number", modify("6999999999999999", "secret1")},
			refusal{"blocked", modify(blocked.number, "secret1")},
		)
		w.pass(time.Hour)
		rechargeCardsAlike(t, w, m, by)
	})
}

// rechargeCardsAlike tries recharge cards that cannot be spent, each for another
// reason.
func rechargeCardsAlike(t *testing.T, w *world, m *meter, by func() recharge.Caller) {
	t.Helper()
	ctx := context.Background()
	v := w.vouchers(4, 300)
	used, blocked, expired := v[0], v[1], v[2]
	_, err := w.voucher("elsewhere", used.Password, w.write(w.newCard(), 300))
	w.must(err)
	w.must(w.office.SetVoucherStatus(ctx, "op", blocked.Serial, recharge.Blocked))

	check := func(p recharge.Password) func() error {
		return func() error {
			_, err := w.service.CheckPassword(ctx, recharge.CheckPassword{Caller: by(), Password: p})
			return err
		}
	}
	supply := func(p recharge.Password, amount recharge.Fen) func() error {
		wr := w.write(w.newCard(), amount)
		return func() error {
			_, err := w.voucher(by().Source, p, wr)
			return err
		}
	}
	m.alike(t, recharge.RechargeRefused,
		refusal{"unknown", check("9999999999999999")},
		refusal{"used", check(used.Password)},
		refusal{"blocked", check(blocked.Password)},
	)
	m.alike(t, recharge.RechargeRefused,
		refusal{"unknown", supply("9999999999999999", 300)},
		refusal{"used for another card", supply(used.Password, 300)},
		refusal{"blocked", supply(blocked.Password, 300)},
		refusal{"another amount", supply(v[3].Password, 200)},
	)
	w.pass(25 * time.Hour)
	m.alike(t, recharge.RechargeRefused,
		refusal{"unknown", check("9999999999999999")},
		refusal{"expired", check(expired.Password)},
		refusal{"expired and used", check(used.Password)},
	)
	m.alike(t, recharge.RechargeRefused,
		refusal{"unknown", supply("9999999999999999", 300)},
		refusal{"expired", supply(expired.Password, 300)},
	)
}
