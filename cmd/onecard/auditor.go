package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"pbochsm/cmd/onecard/internal/auditlog"
	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

// A made is what the daemons say they made, held against the ledger.
type made struct {
	Records     int           `json:"records"` // new ones, of cards of this ledger
	Foreign     int           `json:"foreign"` // new ones, of cards that no scheme here has
	Unaccounted []unaccounted `json:"unaccounted"`
}

// An unaccounted MAC2 was computed and is in no order: it was never answered.
type unaccounted struct {
	At        time.Time    `json:"at"`
	Operation string       `json:"operation"`
	ASN       string       `json:"asn"`
	Counter   string       `json:"counter"`
	Random    string       `json:"random"`
	Fen       recharge.Fen `json:"fen"`
	Terminal  string       `json:"terminal"`
	HostDate  string       `json:"hostDate"`
	HostTime  string       `json:"hostTime"`

	key ledger.Issued
}

// LogValue is what the log has of it.
func (u unaccounted) LogValue() slog.Value {
	return slog.GroupValue(slog.Time("at", u.At), slog.String("operation", u.Operation), slog.String("asn", u.ASN),
		slog.String("counter", u.Counter), slog.String("random", u.Random), slog.Int64("fen", int64(u.Fen)))
}

const (
	// auditTogether is how many records are looked for at once.
	auditTogether = 10_000
	// mostUnaccounted is how many records may be in no order before it is clear
	// that the log belongs to another ledger.
	mostUnaccounted = 10_000
)

// errOtherLedger is a log whose MAC2s this ledger knows nothing of.
var errOtherLedger = fmt.Errorf("more than %d MAC2s of the audit logs are in no order: do these daemons serve another ledger?", mostUnaccounted)

// An auditor holds the daemons' audit logs against a ledger, again and again.
type auditor struct {
	log     *auditlog.Follower
	schemes []recharge.Scheme
	ledger  *ledger.Ledger
	settle  time.Duration // how long an order may take to follow its MAC2
	fresh   []unaccounted // not yet looked for
	open    []unaccounted // looked for, and in no order
}

func newAuditor(cfg *config.Config, l *ledger.Ledger, paths []string) *auditor {
	return &auditor{log: auditlog.Follow(paths...), schemes: settings(cfg).Schemes, ledger: l, settle: cfg.Reconcile.Settle}
}

// check reads on in the logs and reports what was made after since and is in
// no order by now. What was in none before is looked for again.
func (a *auditor) check(ctx context.Context, now, since time.Time) (*made, error) {
	m := &made{Unaccounted: []unaccounted{}}
	a.fresh, a.open = append(a.fresh, a.open...), nil
	a.fresh = slices.DeleteFunc(a.fresh, func(u unaccounted) bool { return u.At.Before(since) })
	err := a.log.Each(since, func(r *auditlog.Record) error {
		u, ours := a.account(r)
		if !ours {
			m.Foreign++
			return nil
		}
		m.Records++
		if a.fresh = append(a.fresh, u); len(a.fresh) < auditTogether {
			return nil
		}
		return a.look(ctx)
	})
	if err = errors.Join(err, a.look(ctx)); err != nil {
		return nil, err
	}
	for _, u := range a.open {
		if now.Sub(u.At) >= a.settle {
			m.Unaccounted = append(m.Unaccounted, u)
		}
	}
	return m, nil
}

// look finds out which of the fresh are in no order.
func (a *auditor) look(ctx context.Context) error {
	keys := make([]ledger.Issued, len(a.fresh))
	for i := range keys {
		keys[i] = a.fresh[i].key
	}
	missing, err := a.ledger.Unaccounted(ctx, keys)
	if err != nil {
		return err
	}
	for _, i := range missing {
		a.open = append(a.open, a.fresh[i])
	}
	a.fresh = nil
	if len(a.open) > mostUnaccounted {
		a.open = nil
		return errOtherLedger
	}
	return nil
}

// account gives the record in the words of the ledger, or false if it is of a
// card that no scheme here has.
func (a *auditor) account(r *auditlog.Record) (u unaccounted, ours bool) {
	outer, asn := r.Factors[:len(r.Factors)-1], r.Factors[len(r.Factors)-1]
	u = unaccounted{
		At: r.At, Operation: r.Kind.String(), ASN: fmt.Sprintf("%X", asn), Counter: fmt.Sprintf("%04X", uint16(r.Counter)),
		Random: fmt.Sprintf("%X", r.Random), Fen: recharge.Fen(r.Amount), Terminal: fmt.Sprintf("%X", r.Terminal),
		HostDate: fmt.Sprintf("%X", r.Date), HostTime: fmt.Sprintf("%X", r.Time),
		key: ledger.Issued{
			Counter: r.Counter, Random: r.Random, Amount: recharge.Fen(r.Amount), Terminal: r.Terminal, Date: r.Date, Time: r.Time,
		},
	}
	for i := range a.schemes {
		s := &a.schemes[i]
		if s.Set == r.Key.Set && slices.Equal(s.Factors, outer) && (r.Kind != mac.KindLoad || s.LoadType == r.Type) {
			u.key.Cards = append(u.key.Cards, recharge.CardKey{Scheme: s.ID, ASN: asn, Wallet: s.Wallet()})
		}
	}
	return u, len(u.key.Cards) > 0
}
