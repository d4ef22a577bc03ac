package ledger

import (
	"context"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A Reconciliation is what somebody should look at regularly.
type Reconciliation struct {
	Unproved  []recharge.Order // issued for longer than the grace, and no TAC or MAC3 came
	Overtaken []recharge.Order // issued, and the card has shown a higher counter
	Reserved  []recharge.Order // paid for longer than the grace, and the card has not come
	Report    Report
}

// Reconcile looks for what does not settle itself. Orders younger than grace
// are left alone. What the security module computed and nobody saw is found by
// Unaccounted.
func (l *Ledger) Reconcile(ctx context.Context, now time.Time, grace time.Duration) (Reconciliation, error) {
	report, err := l.Verify(ctx)
	if err != nil {
		return Reconciliation{}, err
	}
	r := Reconciliation{Report: report}
	before := now.Add(-grace).UnixMilli()
	all := []statement{
		{sql: openOrders + "o.state = 'ISSUED' AND o.overtaken = 0 AND o.at <= $1" + inOrder, args: []any{before}, scan: many(&r.Unproved, scanOrder)},
		{sql: openOrders + "o.state = 'ISSUED' AND o.overtaken <> 0" + inOrder, scan: many(&r.Overtaken, scanOrder)},
		{sql: openOrders + "o.state = 'RESERVED' AND o.at <= $1" + inOrder, args: []any{before}, scan: many(&r.Reserved, scanOrder)},
	}
	return r, outward(l.engine.read(ctx, all))
}

const inOrder = " ORDER BY o.at, o.id"

var openOrders = "SELECT " + orderList + " FROM orders o WHERE "

// An Issued is a MAC2 that the security module made, by its audit.
type Issued struct {
	Card    recharge.CardKey
	Counter uint16
	Random  [4]byte
}

// Unaccounted gives those MAC2s that no write accounts for: they were computed
// and never sent.
func (l *Ledger) Unaccounted(ctx context.Context, made []Issued) ([]Issued, error) {
	var missing []Issued
	for _, m := range made {
		n := int64(0)
		key := []any{int64(m.Card.Scheme), number(m.Card.ASN), int64(m.Card.Wallet), int64(m.Counter), random(m.Random)}
		err := l.engine.read(ctx, []statement{{sql: countWrites, args: key, scan: into(&n)}})
		if err != nil {
			return nil, outward(err)
		}
		if n == 0 {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

const countWrites = "SELECT COUNT(*) FROM card_write WHERE scheme = $1 AND asn = $2 AND wallet = $3 AND counter = $4 AND random = $5"
