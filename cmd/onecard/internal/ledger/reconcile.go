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
	all := []ask{
		{unproved, []any{before}, many(&r.Unproved, scanOrder)},
		{overtaken, nil, many(&r.Overtaken, scanOrder)},
		{reserved, []any{before}, many(&r.Reserved, scanOrder)},
	}
	return r, outward(l.engine.read(ctx, all))
}

var (
	unproved  = survey(ordersOf + "WHERE o.state = 'ISSUED' AND o.overtaken = 0 AND o.at <= $1 ORDER BY o.at, o.id")
	overtaken = survey(ordersOf + "WHERE o.state = 'ISSUED' AND o.overtaken <> 0 ORDER BY o.at, o.id")
	reserved  = survey(ordersOf + "WHERE o.state = 'RESERVED' AND o.at <= $1 ORDER BY o.at, o.id")
)

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
		if err := l.engine.read(ctx, []ask{{countWritesAt, key, into(&n)}}); err != nil {
			return nil, outward(err)
		}
		if n == 0 {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

var countWritesAt = find("bigint bigint bigint bigint bigint", "SELECT COUNT(*) FROM orders o JOIN card_write w ON w.order_id = o.id "+
	"WHERE o.scheme = $1 AND o.asn = $2 AND o.wallet = $3 AND o.counter = $4 AND w.random = $5")
