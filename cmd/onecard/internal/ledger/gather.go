package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"pbochsm/cmd/onecard/internal/recharge"
)

// The conditions. A row that is not as it should be would get NULL in a column
// that cannot hold it, so the database refuses the whole transaction: nothing
// depends on somebody's looking at a number of rows in time. The tables are
// never short of a row that was once read, so every row is met.
var (
	// A balance only falls while the account is active, and never below zero.
	// The arguments are account, difference.
	balances = change("account",
		"balance = CASE WHEN $2 >= 0 OR account.status = 'ACTIVE' THEN account.balance + $2 END",
		"account.id = $1", "bigint bigint")

	// The arguments are order, version, from, to, overtaken.
	moves = change("orders",
		"state = CASE WHEN orders.version = $2 AND orders.state = $3 THEN $4 END, "+
			"version = orders.version + 1, overtaken = $5",
		"orders.id = $1", "bigint bigint text text bigint")

	// The arguments are order, scheme, asn, wallet, counter, balance, trade type,
	// payment type, account and serial, detail. It follows a move of the order.
	issues = change("orders",
		"scheme = $2, asn = $3, wallet = $4, counter = $5, balance = $6, trade_type = $7, payment_type = $8, "+
			"payment_account = $9, payment_trade_id = $10, detail = $11",
		"orders.id = $1", "bigint bigint bigint bigint bigint bigint text text text text text")

	// The arguments are serial, order, now.
	uses = change("voucher",
		"status = CASE WHEN voucher.status = 'ACTIVE' AND voucher.expires > $3 THEN 'USED' END, order_id = $2",
		"voucher.serial = $1", "text bigint bigint")

	// The arguments are account, version, hash, previous, verified at.
	passwords = change("corporate",
		"hash = CASE WHEN corporate.version = $2 THEN $3 END, previous = $4, verified_at = $5, version = corporate.version + 1",
		"corporate.account_id = $1", "bigint bigint text text bigint")

	// The arguments are account, from, to.
	accountStatuses = change("account", "status = CASE WHEN account.status = $2 THEN $3 END", "account.id = $1", "bigint text text")

	// A person without a hash has no pass-phrase that could be right.
	departures = change("person", "hash = CASE WHEN person.hash <> '' THEN '' END", "person.name = $1", "text")

	// The arguments are serial, from, to.
	voucherStatuses = change("voucher", "status = CASE WHEN voucher.status = $2 THEN $3 END", "voucher.serial = $1", "text text text")

	// The arguments are proposal, approver, who must not be the proposer.
	approvals = change("proposal",
		"approver = CASE WHEN proposal.approver = '' AND proposal.proposer <> $2 THEN $2 END",
		"proposal.id = $1", "bigint text")
)

// inOrder is the order in which a group is stored. Accounts come first, so that
// two processes meet at the first one they share.
var inOrder = []*statement{
	accounts, balances, accountStatuses, moves, issues, orders, writes, postings, bindings, vouchers, voucherStatuses, uses,
	corporate, passwords, persons, departures, proposals, approvals, events,
}

// What is counted or asked for while a change is stored.
var (
	spendOne = &statement{name: "budget", one: "INSERT INTO budget (kind, subject, period, spent) VALUES ($1, $2, $3, 1) " +
		"ON CONFLICT (kind, subject, period) DO UPDATE SET spent = budget.spent + 1 RETURNING spent"}

	keepBalance = &statement{name: "orders", one: "UPDATE orders SET balance = " +
		"(SELECT account.balance FROM account WHERE account.id = orders.account) WHERE orders.id = $1 RETURNING balance"}
)

// A group gathers the rows of many changes, statement by statement.
type group struct {
	rows     map[*statement][][]any
	balances map[int64]int64
	asks     []ask // at the end
}

func newGroup() *group {
	return &group{rows: make(map[*statement][][]any, len(inOrder)), balances: map[int64]int64{}}
}

func (g *group) put(to *statement, args ...any) { g.rows[to] = append(g.rows[to], args) }

func (g *group) add(w *work) {
	c := w.change
	if c == nil {
		g.asks = append(g.asks, w.small...)
		return
	}
	e := &c.Event
	g.put(events, w.event, e.At, e.Kind, e.Domain, e.Order, e.Who, e.Note)
	for i, p := range c.Postings {
		g.put(postings, w.posted+int64(i), w.event, p.Order, p.From, p.To, int64(p.Amount))
		g.transfer(p)
	}
	for i := range c.Orders {
		g.put(orders, orderRow(&c.Orders[i])...)
		if c.Orders[i].Source == recharge.FromTransfer {
			g.asks = append(g.asks, ask{keepBalance, []any{c.Orders[i].ID}, into(&c.Balance)})
		}
	}
	for _, m := range c.Moves {
		g.move(m)
	}
	for i := range c.Writes {
		g.put(writes, writeRow(&c.Writes[i])...)
	}
	for _, b := range c.Bindings {
		g.put(bindings, int64(b.Scheme), number(b.ASN), b.CardNo)
	}
	for _, u := range c.Uses {
		g.put(uses, u.Serial, u.Order, u.Now)
	}
	c.Spent = make([]int, len(c.Spend))
	for i, b := range c.Spend {
		g.asks = append(g.asks, ask{spendOne, []any{b.Kind, b.Subject, b.Period}, into(&c.Spent[i])})
	}
	g.office(c)
}

// office gathers what operators do.
func (g *group) office(c *recharge.Change) {
	for _, a := range c.Accounts {
		g.put(accounts, a.ID, string(a.Kind), a.Number, a.Name, int64(a.Balance), string(a.Status))
	}
	for _, v := range c.Vouchers {
		g.put(vouchers, v.Serial, v.Digest[:], int64(v.Amount), string(v.Status), v.Expires)
	}
	for _, k := range c.Corporates {
		if k.Version == 0 {
			g.put(corporate, k.Account.ID, k.CardNo, number(k.ASN), k.Hash, k.Previous, k.VerifiedAt, int64(1))
		} else {
			g.put(passwords, k.Account.ID, k.Version, k.Hash, k.Previous, k.VerifiedAt)
		}
	}
	for _, p := range c.Persons {
		g.put(persons, p.Name, p.Hash)
	}
	for _, name := range c.Gone {
		g.put(departures, name)
	}
	for _, p := range c.Proposals {
		g.put(proposals, p.ID, string(p.Kind), p.Order, p.OrderVersion, p.Evidence, p.Proposer, "", p.At)
	}
	if a := c.Approval; a != nil {
		g.put(approvals, a.Proposal, a.Approver)
	}
	for _, m := range c.Statuses {
		if m.Voucher != "" {
			g.put(voucherStatuses, m.Voucher, string(m.From), string(m.To))
		} else {
			g.put(accountStatuses, m.Account, string(m.From), string(m.To))
		}
	}
}

func (g *group) move(m recharge.Move) {
	g.put(moves, m.Order, m.Version, string(m.From), string(m.To), flag(m.Overtaken))
	if i := m.Issue; i != nil {
		row := append([]any{m.Order}, cardRow(i.Card, i.Counter)...)
		g.put(issues, append(row, int64(i.Balance), string(i.TradeType), i.Payment.Type, i.Payment.Account, i.Payment.TradeID,
			detailText(i.Detail))...)
	}
}

// transfer notes what p does to the accounts whose balances are kept.
func (g *group) transfer(p recharge.Posting) {
	if p.From >= recharge.FirstAccount {
		g.balances[p.From] -= int64(p.Amount)
	}
	if p.To >= recharge.FirstAccount {
		g.balances[p.To] += int64(p.Amount)
	}
}

// steps gives what to store, accounts in ascending order.
func (g *group) steps() []step {
	for _, id := range slices.Sorted(maps.Keys(g.balances)) {
		g.put(balances, id, g.balances[id])
	}
	all := make([]step, 0, len(g.rows))
	for _, s := range inOrder {
		if rows := g.rows[s]; len(rows) > 0 {
			all = append(all, step{s, rows})
		}
	}
	return all
}

// locks gives what to ask, in an order that all processes have: those that meet
// at a nonce or at a budget wait for each other in one direction.
func (g *group) locks() []ask {
	slices.SortStableFunc(g.asks, func(a, b ask) int {
		return cmp.Or(strings.Compare(a.one, b.one), slices.CompareFunc(a.args, b.args, func(x, y any) int {
			v, _ := x.(string)
			w, _ := y.(string)
			return strings.Compare(v, w)
		}))
	})
	return g.asks
}

// into scans a number.
func into[T ~int | ~int64](to *T) func(row) error {
	return func(r row) error { return r.Scan(to) }
}
