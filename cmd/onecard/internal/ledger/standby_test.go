package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
)

// A standby of PostgreSQL verifies, reconciles and exports, so that the server
// that commits need not; and it takes nothing.
func TestStandby(t *testing.T) {
	dsn := newPostgres(t)
	secret := []byte("secret")
	l, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	account := merchant(t, l, "M1", 1e6)
	sellAll(t, l, account, 0, 100)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Server(t).Standby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Stop() }()
	primary, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	at := server.DSN(strings.TrimPrefix(primary.Path, "/"))

	standby, err := ledger.Open(context.Background(), ledger.Options{DSN: at, Secret: secret, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	if r, err := standby.Verify(context.Background()); err != nil || r.Orders != 100 || len(r.Faults) > 0 {
		t.Errorf("%d orders, %v, %v", r.Orders, r.Faults, err)
	}
	if r, err := standby.Reconcile(context.Background(), time.Now(), 0, 1); err != nil || r.Unproved.Orders != 100 {
		t.Errorf("%d orders unproved, %v", r.Unproved.Orders, err)
	}
	var lines bytes.Buffer
	if err := standby.Export(context.Background(), &lines); err != nil || strings.Count(lines.String(), `"type":"order"`) != 100 {
		t.Errorf("%d bytes exported, %v", lines.Len(), err)
	}
	if err := standby.Commit(context.Background(), numbered(saleOf(account, 100), 1)); err == nil {
		t.Error("a standby has taken a sale")
	}
	for _, o := range []ledger.Options{{DSN: at, Secret: []byte("other"), ReadOnly: true}, {DSN: at, Secret: secret}} {
		if l, err := ledger.Open(context.Background(), o); err == nil {
			t.Errorf("opened with %+v", o)
			_ = l.Close()
		} else if o.ReadOnly && !errors.Is(err, ledger.ErrSecret) {
			t.Errorf("another secret: %v", err)
		}
	}
}
