package ledger

import (
	"context"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

// A Reconciliation is what somebody should look at regularly.
type Reconciliation struct {
	Unproved  []recharge.Order // issued for longer than the grace, and no TAC or MAC3 came
	Overtaken []recharge.Order // issued, and the card has shown a higher counter
	Reserved  []recharge.Order // paid for longer than the grace, and the card has not come
	Proved    []recharge.Order // given up, and then a card has proved its write: the money is in two places
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
		{provedAfterAll, nil, many(&r.Proved, scanOrder)},
	}
	return r, outward(l.engine.read(ctx, all))
}

var (
	unproved  = survey(ordersOf + "WHERE o.state = 'ISSUED' AND o.overtaken = 0 AND o.at <= $1 ORDER BY o.at, o.id")
	overtaken = survey(ordersOf + "WHERE o.state = 'ISSUED' AND o.overtaken <> 0 ORDER BY o.at, o.id")
	reserved  = survey(ordersOf + "WHERE o.state = 'RESERVED' AND o.at <= $1 ORDER BY o.at, o.id")

	provedAfterAll = survey(ordersOf + "WHERE o.id IN (SELECT e.order_id FROM event e WHERE e.kind = '" + recharge.EventProved +
		"') ORDER BY o.at, o.id")
)

// An Issued is a MAC2 that the security module made, by its audit, with all
// that it depends on but the card's balance.
type Issued struct {
	Cards    []recharge.CardKey // which one it can be: an unload does not name the store of money
	Counter  mac.OnlineCount
	Random   [4]byte
	Amount   recharge.Fen
	Terminal mac.TerminalID
	Date     mac.BCDDate
	Time     mac.BCDTime
}

// mostAsked is how many MAC2s are looked for in one reading.
const mostAsked = 500

// Unaccounted gives those MAC2s that no write accounts for, by their index:
// they were computed and never answered.
func (l *Ledger) Unaccounted(ctx context.Context, made []Issued) (missing []int, err error) {
	for from := 0; from < len(made); from += mostAsked {
		part := made[from:min(from+mostAsked, len(made))]
		found := make([]int64, len(part))
		var all []ask
		for i := range part {
			for _, card := range part[i].Cards {
				all = append(all, part[i].find(card, &found[i]))
			}
		}
		if err := l.engine.read(ctx, all); err != nil {
			return nil, outward(err)
		}
		for i, n := range found {
			if n == 0 {
				missing = append(missing, from+i)
			}
		}
	}
	return missing, nil
}

// find adds to n the writes of card that are m.
func (m *Issued) find(card recharge.CardKey, n *int64) ask {
	args := append(cardRow(card, m.Counter), random(m.Random), int64(m.Amount), m.Terminal[:], m.Date[:], m.Time[:])
	return ask{countWritesAt, args, func(r row) error {
		var here int64
		err := r.Scan(&here)
		*n += here
		return err
	}}
}

var countWritesAt = find("bigint bigint bigint bigint bigint bigint bytea bytea bytea",
	"SELECT COUNT(*) FROM orders o JOIN card_write w ON w.order_id = o.id WHERE o.scheme = $1 AND o.asn = $2 "+
		"AND o.wallet = $3 AND o.counter = $4 AND w.random = $5 AND o.amount = $6 AND w.terminal = $7 "+
		"AND w.host_date = $8 AND w.host_time = $9")
