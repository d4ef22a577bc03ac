package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"pbochsm/cmd/onecard/internal/recharge"
)

var (
	exportAccounts = survey(accountsOf + "ORDER BY a.id")
	exportOrders   = survey(ordersOf + "ORDER BY o.id")
	exportEvents   = survey("SELECT id, at, kind, domain, order_id, who, note FROM event ORDER BY id")
	exportPostings = survey("SELECT id, event_id, order_id, from_account, to_account, amount FROM posting ORDER BY id")
)

// Export writes the journal as JSON lines: accounts with their balances, then
// orders, then what happened, then postings. No line has a secret, or what
// stands for one.
func (l *Ledger) Export(ctx context.Context, to io.Writer) error {
	e := json.NewEncoder(to)
	all := []ask{
		{exportAccounts, nil, line(e, scanAccount, accountLine)},
		{exportOrders, nil, line(e, scanOrder, orderLine)},
		{exportEvents, nil, func(r row) error {
			v := exportedEvent{Type: "event"}
			if err := r.Scan(&v.ID, &v.At, &v.Kind, &v.Domain, &v.Order, &v.Who, &v.Note); err != nil {
				return err
			}
			return e.Encode(v)
		}},
		{exportPostings, nil, func(r row) error {
			p := exportedPosting{Type: "posting"}
			if err := r.Scan(&p.ID, &p.Event, &p.Order, &p.From, &p.To, &p.Fen); err != nil {
				return err
			}
			return e.Encode(p)
		}},
	}
	return outward(l.engine.read(ctx, all))
}

type exportedAccount struct {
	Type   string `json:"type"`
	ID     int64  `json:"id"`
	Kind   string `json:"kind"`
	Number string `json:"number"`
	Name   string `json:"name,omitempty"`
	Fen    int64  `json:"fen"`
	Status string `json:"status"`
}

type exportedOrder struct {
	Type    string `json:"type"`
	ID      int64  `json:"id"`
	Domain  string `json:"domain"`
	TradeID string `json:"tradeId,omitempty"`
	Source  string `json:"source"`
	State   string `json:"state"`
	CardNo  string `json:"cardNo,omitempty"`
	ASN     string `json:"asn,omitempty"` // from the first write on
	Counter uint16 `json:"counter"`
	Account int64  `json:"account"`
	Fen     int64  `json:"fen"`
	At      int64  `json:"at"`
}

type exportedEvent struct {
	Type   string `json:"type"`
	ID     int64  `json:"id"`
	At     int64  `json:"at"`
	Kind   string `json:"kind"`
	Domain string `json:"domain,omitempty"`
	Order  int64  `json:"order,omitempty"`
	Who    string `json:"who"`
	Note   string `json:"note,omitempty"`
}

type exportedPosting struct {
	Type  string `json:"type"`
	ID    int64  `json:"id"`
	Event int64  `json:"event"`
	Order int64  `json:"order"`
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Fen   int64  `json:"fen"`
}

func accountLine(a *recharge.Account) any {
	return exportedAccount{"account", a.ID, string(a.Kind), a.Number, a.Name, int64(a.Balance), string(a.Status)}
}

func orderLine(o *recharge.Order) any {
	asn := ""
	if o.Card.Scheme != 0 {
		asn = fmt.Sprintf("%X", o.Card.ASN)
	}
	return exportedOrder{
		"order", o.ID, o.Domain, o.TradeID, string(o.Source), string(o.State), o.CardNo, asn, uint16(o.Counter), o.Account,
		int64(o.Amount), o.At,
	}
}

// line writes a row as a line.
func line[T any](e *json.Encoder, scan func(row) (*T, error), form func(*T) any) func(row) error {
	return func(r row) error {
		v, err := scan(r)
		if err != nil {
			return err
		}
		return e.Encode(form(v))
	}
}

// MarshalJSON gives the orders as Export does.
func (o OpenOrders) MarshalJSON() ([]byte, error) {
	oldest := make([]any, len(o.Oldest))
	for i := range o.Oldest {
		oldest[i] = orderLine(&o.Oldest[i])
	}
	return json.Marshal(map[string]any{"orders": o.Orders, "fen": o.Fen, "oldest": oldest})
}
