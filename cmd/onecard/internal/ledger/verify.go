package ledger

import (
	"context"
	"fmt"
)

// A Report is what Verify found. A ledger is sound if there are no Faults.
type Report struct {
	Orders   int64            `json:"orders"`
	Writes   int64            `json:"writes"`
	Postings int64            `json:"postings"`
	Balances map[string]int64 `json:"balances"` // of every account, by kind and number, from the postings
	Faults   []string         `json:"faults"`
}

// A rule has a statement that finds what must not be: a text for each fault. See
// [LEDGER] 3.
type rule struct {
	name   string
	breaks *statement
}

// was tells of a load whether its money has left its source for good.
const wasIssued = "o.state IN ('ISSUED', 'CONFIRMED', 'CONSUMED', 'REFUNDED', 'WRITTEN_OFF')"

var rules = []rule{
	{"I1: a balance is not the sum of its postings",
		survey("SELECT a.kind || ' ' || a.number || ' has ' || a.balance FROM account a WHERE a.kind <> 'SYSTEM' AND a.balance <> " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.to_account = a.id), 0) - " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.from_account = a.id), 0)")},
	{"I1: a balance is negative",
		survey("SELECT a.kind || ' ' || a.number FROM account a WHERE a.balance < 0")},
	{"I1: a posting names an account that does not exist",
		survey("SELECT 'posting ' || p.id FROM posting p LEFT JOIN account f ON f.id = p.from_account " +
			"LEFT JOIN account t ON t.id = p.to_account WHERE f.id IS NULL OR t.id IS NULL OR p.from_account = p.to_account")},
	{"I1: a posting belongs to no event",
		survey("SELECT 'posting ' || p.id FROM posting p LEFT JOIN event e ON e.id = p.event_id WHERE e.id IS NULL")},
	{"I2: two orders were issued for one counter of a card",
		survey("SELECT 'card ' || o.asn || ' counter ' || o.counter FROM orders o WHERE o.counter IS NOT NULL " +
			"GROUP BY o.scheme, o.asn, o.wallet, o.counter HAVING COUNT(*) > 1")},
	{"I2, I7: a write has no order with a card and a counter",
		survey("SELECT 'write of order ' || w.order_id FROM card_write w LEFT JOIN orders o ON o.id = w.order_id WHERE o.counter IS NULL")},
	{"I7: an issued order has no write",
		survey("SELECT 'order ' || o.id FROM orders o WHERE " + wasIssued + " AND o.source <> 'TRANSFER' AND NOT EXISTS " +
			"(SELECT 1 FROM card_write w WHERE w.order_id = o.id)")},
	{"I7: an order that was never issued has a counter",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.state IN ('RESERVED', 'CANCELLED') AND o.counter IS NOT NULL")},
	{"I3: a recharge card and its order do not fit",
		survey("SELECT 'recharge card ' || v.serial FROM voucher v LEFT JOIN orders o ON o.id = v.order_id " +
			"WHERE (v.status = 'USED') <> (v.order_id IS NOT NULL) OR v.order_id IS NOT NULL AND " +
			"(o.id IS NULL OR o.source <> 'VOUCHER' OR o.amount <> v.amount)")},
	{"I3: an order of a recharge card has none",
		survey("SELECT 'order ' || o.id FROM orders o LEFT JOIN voucher v ON v.order_id = o.id WHERE o.source = 'VOUCHER' AND v.serial IS NULL")},
	{"I6: the money of a load did not move to its card once",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.trade_type = '01' AND " + wasIssued + " AND o.amount <> " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.order_id = o.id AND p.to_account = 1), 0)")},
	{"I6: money moved for an order that is in no state for it",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.state IN ('RESERVED', 'CANCELLED') AND EXISTS " +
			"(SELECT 1 FROM posting p WHERE p.order_id = o.id AND p.to_account = 1)")},
	{"I6: money came back from a card for an order that was not given up",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.trade_type = '01' AND " +
			"(CASE WHEN o.state IN ('REFUNDED', 'WRITTEN_OFF') THEN o.amount ELSE 0 END) <> " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.order_id = o.id AND p.from_account = 1), 0)")},
	{"I6: the reserve is not what is held for orders",
		survey("SELECT 'reserve ' || r.held || ' orders ' || r.open FROM (SELECT " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.to_account = 6), 0) - " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.from_account = 6), 0) AS held, " +
			"COALESCE((SELECT SUM(o.amount) FROM orders o WHERE o.state = 'RESERVED'), 0) AS open) r WHERE r.held <> r.open")},
	{"I8: an unload is credited and not confirmed, or the reverse",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.trade_type = '03' AND " +
			"(CASE WHEN o.state = 'CONFIRMED' THEN o.amount ELSE 0 END) <> " +
			"COALESCE((SELECT SUM(p.amount) FROM posting p WHERE p.order_id = o.id), 0)")},
	{"two persons: an order was given up without a proposal that another approved",
		survey("SELECT 'order ' || o.id FROM orders o WHERE o.state IN ('REFUNDED', 'WRITTEN_OFF') AND NOT EXISTS " +
			"(SELECT 1 FROM proposal p WHERE p.order_id = o.id AND p.kind = o.state AND p.approver <> '' AND p.approver <> p.proposer)")},
}

// Verify recomputes every balance and looks for whatever the invariants
// forbid.
func (l *Ledger) Verify(ctx context.Context) (Report, error) {
	r := Report{Balances: map[string]int64{}}
	all := []ask{
		{countOrders, nil, into(&r.Orders)},
		{countWrites, nil, into(&r.Writes)},
		{countPostings, nil, into(&r.Postings)},
		{sums, nil, func(row row) error {
			var name string
			var sum int64
			err := row.Scan(&name, &sum)
			r.Balances[name] = sum
			return err
		}},
	}
	for _, rule := range rules {
		all = append(all, ask{rule.breaks, nil, func(row row) error {
			var what string
			err := row.Scan(&what)
			r.Faults = append(r.Faults, fmt.Sprintf("%s: %s", rule.name, what))
			return err
		}})
	}
	return r, outward(l.engine.read(ctx, all))
}

var (
	countOrders   = survey("SELECT COUNT(*) FROM orders")
	countWrites   = survey("SELECT COUNT(*) FROM card_write")
	countPostings = survey("SELECT COUNT(*) FROM posting")

	// sums is the balance of every account by its postings.
	sums = survey("SELECT a.kind || ' ' || a.number, CAST(COALESCE(SUM(s.amount), 0) AS BIGINT) FROM account a LEFT JOIN " +
		"(SELECT to_account AS id, amount FROM posting UNION ALL SELECT from_account, -amount FROM posting) s ON s.id = a.id " +
		"GROUP BY a.kind, a.number ORDER BY a.kind, a.number")
)
