package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// ledgerLoses lets the ledger lose each write of a card, or keep it again.
func ledgerLoses(t *testing.T, file string, loses bool) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := "DROP TRIGGER lost"
	if loses {
		text = "CREATE TRIGGER lost BEFORE INSERT ON card_write BEGIN SELECT RAISE(ABORT, 'lost'); END"
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// A MAC2 that the daemon made and that the ledger did not take is never
// answered, and the reconciliation names it, in the log and as a command, until
// the same request is answered.
func TestReconcileWithAudit(t *testing.T) {
	hsm, log := auditedDaemon(t)
	cfg := servedConfig(t, hsm)
	cfg.Reconcile.Audit, cfg.Reconcile.Every, cfg.Reconcile.Settle = []string{log}, 100*time.Millisecond, time.Nanosecond
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	p := launch(t, "serve", "--config", file)
	till := newTerminal(t, p.line("listening "), 1)
	if err := till.load(); err != nil {
		t.Fatal(err)
	}
	_, body, err := till.request()
	if err != nil {
		t.Fatal(err)
	}
	ledgerLoses(t, cfg.Database.SQLite, true)
	if answer, err := till.post("/prepay/accttranssupply", body); err != nil || !strings.Contains(answer, `"9001"`) || strings.Contains(answer, "Mac2") {
		t.Fatalf("without a ledger: %s, %v", answer, err)
	}
	ledgerLoses(t, cfg.Database.SQLite, false)

	// In the log of the daemon there are two, in the ledger one.
	const named = "mac2.operation=load mac2.asn=0000010133000001 mac2.counter=0001"
	waitFor(t, func() bool { return strings.Contains(p.stderr.String(), named) }, p.stderr)
	if m := reconciled(t, file, "--audit", log); m.Records != 2 || m.Foreign != 0 || len(m.Unaccounted) != 1 ||
		m.Unaccounted[0].ASN != "0000010133000001" || m.Unaccounted[0].Counter != "0001" || m.Unaccounted[0].Fen != 1 {
		t.Errorf("the report has %+v", m)
	}
	if answer, err := till.post("/prepay/accttranssupply", body); err != nil || !strings.Contains(answer, `"0000"`) {
		t.Fatalf("the same again: %s, %v", answer, err)
	}
	if m := reconciled(t, file); m.Records != 3 || len(m.Unaccounted) != 0 {
		t.Errorf("after the request was answered the report has %+v", m)
	}
	p.stop()
	sound(t, file)
	if _, stderr, err := tryOnecard("", "ledger", "reconcile", "--config", file, "--audit", cfg.Database.SQLite); err == nil || !strings.Contains(stderr, "not an audit log") {
		t.Errorf("of a file that is no log: %v, %s", err, stderr)
	}
	// Of cards that this ledger has nothing to do with.
	cfg.Schemes[0].Factors = []string{"3500000000000000"}
	if m := reconciled(t, configFile(t, cfg)); m.Records != 0 || m.Foreign != 3 {
		t.Errorf("of other cards the report has %+v", m)
	}
}

// What does not hold is in the log from the start on, and the service answers.
func TestServeVerifies(t *testing.T) {
	hsm, _ := auditedDaemon(t)
	cfg := servedConfig(t, hsm)
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	db, err := sql.Open("sqlite", cfg.Database.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE account SET balance = balance + 1 WHERE kind = 'MERCHANT'"); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "serve", "--config", file)
	till := newTerminal(t, p.line("listening "), 1)
	waitFor(t, func() bool {
		return strings.Contains(p.stderr.String(), "a balance is not the sum of its postings: MERCHANT")
	}, p.stderr)
	waitFor(t, func() bool { return strings.Contains(p.stderr.String(), "msg=verification") }, p.stderr)
	if err := till.load(); err != nil {
		t.Error(err)
	}
	p.stop()
}

// reconciled is the audit's part of the report.
func reconciled(t *testing.T, file string, more ...string) made {
	t.Helper()
	out := onecard(t, "", append([]string{"ledger", "reconcile", "--config", file}, more...)...)
	var report struct{ Audit made }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return report.Audit
}

// waitFor waits until something has happened.
func waitFor(t testing.TB, happened func() bool, story fmt.Stringer) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it has not happened:\n%s", story)
		}
	}
}
