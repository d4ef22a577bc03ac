package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"pbochsm/mac"
)

// DefaultFailures is how many wrong MACs a card may have in a day. A card in
// good health has none.
const DefaultFailures = 10

// alarmEvery is after how many wrong MACs in a day, of all cards, there is
// another line in the log.
const alarmEvery = 1000

// Policy is what an HSM does besides recording.
type Policy struct {
	Failures int            // wrong MACs of a card in a day, then mac.ErrBudget; 0: any number
	Zone     *time.Location // of the day; nil: UTC
	Now      func() time.Time
}

// An HSM asks another one, and lets no answer go that is not on record: see
// the package. Operations that only verify pass through.
type HSM struct {
	next   mac.HSM
	log    *Log
	now    func() time.Time
	budget *budget
	alarm  *slog.Logger
	lines  sync.Pool
}

var _ mac.HSM = (*HSM)(nil)

// New opens the log of o and puts it before next. Failures that the log has of
// today count: a restart gives nobody new tries. The caller must Close the HSM.
func New(next mac.HSM, o Options, p Policy) (*HSM, error) {
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &HSM{next: next, now: p.Now, budget: newBudget(p.Failures, p.Zone), alarm: o.Logger}
	h.lines.New = func() any { return new([]byte) }
	now := p.Now()
	h.budget.roll(now)
	log, err := Open(o, h.budget.startOf(now), h.recall)
	if err != nil {
		return nil, err
	}
	h.log = log
	return h, nil
}

// recall counts a failure of today that is on record.
func (h *HSM) recall(record []byte) error {
	f, ok, err := parseFailure(record)
	if ok && h.budget.dayOf(f.at) == h.budget.day.Load() {
		h.budget.fail(f.card)
	}
	return err
}

// Do asks the next HSM, records, and only then returns.
func (h *HSM) Do(ctx context.Context, ops []mac.Op) error {
	if err := h.next.Do(ctx, ops); err != nil {
		return err
	}
	buffer, _ := h.lines.Get().(*[]byte)
	defer h.lines.Put(buffer)
	lines, records, now := (*buffer)[:0], 0, h.now()
	h.budget.roll(now)
	for i := range ops {
		if o := h.judge(&ops[i]); o != "" {
			lines = appendRecord(lines, now, o, &ops[i])
			records++
		}
	}
	*buffer = lines
	if records == 0 {
		return nil
	}
	if err := h.log.Append(lines, records); err != nil {
		withhold(ops)
	}
	return nil
}

// judge tells what is recorded of op, and takes an answer back that a card has
// forfeited. The work before it was the same.
func (h *HSM) judge(op *mac.Op) outcome {
	failed := errors.Is(op.Err, mac.ErrVerify)
	if !recorded(op.Kind) || op.Err != nil && !failed {
		return ""
	}
	c := cardOf(op)
	if _, claims := op.Kind.Claims(); claims && h.budget.spent(c) {
		op.Withdraw()
		op.Err = mac.ErrBudget
		return spent
	}
	if !failed {
		return made
	}
	if n := h.budget.fail(c); n%alarmEvery == 0 {
		h.alarm.Error("audit: many wrong MACs today", "failures", n)
	}
	return wrong
}

// withhold takes back every answer that should have been recorded, and the
// verdicts too: they are not on record either.
func withhold(ops []mac.Op) {
	for i := range ops {
		op := &ops[i]
		if recorded(op.Kind) && (op.Err == nil || errors.Is(op.Err, mac.ErrVerify) || errors.Is(op.Err, mac.ErrBudget)) {
			op.Withdraw()
			op.Err = ErrUnrecorded
		}
	}
}

// Head is where the log ends.
func (h *HSM) Head() Head { return h.log.Head() }

// Close lets go of the log.
func (h *HSM) Close() error { return h.log.Close() }
