package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"pbochsm/cmd/onecard/internal/config"
)

// The runtime is set up for a service, and not where the operator has done so.
func TestPace(t *testing.T) {
	sqlite, postgres := &config.Config{}, &config.Config{}
	sqlite.Database.SQLite = "ledger.db"
	n := runtime.GOMAXPROCS(0)
	for name, c := range map[string]struct {
		cfg                 *config.Config
		percent, threads    string // of the environment
		garbage, processors int
	}{
		"SQLite":          {sqlite, "", "", garbage, n + 1},
		"PostgreSQL":      {postgres, "", "", garbage, n},
		"set by operator": {sqlite, "50", "1", 100, n},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", c.percent)
			t.Setenv("GOMAXPROCS", c.threads)
			defer debug.SetGCPercent(debug.SetGCPercent(100))
			defer runtime.GOMAXPROCS(n)
			pace(c.cfg)
			if got := runtime.GOMAXPROCS(0); got != c.processors {
				t.Errorf("%d threads, want %d", got, c.processors)
			}
			if got := debug.SetGCPercent(100); got != c.garbage {
				t.Errorf("%d percent of garbage, want %d", got, c.garbage)
			}
		})
	}
}
