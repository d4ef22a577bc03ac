package ledger

import (
	"slices"

	"pbochsm/cmd/onecard/internal/recharge"
)

// The conditions. A row that is not as it should be would get NULL in a column
// that cannot hold it, so the database refuses the whole transaction: nothing
// depends on somebody's looking at a number of rows in time. The tables are
// never short of a row that was once read, so every row is met.
var (
	// A balance only falls while the account is active, and never below zero.
	// v is account, difference.
	balances = update{
		name:  "account",
		set:   "balance = CASE WHEN v.column2 >= 0 OR account.status = 'ACTIVE' THEN account.balance + v.column2 END",
		where: "account.id = v.column1",
		types: []string{"BIGINT", "BIGINT"},
	}

	// v is order, version, from, to, overtaken.
	moves = update{
		name: "orders",
		set: "state = CASE WHEN orders.version = v.column2 AND orders.state = v.column3 THEN v.column4 END, " +
			"version = orders.version + 1, overtaken = v.column5",
		where: "orders.id = v.column1",
		types: []string{"BIGINT", "BIGINT", "TEXT", "TEXT", "BIGINT"},
	}

	// v is order, scheme, asn, wallet, counter, balance, trade type, payment
	// type, account and serial, detail. It follows a move of the same order.
	issues = update{
		name: "orders",
		set: "scheme = v.column2, asn = v.column3, wallet = v.column4, counter = v.column5, balance = v.column6, " +
			"trade_type = v.column7, payment_type = v.column8, payment_account = v.column9, payment_trade_id = v.column10, " +
			"detail = v.column11",
		where: "orders.id = v.column1",
		types: []string{"BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT"},
	}

	// v is serial, order, now.
	uses = update{
		name: "voucher",
		set: "status = CASE WHEN voucher.status = 'ACTIVE' AND voucher.expires > v.column3 THEN 'USED' END, " +
			"order_id = v.column2",
		where: "voucher.serial = v.column1",
		types: []string{"TEXT", "BIGINT", "BIGINT"},
	}

	// v is account, version, hash, previous, verified at.
	passwords = update{
		name: "corporate",
		set: "hash = CASE WHEN corporate.version = v.column2 THEN v.column3 END, previous = v.column4, " +
			"verified_at = v.column5, version = corporate.version + 1",
		where: "corporate.account_id = v.column1",
		types: []string{"BIGINT", "BIGINT", "TEXT", "TEXT", "BIGINT"},
	}

	// v is account, from, to.
	accountStatuses = update{
		name:  "account",
		set:   "status = CASE WHEN account.status = v.column2 THEN v.column3 END",
		where: "account.id = v.column1",
		types: []string{"BIGINT", "TEXT", "TEXT"},
	}

	// v is serial, from, to.
	voucherStatuses = update{
		name:  "voucher",
		set:   "status = CASE WHEN voucher.status = v.column2 THEN v.column3 END",
		where: "voucher.serial = v.column1",
		types: []string{"TEXT", "TEXT", "TEXT"},
	}
)

// v is proposal, approver, who must not be the proposer.
var approvals = update{
	name:  "proposal",
	set:   "approver = CASE WHEN proposal.approver = '' AND proposal.proposer <> v.column2 THEN v.column2 END",
	where: "proposal.id = v.column1",
	types: []string{"BIGINT", "TEXT"},
}

const (
	spendOne = "INSERT INTO budget (kind, subject, period, spent) VALUES ($1, $2, $3, 1) " +
		"ON CONFLICT (kind, subject, period) DO UPDATE SET spent = budget.spent + 1 RETURNING spent"

	keepBalance = "UPDATE orders SET balance = (SELECT account.balance FROM account WHERE account.id = orders.account) " +
		"WHERE orders.id = $1 RETURNING balance"
)

// A group gathers the rows of many changes, table by table.
type group struct {
	events, postings, orders, moves, issues, writes, bindings, uses [][]any
	accounts, vouchers, corporates, passwords                       [][]any
	persons, proposals, approvals                                   [][]any
	accountStatuses, voucherStatuses                                [][]any
	balances                                                        map[int64]int64
	single                                                          []statement // at the end
}

func (g *group) add(w *work) {
	c, e := w.change, &w.change.Event
	g.events = append(g.events, []any{w.event, e.At, e.Kind, e.Domain, e.Order, e.Who, e.Note})
	for i, p := range c.Postings {
		g.postings = append(g.postings, []any{w.posted + int64(i), w.event, p.Order, p.From, p.To, int64(p.Amount)})
		g.transfer(p)
	}
	for i := range c.Orders {
		g.orders = append(g.orders, orderRow(&c.Orders[i]))
		if c.Orders[i].Source == recharge.FromTransfer {
			g.single = append(g.single, statement{sql: keepBalance, args: []any{c.Orders[i].ID}, rows: 1, scan: into(&c.Balance)})
		}
	}
	for _, m := range c.Moves {
		g.move(m)
	}
	for i := range c.Writes {
		g.writes = append(g.writes, writeRow(&c.Writes[i]))
	}
	for _, b := range c.Bindings {
		g.bindings = append(g.bindings, []any{int64(b.Scheme), number(b.ASN), b.CardNo})
	}
	for _, u := range c.Uses {
		g.uses = append(g.uses, []any{u.Serial, u.Order, u.Now})
	}
	c.Spent = make([]int, len(c.Spend))
	for i, b := range c.Spend {
		g.single = append(g.single, statement{sql: spendOne, args: []any{b.Kind, b.Subject, b.Period}, rows: 1, scan: into(&c.Spent[i])})
	}
	g.office(c)
}

// office gathers what operators do.
func (g *group) office(c *recharge.Change) {
	for _, a := range c.Accounts {
		g.accounts = append(g.accounts, []any{a.ID, string(a.Kind), a.Number, a.Name, int64(a.Balance), string(a.Status)})
	}
	for _, v := range c.Vouchers {
		g.vouchers = append(g.vouchers, []any{v.Serial, v.Digest[:], int64(v.Amount), string(v.Status), v.Expires})
	}
	for _, k := range c.Corporates {
		if k.Version == 0 {
			g.corporates = append(g.corporates, []any{k.Account.ID, k.CardNo, number(k.ASN), k.Hash, k.Previous, k.VerifiedAt, int64(1)})
		} else {
			g.passwords = append(g.passwords, []any{k.Account.ID, k.Version, k.Hash, k.Previous, k.VerifiedAt})
		}
	}
	for _, p := range c.Persons {
		g.persons = append(g.persons, []any{p.Name, p.Hash})
	}
	for _, p := range c.Proposals {
		g.proposals = append(g.proposals, []any{p.ID, string(p.Kind), p.Order, p.OrderVersion, p.Evidence, p.Proposer, "", p.At})
	}
	if a := c.Approval; a != nil {
		g.approvals = append(g.approvals, []any{a.Proposal, a.Approver})
	}
	for _, m := range c.Statuses {
		if m.Voucher != "" {
			g.voucherStatuses = append(g.voucherStatuses, []any{m.Voucher, string(m.From), string(m.To)})
		} else {
			g.accountStatuses = append(g.accountStatuses, []any{m.Account, string(m.From), string(m.To)})
		}
	}
}

func (g *group) move(m recharge.Move) {
	g.moves = append(g.moves, []any{m.Order, m.Version, string(m.From), string(m.To), flag(m.Overtaken)})
	if i := m.Issue; i != nil {
		row := append([]any{m.Order}, cardRow(i.Card, i.Counter)...)
		g.issues = append(g.issues, append(row, int64(i.Balance), string(i.TradeType), i.Payment.Type, i.Payment.Account,
			i.Payment.TradeID, detailText(i.Detail)))
	}
}

// transfer notes what p does to the accounts whose balances are kept.
func (g *group) transfer(p recharge.Posting) {
	if g.balances == nil {
		g.balances = map[int64]int64{}
	}
	if p.From >= recharge.FirstAccount {
		g.balances[p.From] -= int64(p.Amount)
	}
	if p.To >= recharge.FirstAccount {
		g.balances[p.To] += int64(p.Amount)
	}
}

// statements gives the group as SQL. Accounts come first, in ascending order,
// so that two processes meet at the first one they share.
func (g *group) statements() []statement {
	var all []statement
	all = accounts.insert(all, g.accounts)
	differences := make([][]any, 0, len(g.balances))
	for id, d := range g.balances {
		differences = append(differences, []any{id, d})
	}
	slices.SortFunc(differences, func(a, b []any) int {
		return int(a[0].(int64) - b[0].(int64)) //nolint:errcheck,forcetypeassert // put there above
	})
	all = balances.change(all, differences)
	all = accountStatuses.change(all, g.accountStatuses)
	all = moves.change(all, g.moves)
	all = issues.change(all, g.issues)
	all = orders.insert(all, g.orders)
	all = writes.insert(all, g.writes)
	all = postings.insert(all, g.postings)
	all = bindings.insert(all, g.bindings)
	all = vouchers.insert(all, g.vouchers)
	all = voucherStatuses.change(all, g.voucherStatuses)
	all = uses.change(all, g.uses)
	all = corporate.insert(all, g.corporates)
	all = passwords.change(all, g.passwords)
	all = persons.insert(all, g.persons)
	all = proposals.insert(all, g.proposals)
	all = approvals.change(all, g.approvals)
	all = events.insert(all, g.events)
	return append(all, g.single...)
}

// into scans a number.
func into[T ~int | ~int64](to *T) func(row) error {
	return func(r row) error { return r.Scan(to) }
}
