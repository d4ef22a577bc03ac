package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"pbochsm/cmd/onecard/internal/batch"
	"pbochsm/cmd/onecard/internal/recharge"
)

// What one group may hold, what may wait for the next, and how long a
// transaction may take.
const (
	mostTogether = 1024
	mostWaiting  = 8192
	writeTime    = 20 * time.Second
)

// A work is what waits to be stored: a change, or something small that rides with
// the changes.
type work struct {
	change *recharge.Change
	event  int64 // its number; 0: there is none
	posted int64 // the number of its first posting; the next have the next

	small []ask // without a change: a nonce that is used up, the secret that is kept
}

// A committer stores what waits, all of it together: while it stores a group,
// the next one gathers.
type committer struct {
	engine engine
	fatal  func(error)
	queue  *batch.Queue[*work]
	failed atomic.Bool // whether the last group was not stored, for no fault of its own
}

func newCommitter(e engine, fatal func(error)) *committer {
	c := &committer{engine: e, fatal: fatal}
	c.queue = batch.New(batch.Limits{Workers: 1, Most: mostTogether, Waiting: mostWaiting}, c.store)
	return c
}

// do hands over w and waits for its verdict. Where ctx ends first nobody knows
// the outcome yet.
func (c *committer) do(ctx context.Context, w *work) error {
	return waited(c.queue.Do(ctx, w), recharge.ErrUnknownOutcome)
}

// waited says what it means for a ledger that nothing waits any more; left is
// what a caller leaves behind.
func waited(err, left error) error {
	switch {
	case errors.Is(err, batch.ErrFull):
		return fmt.Errorf("%w: %w", recharge.ErrBusy, err)
	case errors.Is(err, batch.ErrClosed):
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	case errors.Is(err, batch.ErrLeft):
		return fmt.Errorf("%w: %w", left, err)
	}
	return err
}

// store writes all as one transaction. A group that was refused is halved: the
// half without the culprit is stored, and in the end the culprit stands alone.
func (c *committer) store(all []*batch.Item[*work]) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	g, proof := newGroup(), int64(0)
	for _, i := range all {
		g.add(i.Value)
		proof = max(proof, i.Value.event)
	}
	err := c.engine.write(ctx, g.steps(), g.locks(), proof)
	c.failed.Store(errors.Is(err, recharge.ErrStore))
	switch {
	case errors.Is(err, errRefused) && len(all) > 1:
		half := len(all) / 2
		c.store(all[:half])
		c.store(all[half:])
		return
	case errors.Is(err, errRefused):
		err = fmt.Errorf("%w: %w", recharge.ErrConflict, err)
	case errors.Is(err, errLost):
		c.fatal(err)
	}
	for _, i := range all {
		i.Answer(i.Value.verdict(err))
	}
}

// verdict is what the caller of w is told. Where the change is stored but what
// it returns was lost on the way, the caller has to read it again; what
// rode with it cannot be.
func (w *work) verdict(err error) error {
	c := w.change
	switch {
	case c == nil && (errors.Is(err, errStored) || errors.Is(err, recharge.ErrUnknownOutcome)):
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	case !errors.Is(err, errStored):
		return err
	case len(c.Spend) > 0 || len(c.Orders) > 0 && c.Orders[0].Source == recharge.FromTransfer:
		return recharge.ErrConflict
	}
	return nil
}

// errStored is a transaction of which nothing was heard at first, and that was
// found stored afterwards. What it returns is not known.
var errStored = errors.New("ledger: stored, as was found afterwards")

// errLost is a disk that did not keep what it was told to, or a ledger that is
// not what it was: going on could only make it worse.
var errLost = errors.New("ledger: the store failed in a way that nothing can be built on")
