package ledger

import (
	"context"
	"fmt"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A Report is what Verify found. A ledger is sound if there are no Faults.
type Report struct {
	Orders   int64            `json:"orders"`
	Writes   int64            `json:"writes"`
	Postings int64            `json:"postings"`
	Balances map[string]int64 `json:"balances"` // of every account, by kind and number, from the postings
	Faults   []string         `json:"faults"`   // at most mostFaults of them
	More     int64            `json:"more"`     // how many more there are
}

// mostFaults is how many faults a Report names: who has changed a whole table
// need not be told of each row.
const mostFaults = 1000

func (r *Report) fault(rule, what string) {
	if len(r.Faults) == mostFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, rule+": "+what)
}

// Verify recomputes every balance and looks for whatever the invariants
// forbid. It goes through each table a few times and keeps no row, so its time
// grows with the ledger, and no faster.
func (l *Ledger) Verify(ctx context.Context) (Report, error) {
	r := Report{Balances: map[string]int64{}, Faults: []string{}}
	if err := l.engine.check(ctx); err != nil {
		return r, outward(err)
	}
	var s sums
	all := append([]ask{
		{countOrders, nil, into(&r.Orders)},
		{countWrites, nil, into(&r.Writes)},
		{moneyRules, nil, r.money},
		{heldOrders, nil, into(&s.held)},
		{unspent, nil, into(&s.unspent)},
	}, s.asks()...)
	for _, rule := range rules {
		all = append(all, ask{rule.breaks, nil, func(row row) error {
			var what string
			err := row.Scan(&what)
			r.fault(rule.name, what)
			return err
		}})
	}
	if err := l.engine.read(ctx, all); err != nil {
		return r, outward(err)
	}
	s.judge(&r)
	return r, nil
}

// money takes a row of moneyRules.
func (r *Report) money(row row) error {
	var what string
	broken := make([]int64, len(ofMoney))
	to := []any{&what}
	for i := range broken {
		to = append(to, &broken[i])
	}
	if err := row.Scan(to...); err != nil {
		return err
	}
	for i, b := range broken {
		if b != 0 {
			r.fault(ofMoney[i].name, what)
		}
	}
	return nil
}

// sums is the money of all accounts.
type sums struct {
	flows    []flow
	accounts []recharge.Account
	held     int64 // for orders that are reserved
	unspent  int64 // in recharge cards
}

// A flow is what has moved from one account to another.
type flow struct{ from, to, postings, fen int64 }

func (s *sums) asks() []ask {
	return []ask{
		{allFlows, nil, func(r row) error {
			var f flow
			err := r.Scan(&f.from, &f.to, &f.postings, &f.fen)
			s.flows = append(s.flows, f)
			return err
		}},
		{exportAccounts, nil, many(&s.accounts, scanAccount)},
	}
}

// balances is the balance of each account by its postings.
func (s *sums) balances() map[int64]int64 {
	of := map[int64]int64{}
	for _, f := range s.flows {
		of[f.from] -= f.fen
		of[f.to] += f.fen
	}
	return of
}

// byKind is the balances of the house's accounts, by kind and number, and the
// sum of those of all others of a kind.
func (s *sums) byKind() map[string]int64 {
	all, of := map[string]int64{}, s.balances()
	for i := range s.accounts {
		if a := &s.accounts[i]; a.Kind == recharge.SystemAccount {
			all[string(a.Kind)+" "+a.Number] = of[a.ID]
		} else {
			all[string(a.Kind)] += of[a.ID]
		}
	}
	return all
}

// judge holds the accounts against what has moved.
func (s *sums) judge(r *Report) {
	of := s.balances()
	missing := map[int64]bool{}
	for id := recharge.CardsAccount; id <= recharge.WriteOffAccount; id++ {
		missing[id] = true
	}
	for i := range s.accounts {
		a := &s.accounts[i]
		name, sum := string(a.Kind)+" "+a.Number, of[a.ID]
		r.Balances[name] = sum
		switch a.Kind {
		case recharge.SystemAccount:
			delete(missing, a.ID)
			s.judgeHouse(r, a.ID, name, sum)
		case recharge.MerchantAccount, recharge.CorporateAccount:
			if int64(a.Balance) != sum {
				r.fault("I1: a balance is not the sum of its postings", fmt.Sprintf("%s has %d, its postings %d", name, a.Balance, sum))
			}
			if a.Balance < 0 {
				r.fault("I1: a balance is negative", name)
			}
		default:
			r.fault("an account is of no kind", name)
		}
		delete(of, a.ID)
	}
	for id := range missing {
		r.fault("an account of the house is missing", fmt.Sprintf("account %d", id))
	}
	for id, sum := range of {
		r.fault("I1: a posting names an account that does not exist", fmt.Sprintf("account %d has had %d fen", id, sum))
	}
	for _, f := range s.flows {
		r.Postings += f.postings
		if f.from == f.to {
			r.fault("I1: a posting moves nothing", fmt.Sprintf("%d of account %d", f.postings, f.from))
		}
	}
}

// judgeHouse looks at an account of the house. That of the money on cards may be
// negative, where cards are unloaded that somebody else has loaded.
func (s *sums) judgeHouse(r *Report, id int64, name string, sum int64) {
	switch {
	case id == recharge.ReserveAccount && sum != s.held:
		r.fault("I6: the reserve is not what is held for orders", fmt.Sprintf("reserve %d, orders %d", sum, s.held))
	case id == recharge.VoucherAccount && sum != s.unspent:
		r.fault("I3: unspent recharge cards are not what their account holds", fmt.Sprintf("account %d, cards %d", sum, s.unspent))
	case id >= recharge.VoucherAccount && sum < 0:
		r.fault("I1: a balance is negative", name)
	}
}
