package sim

import (
	"context"
	"fmt"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A faultyLedger is the ledger, with the faults of a request before and behind
// its commits.
type faultyLedger struct{ recharge.Ledger }

// Ledger puts the faults of requests around l.
func (w *World) Ledger(l recharge.Ledger) recharge.Ledger { return faultyLedger{l} }

// Commit stores c, or fails as the request's faults say.
func (l faultyLedger) Commit(ctx context.Context, c *recharge.Change) error {
	switch {
	case hitting(ctx, BeforeCommit):
		// As if the process had stopped: nothing is stored, and send answers nothing.
		return fmt.Errorf("sim: fault %s: %w", BeforeCommit, recharge.ErrStore)
	case hitting(ctx, CommitFails):
		return fmt.Errorf("sim: fault %s: %w", CommitFails, recharge.ErrStore)
	}
	return l.Ledger.Commit(ctx, c)
}

var _ recharge.Ledger = faultyLedger{}
