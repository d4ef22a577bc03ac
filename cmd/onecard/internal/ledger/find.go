package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"pbochsm/cmd/onecard/internal/recharge"
)

// most is how many rows of a card's history or future a decision looks at.
const most = "8"

var (
	orderList = columnsOf("o", orderColumns)
	writeList = "o.scheme, o.asn, o.wallet, o.counter, " + columnsOf("w", writeColumns)

	ordersOf    = "SELECT " + orderList + " FROM orders o "
	writesOf    = "SELECT " + writeList + " FROM orders o JOIN card_write w ON w.order_id = o.id "
	boundOrders = "SELECT " + orderList + " FROM binding b JOIN orders o ON o.scheme = b.scheme AND o.asn = b.asn "
	corporates  = "SELECT " + columnsOf("a", accountColumns) + ", c.card_no, c.asn, c.hash, c.previous, c.verified_at, c.version " +
		"FROM corporate c JOIN account a ON a.id = c.account_id "
	accountsOf  = "SELECT " + columnsOf("a", accountColumns) + " FROM account a "
	proposalsOf = "SELECT " + columnsOf("p", proposalColumns) + " FROM proposal p "
)

const vouchersOf = "SELECT r.serial, r.digest, r.amount, r.status, r.expires, COALESCE(r.order_id, 0) FROM voucher r "

var (
	findWrite = find("bigint bigint bigint bigint bigint", writesOf+"WHERE o.scheme = $1 AND o.asn = $2 AND o.wallet = $3 "+
		"AND o.counter = $4 AND w.random = $5")

	// The rows of the last orders are looked at, and read where they matter. To
	// sort them here is cheaper than to have them sorted.
	findOfCard = find("bigint bigint bigint bigint", "SELECT "+orderList+" FROM (SELECT l.id FROM orders l WHERE l.scheme = $1 "+
		"AND l.asn = $2 AND l.wallet = $3 ORDER BY l.counter DESC LIMIT "+most+") AS l CROSS JOIN orders o "+
		"WHERE o.id = l.id AND (o.counter >= $4 OR o.state = 'ISSUED')")

	findByTrade  = find("text text", ordersOf+"WHERE o.domain = $1 AND o.trade_id = $2")
	findByNumber = find("text bigint", boundOrders+"WHERE b.card_no = $1 AND o.counter = $2 ORDER BY o.id")
	findOfNumber = find("text", boundOrders+"WHERE b.card_no = $1 ORDER BY o.counter DESC LIMIT "+most)
	findReserved = find("text text", ordersOf+"WHERE o.card_no = $1 AND o.state = 'RESERVED' AND o.domain = $2 "+
		"ORDER BY o.at, o.id LIMIT "+most)
	findPaid = find("text text text", ordersOf+"WHERE o.domain = $1 AND o.payment_type = $2 AND o.payment_trade_id = $3 "+
		"AND o.payment_trade_id <> ''")
	findAtCounter = find("bigint bigint bigint bigint", writesOf+"WHERE o.scheme = $1 AND o.asn = $2 AND o.wallet = $3 "+
		"AND o.counter = $4 ORDER BY w.at")
	findWrites         = find("text text", writesOf+"WHERE o.domain = $1 AND o.trade_id = $2 ORDER BY w.at")
	findWritesByNumber = find("text bigint", "SELECT "+writeList+" FROM binding b JOIN orders o ON o.scheme = b.scheme "+
		"AND o.asn = b.asn JOIN card_write w ON w.order_id = o.id WHERE b.card_no = $1 AND o.counter = $2 ORDER BY w.at")

	findBindings       = find("bigint bigint", "SELECT b.scheme, b.asn, b.card_no FROM binding b WHERE b.scheme = $1 AND b.asn = $2")
	findNumbers        = find("text", "SELECT b.scheme, b.asn, b.card_no FROM binding b WHERE b.card_no = $1")
	findAccount        = find("text text", accountsOf+"WHERE a.kind = $1 AND a.number = $2")
	findVoucher        = find("bytea", vouchersOf+"WHERE r.digest = $1")
	findByCorporate    = find("text", corporates+"WHERE c.card_no = $1")
	findByCorporateASN = find("bigint", corporates+"WHERE c.asn = $1")
	findOrder          = find("bigint", ordersOf+"WHERE o.id = $1")
	findPerson         = find("text", "SELECT p.name, p.hash FROM person p WHERE p.name = $1")
	findProposal       = find("bigint", proposalsOf+"WHERE p.id = $1")
	findSerial         = find("text", vouchersOf+"WHERE r.serial = $1")
	findSpent          = find("text text text", "SELECT b.spent FROM budget b WHERE b.kind = $1 AND b.subject = $2 AND b.period = $3")
)

// Find reads what is known about the things that q names. See recharge.Ledger.
//
// It asks a second time where the database did not answer: a server that was
// started anew leaves behind connections that are found broken when used.
func (l *Ledger) Find(ctx context.Context, q recharge.Question) (*recharge.Known, error) {
	k, err := l.find(ctx, q)
	if errors.Is(err, recharge.ErrStore) && ctx.Err() == nil {
		return l.find(ctx, q)
	}
	return k, err
}

func (l *Ledger) find(ctx context.Context, q recharge.Question) (*recharge.Known, error) {
	k := &recharge.Known{Spent: make([]int, len(q.Budgets))}
	all := make([]ask, 0, 12)
	ask := func(s *statement, scan func(row) error, args ...any) { all = append(all, ask{s, args, scan}) }
	if q.Card != nil {
		key := cardRow(*q.Card, q.Counter)
		if q.Random != nil {
			ask(findWrite, one(&k.Write, scanWrite), append(key[:4:4], random(*q.Random))...)
		}
		ask(findOfCard, many(&k.OfCard, scanOrder), key[:4]...)
		ask(findBindings, many(&k.Bindings, scanBinding), key[:2]...)
		if q.WithWrites {
			ask(findAtCounter, many(&k.Writes, scanWrite), key[:4]...)
		}
	}
	if q.TradeID != "" {
		ask(findByTrade, one(&k.Order, scanOrder), q.Domain, q.TradeID)
		if q.WithWrites && q.Card == nil {
			ask(findWrites, many(&k.Writes, scanWrite), q.Domain, q.TradeID)
		}
	}
	if q.CardNo != "" {
		ask(findNumbers, many(&k.Bindings, scanBinding), q.CardNo)
		switch {
		case q.ByNumber:
			ask(findByNumber, one(&k.Order, scanOrder), q.CardNo, int64(q.Counter))
			ask(findWritesByNumber, many(&k.Writes, scanWrite), q.CardNo, int64(q.Counter))
		case q.Card == nil:
			ask(findOfNumber, many(&k.OfCard, scanOrder), q.CardNo)
			ask(findReserved, many(&k.Reserved, scanOrder), q.CardNo, q.Domain)
		}
	}
	l.askOffice(q, k, ask)
	if q.Payment.TradeID != "" {
		ask(findPaid, one(&k.Paid, scanOrder), q.Domain, q.Payment.Type, q.Payment.TradeID)
	}
	if q.Account != "" {
		ask(findAccount, one(&k.Account, scanAccount), string(q.Account), q.Number)
	}
	if q.Voucher != nil {
		ask(findVoucher, one(&k.Voucher, scanVoucher), q.Voucher[:])
	}
	if q.Group != "" {
		ask(findByCorporate, one(&k.Corporate, scanCorporate), q.Group)
	}
	if q.GroupASN != nil {
		ask(findByCorporateASN, one(&k.Corporate, scanCorporate), number(*q.GroupASN))
	}
	for i, b := range q.Budgets {
		ask(findSpent, into(&k.Spent[i]), b.Kind, b.Subject, b.Period)
	}
	if err := waited(l.reads.Do(ctx, all), recharge.ErrStore); err != nil {
		return nil, outward(err)
	}
	slices.SortStableFunc(k.OfCard, func(a, b recharge.Order) int { return cmp.Compare(b.Counter, a.Counter) })
	if k.Write != nil {
		k.WriteOrder = ownerOf(k)
	}
	return k, nil
}

// askOffice asks for what operators name.
func (l *Ledger) askOffice(q recharge.Question, k *recharge.Known, ask func(*statement, func(row) error, ...any)) {
	if q.OrderID != 0 {
		ask(findOrder, one(&k.Order, scanOrder), q.OrderID)
	}
	if q.Person != "" {
		ask(findPerson, one(&k.Person, scanPerson), q.Person)
	}
	if q.Proposal != 0 {
		ask(findProposal, one(&k.Proposal, scanProposal), q.Proposal)
	}
	if q.Serial != "" {
		ask(findSerial, one(&k.Voucher, scanVoucher), q.Serial)
	}
}

// ownerOf gives the order of k.Write: there is one at its counter.
func ownerOf(k *recharge.Known) *recharge.Order {
	for i := range k.OfCard {
		if k.OfCard[i].ID == k.Write.Order {
			return &k.OfCard[i]
		}
	}
	return nil
}

// one keeps the first row, many all of them.
func one[T any](to **T, scan func(row) (*T, error)) func(row) error {
	return func(r row) error {
		v, err := scan(r)
		if err == nil && *to == nil {
			*to = v
		}
		return err
	}
}

func many[T any](to *[]T, scan func(row) (*T, error)) func(row) error {
	return func(r row) error {
		v, err := scan(r)
		if err == nil {
			*to = append(*to, *v)
		}
		return err
	}
}

func scanBinding(r row) (*recharge.Binding, error) {
	var scheme, asn int64
	var b recharge.Binding
	err := r.Scan(&scheme, &asn, &b.CardNo)
	b.Scheme, b.ASN = uint8(scheme), factor(asn)
	return &b, err
}

func scanAccount(r row) (*recharge.Account, error) {
	var a recharge.Account
	err := r.Scan(&a.ID, &a.Kind, &a.Number, &a.Name, &a.Balance, &a.Status)
	return &a, err
}

func scanVoucher(r row) (*recharge.Voucher, error) {
	var v recharge.Voucher
	var digest []byte
	err := r.Scan(&v.Serial, &digest, &v.Amount, &v.Status, &v.Expires, &v.Order)
	copy(v.Digest[:], digest)
	return &v, err
}

func scanCorporate(r row) (*recharge.Corporate, error) {
	var c recharge.Corporate
	var asn int64
	a := &c.Account
	err := r.Scan(&a.ID, &a.Kind, &a.Number, &a.Name, &a.Balance, &a.Status, &c.CardNo, &asn, &c.Hash, &c.Previous,
		&c.VerifiedAt, &c.Version)
	c.ASN = factor(asn)
	return &c, err
}

func scanPerson(r row) (*recharge.Person, error) {
	var p recharge.Person
	err := r.Scan(&p.Name, &p.Hash)
	return &p, err
}

func scanProposal(r row) (*recharge.Proposal, error) {
	var p recharge.Proposal
	err := r.Scan(&p.ID, &p.Kind, &p.Order, &p.OrderVersion, &p.Evidence, &p.Proposer, &p.Approver, &p.At)
	return &p, err
}
