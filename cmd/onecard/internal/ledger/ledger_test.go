package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

// together runs f so many times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// sound verifies a ledger.
func sound(t testing.TB, l *ledger.Ledger) ledger.Report {
	t.Helper()
	r, err := l.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Error(f)
	}
	return r
}

// In a group, what does not fit is refused alone and as a whole; the others
// are stored.
func TestGroup(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 100*50)
		changes := make([]*recharge.Change, 100)
		for i := range changes {
			changes[i] = sale(t, l, account, i/2) // two of each serial and counter
		}
		errs := make([]error, len(changes))
		together(len(changes), func(i int) { errs[i] = l.Commit(context.Background(), changes[i]) })
		stored := 0
		for i := 0; i < len(errs); i += 2 {
			for _, err := range errs[i : i+2] {
				switch {
				case err == nil:
					stored++
				case !errors.Is(err, recharge.ErrConflict):
					t.Error(err)
				}
			}
			if (errs[i] == nil) == (errs[i+1] == nil) {
				t.Errorf("of two for one serial, one got %v and the other %v", errs[i], errs[i+1])
			}
		}
		r := sound(t, l)
		if stored != 50 || r.Orders != 50 || r.Writes != 50 || r.Balances["MERCHANT M1"] != 0 {
			t.Errorf("%d stored; the ledger has %d orders, %d writes, %d fen", stored, r.Orders, r.Writes, r.Balances["MERCHANT M1"])
		}
		if err := l.Commit(context.Background(), sale(t, l, account, 1000)); !errors.Is(err, recharge.ErrConflict) {
			t.Errorf("a sale without money: %v", err)
		}
	})
}

// A move is stored where it finds its state, and only there.
func TestMove(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 1000)
		c := sale(t, l, account, 1)
		if err := l.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		move := func(version int64, from, to recharge.State) error {
			return l.Commit(context.Background(), &recharge.Change{
				Event: recharge.Event{Kind: "TEST"},
				Moves: []recharge.Move{{Order: c.Orders[0].ID, Version: version, From: from, To: to}},
			})
		}
		if err := move(1, recharge.Reserved, recharge.Cancelled); !errors.Is(err, recharge.ErrConflict) {
			t.Errorf("from another state: %v", err)
		}
		if err := move(2, recharge.Issued, recharge.Confirmed); !errors.Is(err, recharge.ErrConflict) {
			t.Errorf("from another version: %v", err)
		}
		errs := make([]error, 16)
		together(len(errs), func(i int) { errs[i] = move(1, recharge.Issued, recharge.Confirmed) })
		if n := len(slices.DeleteFunc(errs, func(err error) bool { return err != nil })); n != 1 {
			t.Errorf("%d moves found the same state", n)
		}
		k, err := l.Find(context.Background(), recharge.Question{Domain: "WEBM", TradeID: "T1"})
		if err != nil || k.Order == nil || k.Order.State != recharge.Confirmed || k.Order.Version != 2 {
			t.Errorf("found %+v, %v", k.Order, err)
		}
	})
}

// What was stored is found again as it was.
func TestFind(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 1000)
		c := sale(t, l, account, 12345)
		c.Orders[0].Payment = recharge.Payment{Type: "01", Account: "a", TradeID: "P"}
		c.Orders[0].Fingerprint[3], c.Orders[0].Detail.LinkAddr = 9, "充值网点"
		w := &c.Writes[0]
		w.Balance, w.Key.Version, w.Terminal[5], w.Date[0], w.Time[2], w.MAC2[1], w.Fingerprint[0], w.At = 7, 2, 3, 0x20, 0x59, 0xAB, 1, 5
		w.Random = [4]byte{0xFF, 0xEE, 0, 1}
		c.Orders[0].Counter, w.Counter = 0xFFFE, 0xFFFE
		c.Bindings = []recharge.Binding{{Scheme: 1, ASN: w.Card.ASN, CardNo: c.Orders[0].CardNo}}
		if err := l.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		k, err := l.Find(context.Background(), recharge.Question{
			Domain: "WEBM", TradeID: c.Orders[0].TradeID, Card: &w.Card, Counter: w.Counter, Random: &w.Random, WithWrites: true,
			CardNo: c.Orders[0].CardNo, Payment: c.Orders[0].Payment, Account: recharge.MerchantAccount, Number: "M1",
		})
		if err != nil {
			t.Fatal(err)
		}
		if *k.Order != c.Orders[0] || *k.Paid != c.Orders[0] || *k.WriteOrder != c.Orders[0] || len(k.OfCard) != 1 {
			t.Errorf("order %+v, want %+v", k.Order, c.Orders[0])
		}
		if *k.Write != *w || len(k.Writes) != 1 || k.Writes[0] != *w {
			t.Errorf("write %+v, want %+v", k.Write, *w)
		}
		if len(k.Bindings) != 2 || k.Bindings[0] != c.Bindings[0] || k.Account.Balance != 900 {
			t.Errorf("bindings %v, account %+v", k.Bindings, k.Account)
		}
	})
}

// No number is given twice, by whatever process.
func TestNumbers(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		var mu sync.Mutex
		seen := map[int64]bool{}
		ledgers := []*ledger.Ledger{open(t, dsn), open(t, dsn), open(t, dsn)}
		together(30, func(i int) {
			for range 50 {
				id, err := ledgers[i%3].NewID(context.Background())
				mu.Lock()
				if err != nil || seen[id] || id < recharge.FirstAccount {
					t.Errorf("number %d, seen before: %t, %v", id, seen[id], err)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	})
}

func TestSchema(t *testing.T) {
	dsn := "sqlite:" + t.TempDir() + "/ledger.db"
	if _, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn}); !errors.Is(err, ledger.ErrSchema) {
		t.Errorf("an empty database: %v", err)
	}
	together(2, func(int) { migrate(t, newSQLite(t)) })
}

// What is read for a decision is found by indexes, also by a plan that was made
// before there was anything to find.
func TestPlansUseIndexes(t *testing.T) {
	plans, err := ledger.Plans(t.Context(), newPostgres(t))
	if err != nil {
		t.Fatal(err)
	}
	for text, plan := range plans {
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s:\n%s", text, plan)
		}
	}
}

// A ledger is opened with the secret that it was written under, or not at all.
func TestSecret(t *testing.T) {
	for _, dsn := range []string{newSQLite(t), newPostgres(t)} {
		open := func(secret string) error {
			l, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn, Secret: []byte(secret)})
			if err == nil {
				err = l.Close()
			}
			return err
		}
		for _, c := range []struct {
			secret string
			want   error
		}{{"first", nil}, {"second", ledger.ErrSecret}, {"first", nil}} {
			if err := open(c.secret); !errors.Is(err, c.want) {
				t.Errorf("the secret %q: %v, want %v", c.secret, err, c.want)
			}
		}
	}
}

// A database that answers before it has stored is not used.
func TestDurableOnly(t *testing.T) {
	dsn := newPostgres(t)
	for _, setting := range []string{"off", "local"} {
		_, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn + "&synchronous_commit=" + setting})
		if err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
			t.Errorf("synchronous_commit=%s: %v", setting, err)
		}
	}
	if _, err := ledger.Open(context.Background(), ledger.Options{DSN: "postgres://user:geheim@:x/"}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("an address that cannot be parsed: %v", err)
	}
}

// Verify finds a cell that somebody changed behind the ledger's back.
func TestVerifyFinds(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 1000)
		for i := range 3 {
			if err := l.Commit(context.Background(), sale(t, l, account, i)); err != nil {
				t.Fatal(err)
			}
		}
		cards := &recharge.Change{
			Event:    recharge.Event{Kind: "TEST"},
			Vouchers: []recharge.Voucher{{Serial: "V1", Amount: 500, Status: recharge.Active}},
			Postings: []recharge.Posting{{From: recharge.BankAccount, To: recharge.VoucherAccount, Amount: 500}},
		}
		if err := l.Commit(context.Background(), cards); err != nil {
			t.Fatal(err)
		}
		sound(t, l)
		for _, tamper := range []struct{ do, undo string }{
			{"UPDATE account SET balance = balance + 1 WHERE kind = 'MERCHANT'", "UPDATE account SET balance = balance - 1 WHERE kind = 'MERCHANT'"},
			{"UPDATE posting SET amount = amount + 1 WHERE from_account >= 1000", "UPDATE posting SET amount = amount - 1 WHERE from_account >= 1000"},
			{"UPDATE orders SET amount = amount + 1", "UPDATE orders SET amount = amount - 1"},
			{"UPDATE orders SET state = 'REFUNDED'", "UPDATE orders SET state = 'ISSUED'"},
			{"UPDATE orders SET state = 'RESERVED'", "UPDATE orders SET state = 'ISSUED'"},
			{"UPDATE orders SET counter = NULL", "UPDATE orders SET counter = 0"},
			{"UPDATE card_write SET order_id = order_id + 100000", "UPDATE card_write SET order_id = order_id - 100000"},
			{"UPDATE posting SET to_account = 8 WHERE to_account = 1", "UPDATE posting SET to_account = 1 WHERE to_account = 8"},
			{"UPDATE posting SET from_account = 2 WHERE to_account = 1", fmt.Sprint("UPDATE posting SET from_account = ", account, " WHERE to_account = 1")},
			{"UPDATE voucher SET amount = amount * 100", "UPDATE voucher SET amount = amount / 100"},
			{"UPDATE posting SET amount = amount - 1 WHERE to_account = 5", "UPDATE posting SET amount = amount + 1 WHERE to_account = 5"},
			{"UPDATE posting SET from_account = 5, to_account = 4 WHERE to_account = 5", "UPDATE posting SET from_account = 4, to_account = 5 WHERE from_account = 5"},
			{"UPDATE binding SET card_no = 'X' || card_no", "UPDATE binding SET card_no = SUBSTR(card_no, 2)"},
			{"UPDATE binding SET asn = asn + 1000", "UPDATE binding SET asn = asn - 1000"},
			{"UPDATE orders SET asn = asn + 1000", "UPDATE orders SET asn = asn - 1000"},
			{"UPDATE orders SET state = 'BOGUS'", "UPDATE orders SET state = 'ISSUED'"},
			{"UPDATE orders SET trade_type = '02'", "UPDATE orders SET trade_type = '01'"},
			{"UPDATE orders SET trade_type = '03', state = 'CONFIRMED'", "UPDATE orders SET trade_type = '01', state = 'ISSUED'"},
			{"UPDATE orders SET account = account + 1", "UPDATE orders SET account = account - 1"},
			{"UPDATE account SET kind = 'X' WHERE id = 7", "UPDATE account SET kind = 'SYSTEM' WHERE id = 7"},
			{"UPDATE account SET id = 77 WHERE id = 7", "UPDATE account SET id = 7 WHERE id = 77"},
			{"UPDATE account SET kind = 'CORPORATE' WHERE kind = 'MERCHANT'", "UPDATE account SET kind = 'MERCHANT' WHERE kind = 'CORPORATE'"},
			{"INSERT INTO corporate VALUES (7, 'C', 1, '', '', 0, 1)", "DELETE FROM corporate"},
		} {
			sqlExec(t, dsn, tamper.do)
			if r, err := l.Verify(context.Background()); err != nil || len(r.Faults) == 0 {
				t.Errorf("%s: found nothing, %v", tamper.do, err)
			}
			sqlExec(t, dsn, tamper.undo)
		}
		sound(t, l)
	})
}

func sqlExec(t *testing.T, dsn, text string) {
	t.Helper()
	db, err := ledger.OpenSQL(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), text); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
}

// Many that store and then ask at once each get what is theirs, and nothing
// where there is nothing.
func TestFindTogether(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const sales = 300
		l := open(t, dsn)
		account := merchant(t, l, "M1", 100*sales)
		changes := make([]*recharge.Change, sales)
		for i := range changes {
			changes[i] = sale(t, l, account, i)
		}
		together(sales, func(i int) {
			if err := l.Commit(context.Background(), changes[i]); err != nil {
				t.Error(err)
			}
		})
		together(2*sales, func(i int) {
			card, random := changes[i%sales].Writes[0].Card, changes[i%sales].Writes[0].Random
			if i >= sales {
				random[0]++
			}
			k, err := l.Find(context.Background(), recharge.Question{
				Domain: "WEBM", TradeID: fmt.Sprintf("T%d", i), Card: &card, Random: &random,
				Account: recharge.MerchantAccount, Number: "M1",
			})
			switch {
			case err != nil:
				t.Error(err)
			case k.Account == nil || k.Account.ID != account || len(k.OfCard) != 1 || k.OfCard[0] != changes[i%sales].Orders[0]:
				t.Errorf("%d: account %+v, of the card %+v", i, k.Account, k.OfCard)
			case i < sales && (k.Order == nil || *k.Order != changes[i].Orders[0] || k.Write == nil || *k.Write != changes[i].Writes[0]):
				t.Errorf("%d: order %+v, write %+v", i, k.Order, k.Write)
			case i >= sales && (k.Order != nil || k.Write != nil):
				t.Errorf("%d: order %+v, write %+v, and there is neither", i, k.Order, k.Write)
			}
		})
	})
}
