package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

// What goes through whole tables goes through each a few times, and not through
// one for each row of another: SQLite's plans show it by their form.
func TestSurveysAreLinearSQLite(t *testing.T) {
	db, err := ledger.OpenSQL(newSQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plan := func(text string) string {
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer rows.Close()
		depth, correlated, scans := map[int]int{}, map[int]bool{}, map[int]int{}
		var lines []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			depth[id] = depth[parent] + 1
			correlated[id] = correlated[parent] || strings.HasPrefix(detail, "CORRELATED")
			if strings.HasPrefix(detail, "SCAN") {
				if scans[parent]++; scans[parent] > 1 || correlated[id] {
					detail += "    <- for each row"
				}
			}
			lines = append(lines, strings.Repeat("  ", depth[id])+detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	for _, text := range ledger.Surveys() {
		if got := plan(text); strings.Contains(got, "for each row") {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	// The test itself sees what it looks for.
	for _, text := range []string{
		"SELECT o.id FROM orders o WHERE o.amount <> (SELECT SUM(p.amount) FROM posting p WHERE p.order_id = o.id)",
		"SELECT o.id FROM orders o, posting p WHERE o.amount < p.amount",
	} {
		if got := plan(text); !strings.Contains(got, "for each row") {
			t.Errorf("nothing was found in the plan of %s:\n%s", text, got)
		}
	}
}

// Four times the rows cost PostgreSQL some four times as much, by its own
// reckoning.
func TestSurveysAreLinearPostgres(t *testing.T) {
	const few, many = 1000, 4000
	dsn := newPostgres(t)
	l := open(t, dsn)
	account := merchant(t, l, "M1", 1e9)
	db, err := ledger.OpenSQL(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	costs := func(texts []string) map[string]float64 {
		if _, err := db.ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		all := map[string]float64{}
		for _, text := range texts {
			var said []byte
			if err := db.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) "+text).Scan(&said); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			var plans []struct {
				Plan struct {
					Cost float64 `json:"Total Cost"`
				}
			}
			if err := json.Unmarshal(said, &plans); err != nil || len(plans) != 1 {
				t.Fatalf("%v in %s", err, said)
			}
			all[text] = plans[0].Plan.Cost
		}
		return all
	}
	const bad = "SELECT o.id FROM orders o WHERE o.amount <> (SELECT SUM(p.amount) FROM posting p WHERE p.order_id = o.id)"
	texts := append(ledger.Surveys(), bad)
	sellAll(t, l, account, 0, few)
	before := costs(texts)
	sellAll(t, l, account, few, many)
	for text, cost := range costs(texts) {
		if grew := cost / before[text]; (grew > 2*many/few) != (text == bad) {
			t.Errorf("with %d times the rows %.1f times the cost: %s", many/few, grew, text)
		}
	}
}

// sellAll makes the sales from one number to another.
func sellAll(t *testing.T, l *ledger.Ledger, account int64, from, to int) {
	t.Helper()
	const callers = 64
	together(callers, func(i int) {
		for n := from + i; n < to; n += callers {
			if err := l.Commit(context.Background(), sale(t, l, account, n)); err != nil {
				t.Error(err)
			}
		}
	})
}

// What is open is counted, all of it, and the oldest of it named.
func TestReconcileCounts(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const now, grace = 1_000_000, 100 * time.Millisecond
		l := open(t, dsn)
		account := merchant(t, l, "M1", 1e6)
		for n, at := range []int64{now - 500, now - 400, now - 100, now - 99, now - 300} {
			c := sale(t, l, account, n)
			c.Orders[0].At, c.Orders[0].Overtaken = at, n == 4
			if err := l.Commit(context.Background(), c); err != nil {
				t.Fatal(err)
			}
		}
		r, err := l.Reconcile(context.Background(), time.UnixMilli(now), grace, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []struct {
			name   string
			got    ledger.OpenOrders
			orders int64
			oldest []string
		}{
			{"unproved", r.Unproved, 3, []string{"T0", "T1"}},
			{"overtaken", r.Overtaken, 1, []string{"T4"}},
			{"reserved", r.Reserved, 0, nil},
			{"proved", r.Proved, 0, nil},
		} {
			var names []string
			for _, o := range of.got.Oldest {
				names = append(names, o.TradeID)
			}
			if of.got.Orders != of.orders || of.got.Fen != 100*of.orders || !slices.Equal(names, of.oldest) {
				t.Errorf("%s: %d orders of %d fen, the oldest %v; want %d, %v", of.name, of.got.Orders, of.got.Fen, names, of.orders, of.oldest)
			}
		}
		if r.Balances["SYSTEM 1"] != 500 || r.Balances["MERCHANT"] != 1e6-500 {
			t.Errorf("balances %v", r.Balances)
		}
	})
}

// A file whose form is broken is found out while the ledger already answers, and
// is not built on.
func TestBrokenFile(t *testing.T) {
	dsn := newSQLite(t)
	l, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	sellAll(t, l, merchant(t, l, "M1", 1e9), 0, 2000)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	breakPages(t, strings.TrimPrefix(dsn, "sqlite:"))
	fatal := make(chan error, 1)
	l, err = ledger.Open(context.Background(), ledger.Options{DSN: dsn, Fatal: func(err error) { fatal <- err }})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-fatal:
		t.Log(err)
	case <-time.After(time.Minute):
		t.Error("nobody has looked at the file")
	}
	if again, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "restore it") {
		t.Errorf("opened once more: %v, %v", again, err)
	}
	if _, err := l.Verify(context.Background()); !errors.Is(err, recharge.ErrStore) {
		t.Errorf("Verify: %v, want %v", err, recharge.ErrStore)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// breakPages writes over the later half of a file.
func breakPages(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	if _, err := f.WriteAt([]byte(strings.Repeat("broken! ", page/8*8)), info.Size()/2/page*page); err != nil {
		t.Fatal(err)
	}
}
