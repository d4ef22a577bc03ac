package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

// merchant opens an account with much money in it.
func merchant(t testing.TB, l *ledger.Ledger, number string, balance recharge.Fen) int64 {
	t.Helper()
	id, err := l.NewID(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c := &recharge.Change{
		Event:    recharge.Event{Kind: "TEST"},
		Accounts: []recharge.Account{{ID: id, Kind: recharge.MerchantAccount, Number: number, Status: recharge.Active}},
		Postings: []recharge.Posting{{From: recharge.BankAccount, To: id, Amount: balance}},
	}
	if err := l.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	return id
}

// sale is the first load of card number n, that account pays.
func sale(t testing.TB, l *ledger.Ledger, account int64, n int) *recharge.Change {
	c := numbered(saleOf(account, n), newID(t, l))
	o := &c.Orders[0]
	c.Bindings = []recharge.Binding{{Scheme: o.Card.Scheme, ASN: o.Card.ASN, CardNo: o.CardNo}}
	return c
}

// numbered gives a sale the number of its order.
func numbered(c *recharge.Change, id int64) *recharge.Change {
	c.Event.Order, c.Orders[0].ID, c.Writes[0].Order, c.Postings[0].Order = id, id, id, id
	return c
}

// saleOf is a sale whose order has no number yet.
func saleOf(account int64, n int) *recharge.Change {
	var asn mac.Factor
	for i, v := 7, n; i >= 0; i, v = i-1, v/100 {
		asn[i] = byte(v%10 | v/10%10<<4)
	}
	card := recharge.CardKey{Scheme: 1, ASN: asn, Wallet: 2}
	return &recharge.Change{
		Event: recharge.Event{Kind: "ISSUE", Domain: "WEBM", Who: "terminal"},
		Orders: []recharge.Order{{
			Domain: "WEBM", TradeID: fmt.Sprintf("T%d", n), Source: recharge.FromPrepaid, TradeType: recharge.TradeLoad,
			State: recharge.Issued, Version: 1, Card: card, CardNo: fmt.Sprintf("%016d", n), Amount: 100, Account: account,
			Detail: recharge.Detail{Device: "D1"},
		}},
		Writes:   []recharge.CardWrite{{Card: card, Random: [4]byte{1, 2, 3, byte(n)}}},
		Postings: []recharge.Posting{{From: account, To: recharge.CardsAccount, Amount: 100}},
	}
}

// newID takes a number, again and again where the ledger says that it cannot be
// reached: nothing is booked then, and its callers ask again too.
func newID(t testing.TB, l *ledger.Ledger) int64 {
	for try := 1; ; try++ {
		id, err := l.NewID(context.Background())
		if err == nil {
			return id
		}
		if try == 50 || !errors.Is(err, recharge.ErrStore) {
			t.Error(err)
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// rate commits sales from so many callers for a while and gives them per second.
func rate(b *testing.B, dsn string, callers int, from int) float64 {
	l := open(b, dsn)
	account := merchant(b, l, fmt.Sprintf("M%d", from), 1e14)
	var wg sync.WaitGroup
	per := max(1, b.N/callers)
	changes := make([][]*recharge.Change, callers)
	for i := range callers {
		for j := range per {
			changes[i] = append(changes[i], saleOf(account, from+i*per+j))
		}
	}
	b.ResetTimer()
	start := time.Now()
	for i := range callers {
		wg.Go(func() {
			for _, c := range changes[i] {
				if err := l.Commit(context.Background(), numbered(c, newID(b, l))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	return float64(per*callers) / time.Since(start).Seconds()
}

// disk measures what the ledger is compared with: 4 KiB written and
// synchronised, one after the other, in the same folder.
func disk(b *testing.B, dir string) float64 {
	f, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := f.Write(make([]byte, 4096*512)); err != nil {
		b.Fatal(err)
	}
	n := 0
	start := time.Now()
	for ; time.Since(start) < time.Second/2; n++ {
		if _, err := f.WriteAt(page, int64(n%512)*4096); err != nil {
			b.Fatal(err)
		}
		if err := datasync(f); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkSQLite gives the sales per second of 64 and 1024 callers, and how
// many times the raw rate of the disk that is.
func BenchmarkSQLite(b *testing.B) {
	for _, callers := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			dsn := newSQLite(b)
			raw := disk(b, filepath.Dir(dsn[len("sqlite:"):]))
			got := rate(b, dsn, callers, 1)
			raw = (raw + disk(b, filepath.Dir(dsn[len("sqlite:"):]))) / 2
			b.ReportMetric(got, "sales/s")
			b.ReportMetric(raw, "fdatasync/s")
			b.ReportMetric(got/raw, "x")
		})
	}
}

// BenchmarkPostgres gives the sales per second of 64 callers, and how many
// times that is what pgbench reaches with single-row transactions of 64 clients
// on the same server.
func BenchmarkPostgres(b *testing.B) {
	const callers = 64
	server := postgres.Server(b)
	dsn := newPostgres(b)
	single, err := server.PGBench(context.Background(), dsn, callers)
	if err != nil {
		b.Fatal(err)
	}
	got := rate(b, dsn, callers, 1)
	b.ReportMetric(got, "sales/s")
	b.ReportMetric(single, "pgbench/s")
	b.ReportMetric(got/single, "x")
}

// BenchmarkFind reads what decides a load that is new, on a ledger of many, by
// callers who ask at once.
func BenchmarkFind(b *testing.B) {
	l := open(b, newSQLite(b))
	account := merchant(b, l, "M1", 1e14)
	const sales, callers = 20000, 32
	together(callers, func(i int) {
		for n := i; n < sales; n += callers {
			if err := l.Commit(context.Background(), sale(b, l, account, n)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ResetTimer()
	together(callers, func(i int) {
		for n := i; n < b.N; n += callers {
			c := saleOf(account, n%sales)
			card, random := c.Writes[0].Card, [4]byte{9}
			k, err := l.Find(context.Background(), recharge.Question{
				Domain: "WEBM", TradeID: fmt.Sprintf("N%d", n), Card: &card, Counter: 1, Random: &random, CardNo: c.Orders[0].CardNo,
				Account: recharge.MerchantAccount, Number: "M1",
				Budgets: []recharge.Budget{{Kind: "card", Subject: fmt.Sprint(n), Period: "20200101"},
					{Kind: "domain", Subject: "WEBM", Period: "20200101"}, {Kind: "all", Period: "20200101"}},
			})
			if err != nil || k.Account == nil {
				b.Errorf("%v, %+v", err, k)
				return
			}
		}
	})
}
