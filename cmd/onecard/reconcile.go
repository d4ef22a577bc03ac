package main

import (
	"context"
	"log/slog"
	"time"
)

// reconcile reports what is open. A process that is ending reports nothing.
func (s *server) reconcile(ctx context.Context) {
	report, err := s.system.ledger.Reconcile(ctx, time.Now(), s.cfg.Reconcile.Older)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.Error("reconciliation failed", "error", err)
	default:
		s.log.LogAttrs(ctx, slog.LevelInfo, "reconciliation", slog.Any("report", report))
	}
}
