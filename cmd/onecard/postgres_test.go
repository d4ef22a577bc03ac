package main

import (
	"testing"

	"pbochsm/cmd/onecard/internal/ledger/pgtest"
)

// shared is the PostgreSQL of this run; main_test.go ends it.
var shared pgtest.Shared

func postgresServer(t testing.TB) *pgtest.Server { return shared.Server(t) }

// postgres gives the address of an empty database.
func postgres(t testing.TB) string {
	t.Helper()
	dsn, err := postgresServer(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}
