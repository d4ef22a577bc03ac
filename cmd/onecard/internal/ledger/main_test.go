package ledger_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/ledger/pgtest"
)

var postgres pgtest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// each runs a test on an empty ledger in each database.
func each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
}

func newSQLite(t testing.TB) string {
	t.Helper()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "ledger.db")
	migrate(t, dsn)
	return dsn
}

func newPostgres(t testing.TB) string {
	t.Helper()
	dsn, err := postgres.Server(t).NewDatabase(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	migrate(t, dsn)
	return dsn
}

func migrate(t testing.TB, dsn string) {
	t.Helper()
	if err := ledger.Migrate(context.Background(), dsn); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dsn string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn, Fatal: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
