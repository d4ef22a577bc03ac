package ledger

import (
	"context"
	"math"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

// A Reconciliation is what somebody should look at regularly.
type Reconciliation struct {
	Unproved  OpenOrders       `json:"unproved"`  // issued for longer than the grace, and no TAC or MAC3 came
	Overtaken OpenOrders       `json:"overtaken"` // issued, and the card has shown a higher counter
	Reserved  OpenOrders       `json:"reserved"`  // paid for longer than the grace, and the card has not come
	Proved    OpenOrders       `json:"proved"`    // given up, and then a card has proved its write: the money is in two places
	Balances  map[string]int64 `json:"balances"`  // of the house's accounts, and of all others of a kind together
}

// An OpenOrders is orders that are open in one way.
type OpenOrders struct {
	Orders int64
	Fen    int64
	Oldest []recharge.Order // at most as many as were asked for
}

// Reconcile looks for what does not settle itself, and gives the oldest orders
// of each kind, at most most of them. Orders younger than grace are left alone.
// What the security module computed and nobody saw is found by Unaccounted.
func (l *Ledger) Reconcile(ctx context.Context, now time.Time, grace time.Duration, most int) (Reconciliation, error) {
	var r Reconciliation
	var s sums
	before := now.Add(-grace).UnixMilli()
	all := s.asks()
	for _, of := range []struct {
		openKind
		before int64
		to     *OpenOrders
	}{
		{unproved, before, &r.Unproved},
		{overtaken, math.MaxInt64, &r.Overtaken},
		{reserved, before, &r.Reserved},
		{provedAfterAll, math.MaxInt64, &r.Proved},
	} {
		all = append(all,
			ask{of.total, []any{of.before}, func(r row) error { return r.Scan(&of.to.Orders, &of.to.Fen) }},
			ask{of.oldest, []any{of.before, int64(most)}, many(&of.to.Oldest, scanOrder)})
	}
	err := l.engine.read(ctx, all)
	r.Balances = s.byKind()
	return r, outward(err)
}

// An openKind finds orders that are open in one way, up to the time $1.
type openKind struct{ total, oldest *statement }

func openWhere(where string) openKind {
	where = "WHERE o.at <= $1 AND " + where
	return openKind{
		survey("SELECT COUNT(*), CAST(COALESCE(SUM(o.amount), 0) AS BIGINT) FROM orders o " + where),
		survey(ordersOf + where + " ORDER BY o.at, o.id LIMIT $2"),
	}
}

var (
	unproved  = openWhere("o.state = 'ISSUED' AND o.overtaken = 0")
	overtaken = openWhere("o.state = 'ISSUED' AND o.overtaken <> 0")
	reserved  = openWhere("o.state = 'RESERVED'")

	provedAfterAll = openWhere("o.id IN (SELECT e.order_id FROM event e WHERE e.kind = '" + recharge.EventProved + "')")
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
