package ledger

import (
	"encoding/binary"
	"encoding/json"
	"strings"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

const (
	accountColumns = "id bigint kind text number text name text balance bigint status text"

	proposalColumns = "id bigint kind text order_id bigint order_version bigint evidence text proposer text approver text at bigint"

	orderColumns = "id bigint domain text trade_id text source text trade_type text state text version bigint scheme bigint " +
		"asn bigint wallet bigint counter bigint card_no text balance bigint amount bigint account bigint payment_type text " +
		"payment_account text payment_trade_id text detail text fingerprint bytea overtaken bigint at bigint"

	writeColumns = "order_id bigint random bigint balance bigint key_id bytea terminal bytea host_date bytea host_time bytea " +
		"mac2 bytea fingerprint bytea at bigint"
)

var (
	events    = insertInto("event", "id bigint at bigint kind text domain text order_id bigint who text note text")
	postings  = insertInto("posting", "id bigint event_id bigint order_id bigint from_account bigint to_account bigint amount bigint")
	bindings  = insertInto("binding", "scheme bigint asn bigint card_no text")
	accounts  = insertInto("account", accountColumns)
	vouchers  = insertInto("voucher", "serial text digest bytea amount bigint status text expires bigint")
	persons   = insertInto("person", "name text hash text")
	proposals = insertInto("proposal", proposalColumns)
	orders    = insertInto("orders", orderColumns)
	writes    = insertInto("card_write", writeColumns)
	corporate = insertInto("corporate", "account_id bigint card_no text asn bigint hash text previous text verified_at bigint version bigint")
)

// columnsOf is the names among columns, each with the name of its table before it.
func columnsOf(table, columns string) string {
	names, _ := split(columns)
	return table + "." + strings.Join(names, ", "+table+".")
}

func orderRow(o *recharge.Order) []any {
	row := []any{
		o.ID, o.Domain, nullable(o.TradeID), string(o.Source), string(o.TradeType), string(o.State), o.Version,
		nil, nil, nil, nil,
		o.CardNo, int64(o.Balance), int64(o.Amount), o.Account, o.Payment.Type, o.Payment.Account, o.Payment.TradeID,
		detailText(o.Detail), o.Fingerprint[:], flag(o.Overtaken), o.At,
	}
	if o.Card.Scheme != 0 {
		copy(row[7:], cardRow(o.Card, o.Counter))
	}
	return row
}

func cardRow(c recharge.CardKey, n mac.OnlineCount) []any {
	return []any{int64(c.Scheme), number(c.ASN), int64(c.Wallet), int64(n)}
}

func writeRow(w *recharge.CardWrite) []any {
	return []any{
		w.Order, random(w.Random), int64(w.Balance), []byte{w.Key.Set, w.Key.Version, w.Key.Algorithm}, w.Terminal[:],
		w.Date[:], w.Time[:], w.MAC2[:], w.Fingerprint[:], w.At,
	}
}

// scanOrder reads a row of orderColumns.
func scanOrder(r row) (*recharge.Order, error) {
	var (
		o                            recharge.Order
		trade                        *string
		scheme, asn, wallet, counter *int64
		detail                       string
		fingerprint                  []byte
		overtaken                    int64
	)
	err := r.Scan(&o.ID, &o.Domain, &trade, &o.Source, &o.TradeType, &o.State, &o.Version, &scheme, &asn, &wallet,
		&counter, &o.CardNo, &o.Balance, &o.Amount, &o.Account, &o.Payment.Type, &o.Payment.Account, &o.Payment.TradeID,
		&detail, &fingerprint, &overtaken, &o.At)
	if err != nil {
		return nil, err
	}
	if trade != nil {
		o.TradeID = *trade
	}
	if scheme != nil && asn != nil && wallet != nil && counter != nil {
		o.Card, o.Counter = cardKey(*scheme, *asn, *wallet), mac.OnlineCount(*counter)
	}
	copy(o.Fingerprint[:], fingerprint)
	o.Overtaken = overtaken != 0
	if detail == noDetail {
		return &o, nil
	}
	return &o, json.Unmarshal([]byte(detail), &o.Detail)
}

// scanWrite reads a row of writesOf.
func scanWrite(r row) (*recharge.CardWrite, error) {
	var (
		w                                               recharge.CardWrite
		scheme, asn, wallet, counter, rnd               int64
		key, terminal, date, clock, mac2, ofFingerprint []byte
	)
	err := r.Scan(&scheme, &asn, &wallet, &counter, &w.Order, &rnd, &w.Balance, &key, &terminal, &date, &clock, &mac2,
		&ofFingerprint, &w.At)
	if err != nil {
		return nil, err
	}
	w.Card, w.Counter = cardKey(scheme, asn, wallet), mac.OnlineCount(counter)
	binary.BigEndian.PutUint32(w.Random[:], uint32(rnd))
	if len(key) == 3 {
		w.Key = mac.KeyID{Set: key[0], Version: key[1], Algorithm: key[2]}
	}
	copy(w.Terminal[:], terminal)
	copy(w.Date[:], date)
	copy(w.Time[:], clock)
	copy(w.MAC2[:], mac2)
	copy(w.Fingerprint[:], ofFingerprint)
	return &w, nil
}

func cardKey(scheme, asn, wallet int64) recharge.CardKey {
	return recharge.CardKey{Scheme: uint8(scheme), ASN: factor(asn), Wallet: uint8(wallet)}
}

// number is an application serial number as the decimal number that its digits
// are.
func number(asn mac.Factor) (n int64) {
	for _, b := range asn {
		n = n*100 + int64(b>>4)*10 + int64(b&0x0F)
	}
	return n
}

// factor is the inverse of number.
func factor(n int64) (asn mac.Factor) {
	for i := len(asn) - 1; i >= 0; i-- {
		asn[i] = byte(n%10 | n/10%10<<4)
		n /= 100
	}
	return asn
}

func random(r [4]byte) int64 { return int64(binary.BigEndian.Uint32(r[:])) }

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// noDetail is what an order has that has none.
const noDetail = "{}"

// detailText is d as JSON.
func detailText(d recharge.Detail) string {
	if d == (recharge.Detail{}) {
		return noDetail
	}
	text, _ := json.Marshal(d) //nolint:errchkjson // a struct of strings always has a JSON form
	return string(text)
}
