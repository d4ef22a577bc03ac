package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/ledger"
)

// reconcileEvery reconciles at once and then again and again until ctx ends.
func (s *server) reconcileEvery(ctx context.Context) {
	var a *auditor
	if paths := s.cfg.Reconcile.Audit; len(paths) > 0 {
		a = newAuditor(s.cfg, s.system.ledger, paths)
	}
	every(ctx, s.cfg.Reconcile.Every, func(ctx context.Context) { s.reconcile(ctx, a) })
}

// verify logs what does not hold.
func (s *server) verify(ctx context.Context) {
	start := time.Now()
	report, err := s.system.ledger.Verify(ctx)
	if err != nil {
		s.failed(ctx, "verification failed", err)
		return
	}
	for _, fault := range report.Faults[:min(len(report.Faults), mostTold)] {
		s.log.Error("the ledger does not hold", "fault", fault)
	}
	s.log.Info("verification", "orders", report.Orders, "writes", report.Writes, "postings", report.Postings,
		"faults", int64(len(report.Faults))+report.More, "took", time.Since(start).Round(time.Millisecond))
}

// reconcile logs what is open, and what was computed and never answered.
func (s *server) reconcile(ctx context.Context, a *auditor) {
	now := time.Now()
	report, err := s.system.ledger.Reconcile(ctx, now, s.cfg.Reconcile.Older, mostTold)
	if err != nil {
		s.failed(ctx, "reconciliation failed", err)
		return
	}
	for i := range report.Proved.Oldest {
		o := &report.Proved.Oldest[i]
		s.log.Error("the money of an order was given back, and is on the card", "order", o.ID, "domain", o.Domain, "fen", int64(o.Amount))
	}
	s.log.Info("reconciliation", "unproved", report.Unproved.Orders, "overtaken", report.Overtaken.Orders,
		"reserved", report.Reserved.Orders, "proved", report.Proved.Orders, "balances", report.Balances)
	if a == nil {
		return
	}
	m, err := a.check(ctx, now, now.Add(-s.cfg.Reconcile.Older))
	if err != nil {
		s.failed(ctx, "reconciliation failed", err)
		return
	}
	level := slog.LevelInfo
	if len(m.Unaccounted) > 0 {
		level = slog.LevelWarn
	}
	s.log.Log(ctx, level, "audit logs", "records", m.Records, "foreign", m.Foreign, "unaccounted", len(m.Unaccounted))
	for _, u := range m.Unaccounted[:min(len(m.Unaccounted), mostTold)] {
		s.log.Warn("a MAC2 was computed and is in no order", "mac2", u)
	}
}

// mostTold is how many of a kind the log names; "onecard ledger reconcile" and
// "onecard ledger verify" tell of more.
const mostTold = 20

// failed logs err, unless the process is ending.
func (s *server) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.log.Error(what, "error", err)
	}
}

func reconcileCommand() *cli.Command {
	return &cli.Command{
		Name: "reconcile", Usage: "report what is open: orders without a receipt, overtaken or unwritten ones, balances",
		Description: "Where there are audit logs of the daemons, it also reports the MAC2s that they made and that are in no\n" +
			"order: those were computed and never answered.",
		Flags: []cli.Flag{configFlag(), &cli.StringSliceFlag{
			Name: "audit", TakesFile: true,
			Usage: "folder of a daemon's audit log, or a file of it; can be given again; instead of reconcile.audit",
		}, &cli.IntFlag{Name: "most", Value: 100, Usage: "how many orders of each kind to name, the oldest first"}},
		Action: readingLedger(reconcileLedger),
	}
}

func reconcileLedger(c *cli.Context, b *books) error {
	if c.Int("most") < 0 {
		return cmdline.Usagef("--most: must be 0 or more")
	}
	now := time.Now()
	open, err := b.ledger.Reconcile(c.Context, now, b.cfg.Reconcile.Older, c.Int("most"))
	if err != nil {
		return err
	}
	report := struct {
		Ledger *ledger.Reconciliation `json:"ledger"`
		Audit  *made                  `json:"audit,omitempty"`
	}{Ledger: &open}
	paths := b.cfg.Reconcile.Audit
	if c.IsSet("audit") {
		paths = c.StringSlice("audit")
	}
	if len(paths) > 0 {
		if report.Audit, err = newAuditor(b.cfg, b.ledger, paths).check(c.Context, now, time.Time{}); err != nil {
			return err
		}
	}
	return printJSON(c, report)
}
