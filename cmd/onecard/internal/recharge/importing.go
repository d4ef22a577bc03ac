package recharge

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Imported tells what became of the lines of an import.
type Imported struct {
	New     int // registered now
	Known   int // registered before, with the same content
	Refused []RefusedLine
}

// A RefusedLine is a line that was not imported.
type RefusedLine struct {
	Line int
	Err  error
}

// importColumns is the header of an import.
var importColumns = []string{"TradeID", "CarNo", "TradeMoney", "PaymentType", "AccountNo", "PaymentTradeID"}

// ImportOrders registers paid orders of a domain from CSV with a header. Each
// line stands for itself, so a file can be imported again after an error.
func (o *Operator) ImportOrders(ctx context.Context, who, domain string, from io.Reader) (Imported, error) {
	var done Imported
	r := csv.NewReader(from)
	r.FieldsPerRecord = len(importColumns)
	places, err := importHeader(r)
	if err != nil {
		return done, err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		line, _ := r.FieldPos(0)
		fresh := false
		if err == nil {
			fresh, err = o.importLine(ctx, who, domain, arranged(row, places))
		}
		switch {
		case errors.Is(err, ErrStore), errors.Is(err, ErrUnknownOutcome), errors.Is(err, context.Canceled):
			return done, err
		case err != nil:
			done.Refused = append(done.Refused, RefusedLine{line, err})
		case fresh:
			done.New++
		default:
			done.Known++
		}
	}
}

// importHeader reads the header, which has the columns in some order, and
// perhaps the mark that spreadsheets put before a text. It gives the place of
// each of importColumns.
func importHeader(r *csv.Reader) ([]int, error) {
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: the header: %w", ErrUnsuited, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	places := make([]int, len(importColumns))
	for i, name := range importColumns {
		if places[i] = slices.Index(header, name); places[i] < 0 {
			return nil, fmt.Errorf("%w: the header does not have the columns %s", ErrUnsuited, strings.Join(importColumns, ", "))
		}
	}
	return places, nil
}

// arranged gives a row in the order of importColumns.
func arranged(row []string, places []int) []string {
	all := make([]string, len(places))
	for i, place := range places {
		all[i] = row[place]
	}
	return all
}

func (o *Operator) importLine(ctx context.Context, who, domain string, row []string) (fresh bool, err error) {
	amount, err := strconv.ParseInt(row[2], 10, 64)
	switch {
	case err != nil || strconv.FormatInt(amount, 10) != row[2]:
		return false, errBadAmount
	case !serial(row[0]) || len(row[0]) > 64:
		return false, fmt.Errorf("%w: the serial", ErrUnsuited)
	case asnOf(row[1]) == nil:
		return false, fmt.Errorf("%w: a card number has 16 digits", ErrUnsuited)
	case !slices.Contains(o.Settings.PaymentTypes, row[3]):
		return false, refuseField(BadField, "PAYMENTTYPE")
	}
	r := RegisterOrder{
		Caller: Caller{Domain: domain, Source: who}, TradeID: strings.ToUpper(row[0]), CardNo: row[1], Amount: Fen(amount),
		Payment: Payment{Type: row[3], Account: row[4], TradeID: strings.ToUpper(row[5])},
	}
	for range mostTries {
		k, err := o.Ledger.Find(ctx, Question{Domain: domain, TradeID: r.TradeID})
		if err != nil {
			return false, err
		}
		if err := register(ctx, o.Ledger, r, o.Settings.most(), o.Clock()); !errors.Is(err, ErrConflict) {
			return k.Order == nil, err
		}
	}
	return false, ErrBusy
}

// serial tells whether s can be a TradeID.
func serial(s string) bool {
	for _, b := range []byte(s) {
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && b != '_' && b != '-' {
			return false
		}
	}
	return s != ""
}
