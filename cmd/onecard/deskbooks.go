package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/mac"
)

// List gives what the ledger has of a kind.
func (d *desk) List(ctx context.Context, kind string) (any, error) {
	switch kind {
	case "accounts":
		return d.system.ledger.Accounts(ctx)
	case "corp-accounts":
		return corporates(ctx, d.system.ledger)
	case "recharge-cards":
		vouchers, err := d.system.ledger.Vouchers(ctx)
		return publicVouchers(vouchers), err
	}
	return d.orders(ctx)
}

// orders are the orders of the journal, the newest first.
func (d *desk) orders(ctx context.Context) (any, error) {
	var journal bytes.Buffer
	if err := d.system.ledger.Export(ctx, &journal); err != nil {
		return nil, err
	}
	orders := []json.RawMessage{}
	for s := bufio.NewScanner(&journal); s.Scan(); {
		var line struct{ Type string }
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			return nil, err
		}
		if line.Type == "order" {
			orders = append([]json.RawMessage{bytes.Clone(s.Bytes())}, orders...)
		}
	}
	return orders, nil
}

// A wish is what the console, or a program, wants to have made. Each kind uses
// its part.
type wish struct {
	TradeID, CarNo, TradeMoney, PaymentType, AccountNo, PaymentTradeID string // an order
	Balunitno, Name                                                    string // a merchant
	CardNo, ASN, PassWord                                              string // a corporate card
	Count                                                              int    // recharge cards
}

// Make makes an order, a merchant's account, recharge cards or a corporate
// card.
func (d *desk) Make(ctx context.Context, kind string, body io.Reader) (any, error) {
	var q wish
	j := json.NewDecoder(io.LimitReader(body, 64<<10))
	j.DisallowUnknownFields()
	if err := j.Decode(&q); err != nil {
		return nil, fmt.Errorf("%w: %w", sim.ErrRequest, err)
	}
	amount := int64(0)
	if q.TradeMoney != "" {
		var err error
		if amount, err = strconv.ParseInt(q.TradeMoney, 10, 32); err != nil || amount < 1 {
			return nil, fmt.Errorf("%w: TradeMoney is not decimal fen", sim.ErrRequest)
		}
	}
	switch kind {
	case "accounts":
		return d.makeMerchant(ctx, &q, recharge.Fen(amount))
	case "corp-accounts":
		return d.makeCorporate(ctx, &q, recharge.Fen(amount))
	case "recharge-cards":
		return d.makeRechargeCards(ctx, &q, recharge.Fen(amount))
	}
	return d.makeOrder(ctx, &q)
}

func (d *desk) makeOrder(ctx context.Context, q *wish) (any, error) {
	var row bytes.Buffer
	w := csv.NewWriter(&row)
	_ = w.Write([]string{"TradeID", "CarNo", "TradeMoney", "PaymentType", "AccountNo", "PaymentTradeID"})
	_ = w.Write([]string{q.TradeID, q.CarNo, q.TradeMoney, q.PaymentType, q.AccountNo, q.PaymentTradeID})
	w.Flush() // into memory: it cannot fail
	done, err := d.operator.ImportOrders(ctx, deskName, "APPM", &row)
	if err != nil {
		return nil, err
	}
	for _, refused := range done.Refused {
		return nil, fmt.Errorf("%w: %w", sim.ErrRequest, refused.Err)
	}
	return map[string]int{"new": done.New, "known": done.Known}, nil
}

func (d *desk) makeMerchant(ctx context.Context, q *wish, amount recharge.Fen) (any, error) {
	if err := d.operator.CreateMerchant(ctx, deskName, q.Balunitno, q.Name); err != nil {
		return nil, err
	}
	balance := recharge.Fen(0)
	if amount > 0 {
		var err error
		if balance, err = d.operator.TopUp(ctx, deskName, recharge.MerchantAccount, q.Balunitno, "SIM-"+q.Balunitno, amount); err != nil {
			return nil, err
		}
	}
	return map[string]any{"Balunitno": q.Balunitno, "balance": balance}, nil
}

func (d *desk) makeCorporate(ctx context.Context, q *wish, amount recharge.Fen) (any, error) {
	b, err := hex.DecodeString(q.ASN)
	if err != nil || len(b) != 8 {
		return nil, fmt.Errorf("%w: ASN has not 16 digits", sim.ErrRequest)
	}
	if err := d.operator.CreateCorporate(ctx, deskName, q.CardNo, mac.Factor(b), q.Name, recharge.Password(q.PassWord)); err != nil {
		return nil, err
	}
	balance := recharge.Fen(0)
	if amount > 0 {
		if balance, err = d.operator.TopUp(ctx, deskName, recharge.CorporateAccount, q.CardNo, "SIM-"+q.CardNo, amount); err != nil {
			return nil, err
		}
	}
	return map[string]any{"CardNo": q.CardNo, "balance": balance}, nil
}

func (d *desk) makeRechargeCards(ctx context.Context, q *wish, amount recharge.Fen) (any, error) {
	if q.Count < 1 || q.Count > 1000 {
		return nil, fmt.Errorf("%w: Count is not within 1 to 1000", sim.ErrRequest)
	}
	issued, err := d.operator.IssueVouchers(ctx, deskName, recharge.VoucherBatch{
		Count: q.Count, Amount: amount, Expires: d.clock.Now().AddDate(5, 0, 0),
	})
	if err != nil {
		return nil, err
	}
	all := []rechargeCard{}
	for _, v := range issued {
		all = append(all, rechargeCard{v.Serial, string(v.Password), int64(amount)})
	}
	return all, nil
}
