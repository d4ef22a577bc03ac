package ledger

import (
	"fmt"
	"strings"
)

// A rule has a statement that finds what must not be: a text for each fault. See
// [LEDGER] 3. None may look through a table for each row of another one: a
// ledger has millions of rows, and no index that only a rule would need.
type rule struct {
	name   string
	breaks *statement
}

// wasIssued tells of a load whether its money has left its source for good.
const wasIssued = "o.state IN ('ISSUED', 'CONFIRMED', 'CONSUMED', 'REFUNDED', 'WRITTEN_OFF')"

var rules = []rule{
	{"I1: a posting belongs to no event",
		survey("SELECT 'posting ' || p.id FROM posting p LEFT JOIN event e ON e.id = p.event_id WHERE e.id IS NULL")},
	{"I1: a posting belongs to an order that does not exist",
		survey("SELECT 'posting ' || p.id FROM posting p LEFT JOIN orders o ON o.id = p.order_id WHERE p.order_id <> 0 AND o.id IS NULL")},
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
	{"I6: the money of a load did not come from where its order says",
		survey("SELECT 'order ' || o.id FROM posting p JOIN orders o ON o.id = p.order_id WHERE p.to_account = 1 " +
			"AND p.from_account <> CASE WHEN o.source = 'PAYMENT' THEN 6 ELSE o.account END")},
	{"binding: the card of an issued order has another number, or none",
		survey("SELECT 'order ' || o.id FROM orders o LEFT JOIN binding b ON b.scheme = o.scheme AND b.asn = o.asn " +
			"WHERE o.counter IS NOT NULL AND (b.card_no IS NULL OR b.card_no <> o.card_no)")},
	{"an order is in no state, or of no type",
		survey("SELECT 'order ' || o.id FROM orders o WHERE NOT (" + wasIssued + " OR o.state IN ('RESERVED', 'CANCELLED')) " +
			"OR o.trade_type NOT IN ('01', '03') AND o.source <> 'TRANSFER'")},
	{"a corporate account has no corporate card",
		survey("SELECT a.number FROM account a LEFT JOIN corporate c ON c.account_id = a.id WHERE a.kind = 'CORPORATE' AND c.account_id IS NULL")},
	{"a corporate card has no account of its number",
		survey("SELECT c.card_no FROM corporate c LEFT JOIN account a ON a.id = c.account_id WHERE a.kind IS NULL OR a.kind <> 'CORPORATE' OR a.number <> c.card_no")},
	{"two persons: an order was given up without a proposal that another approved",
		survey("SELECT 'order ' || o.id FROM orders o LEFT JOIN (SELECT p.order_id, p.kind FROM proposal p " +
			"WHERE p.approver <> '' AND p.approver <> p.proposer GROUP BY p.order_id, p.kind) q " +
			"ON q.order_id = o.id AND q.kind = o.state WHERE o.state IN ('REFUNDED', 'WRITTEN_OFF') AND q.order_id IS NULL")},
}

// ofMoney are the rules for what has moved for an order o: o.onto and o.off are
// what came onto cards and off them, o.moved is all.
var ofMoney = []struct{ name, breaks string }{
	{"I6: the money of a load did not move to its card once",
		"o.trade_type = '01' AND " + wasIssued + " AND o.amount <> o.onto"},
	{"I6: money moved for an order that is in no state for it",
		"o.state IN ('RESERVED', 'CANCELLED') AND o.onto <> 0"},
	{"I6: money came back from a card for an order that was not given up",
		"o.trade_type = '01' AND o.off <> CASE WHEN o.state IN ('REFUNDED', 'WRITTEN_OFF') THEN o.amount ELSE 0 END"},
	{"I8: an unload is credited and not confirmed, or the reverse",
		"o.trade_type = '03' AND (o.onto <> 0 OR o.moved <> CASE WHEN o.state = 'CONFIRMED' THEN o.amount ELSE 0 END)"},
}

// moneyRules finds the orders that break a rule of ofMoney, and says of each
// rule whether it is broken (1) or not. The postings are added up once, for all
// orders.
var moneyRules = survey(func() string {
	const (
		postingSums = "SELECT p.order_id, SUM(p.amount) AS moved, SUM(CASE WHEN p.to_account = 1 THEN p.amount ELSE 0 END) AS onto, " +
			"SUM(CASE WHEN p.from_account = 1 THEN p.amount ELSE 0 END) AS off FROM posting p GROUP BY p.order_id"
		withSums = "SELECT x.id, x.trade_type, x.state, x.amount, COALESCE(m.moved, 0) AS moved, COALESCE(m.onto, 0) AS onto, " +
			"COALESCE(m.off, 0) AS off FROM orders x LEFT JOIN (" + postingSums + ") m ON m.order_id = x.id"
	)
	columns, names := make([]string, len(ofMoney)), make([]string, len(ofMoney))
	for i, rule := range ofMoney {
		names[i] = fmt.Sprintf("q.b%d", i)
		columns[i] = fmt.Sprintf("CASE WHEN %s THEN 1 ELSE 0 END AS b%d", rule.breaks, i)
	}
	return "SELECT 'order ' || q.id, " + strings.Join(names, ", ") + " FROM (SELECT o.id, " + strings.Join(columns, ", ") +
		" FROM (" + withSums + ") o) q WHERE " + strings.Join(names, " + ") + " > 0"
}())

var (
	countOrders = survey("SELECT COUNT(*) FROM orders")
	countWrites = survey("SELECT COUNT(*) FROM card_write")
	heldOrders  = survey("SELECT CAST(COALESCE(SUM(o.amount), 0) AS BIGINT) FROM orders o WHERE o.state = 'RESERVED'")
	unspent     = survey("SELECT CAST(COALESCE(SUM(v.amount), 0) AS BIGINT) FROM voucher v WHERE v.order_id IS NULL")
	allFlows    = survey("SELECT p.from_account, p.to_account, COUNT(*), CAST(SUM(p.amount) AS BIGINT) FROM posting p " +
		"GROUP BY p.from_account, p.to_account")
)
