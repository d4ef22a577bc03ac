package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
)

// What a group may hold, and what may wait for the next.
const (
	mostTogether = 1024
	mostWaiting  = 8192
	writeTime    = 20 * time.Second
)

// A work is a change that waits to be stored.
type work struct {
	change *recharge.Change
	event  int64 // its number
	posted int64 // the number of its first posting; the next have the next
	done   chan error
}

// A committer stores what waits, all of it together. There is one for a
// ledger: while it stores a group, the next one gathers.
type committer struct {
	engine engine
	queue  chan *work
	stop   chan struct{} // closed to end it
	ended  chan struct{} // closed when it has ended
	fatal  func(error)
}

func newCommitter(e engine, fatal func(error)) *committer {
	c := &committer{engine: e, queue: make(chan *work, mostWaiting), stop: make(chan struct{}), ended: make(chan struct{}), fatal: fatal}
	go c.run()
	return c
}

// do hands over w and waits for its verdict. Where ctx ends first nobody knows
// the outcome yet.
func (c *committer) do(ctx context.Context, w *work) error {
	w.done = make(chan error, 1)
	select {
	case <-c.stop:
		return errClosing
	default:
	}
	select {
	case c.queue <- w:
	default:
		return recharge.ErrBusy
	}
	select {
	case err := <-w.done:
		return err
	case <-c.ended:
		select {
		case err := <-w.done:
			return err
		default:
			return errClosing // it came too late to be looked at
		}
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", recharge.ErrUnknownOutcome, ctx.Err())
	}
}

func (c *committer) run() {
	defer close(c.ended)
	all := make([]*work, 0, mostTogether)
	for {
		select {
		case w := <-c.queue:
			all = append(all[:0], w)
		case <-c.stop:
			return
		}
		c.store(c.gather(all))
	}
}

// fruitless is how often in a row others are let run and bring nothing before a
// group is complete.
const fruitless = 3

// gather adds to all what waits. Callers that can run, because they were
// answered just now, come first: no clock is waited for, and they need not wait
// for the next group.
func (c *committer) gather(all []*work) []*work {
	for tries := 0; tries < fruitless && len(all) < mostTogether; tries++ {
		runtime.Gosched()
		for range min(len(c.queue), mostTogether-len(all)) {
			all, tries = append(all, <-c.queue), 0
		}
	}
	return all
}

// store writes all as one transaction. A group that was refused is halved: the
// half without the culprit is stored, and in the end the culprit stands alone.
func (c *committer) store(all []*work) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	g := newGroup()
	for _, w := range all {
		g.add(w)
	}
	err := c.engine.write(ctx, g.steps(), g.asks, all[0].event)
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
	for _, w := range all {
		w.done <- w.verdict(err)
	}
}

// verdict is what the caller of w is told. Where the change is stored but what
// it returns was lost on the way, the caller has to read it again.
func (w *work) verdict(err error) error {
	asked := len(w.change.Spend) > 0 || len(w.change.Orders) > 0 && w.change.Orders[0].Source == recharge.FromTransfer
	switch {
	case errors.Is(err, errStored) && asked:
		return recharge.ErrConflict
	case errors.Is(err, errStored):
		return nil
	}
	return err
}

// close answers what waits and stops.
func (c *committer) close() {
	close(c.stop)
	<-c.ended
}

var errClosing = fmt.Errorf("%w: closing", recharge.ErrStore)

// errStored is a transaction of which nothing was heard at first, and that was
// found stored afterwards. What it returns is not known.
var errStored = errors.New("ledger: stored, as was found afterwards")

// errLost is a disk that did not keep what it was told to, or a ledger that is
// not what it was: going on could only make it worse.
var errLost = errors.New("ledger: the store failed in a way that nothing can be built on")
