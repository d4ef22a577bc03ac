//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"
	"time"

	"pbochsm/mac"
)

// What the supervisor allows a token, whatever happens.
const (
	loginPause = time.Second            // between two logins
	firstPause = 100 * time.Millisecond // after the first failed recovery
	lastPause  = 2 * time.Second        // after many
)

var errHung = errors.New("pkcs11: a call into the token hangs")

// A departure is a worker that has gone, and why.
type departure struct {
	w *worker
	fault
}

// A supervision is what the supervisor knows.
type supervision struct {
	tenure   *tenure
	live     map[*worker]bool
	stuck    map[*worker]bool // hung in a call, and given up
	known    map[keyID]master // what was found in tenures past
	floor    TACWay           // never below what has worked before
	ticks    int
	idle     uint64 // derived when the watch last looked
	farewell error
}

// supervise watches the workers, and gets the token back after a fault.
func (b *Backend) supervise() {
	defer close(b.closed)
	every := max(b.cfg.Deadline/8, 5*time.Millisecond)
	tick := time.NewTicker(every)
	defer tick.Stop()
	open := true
	for open {
		select {
		case d := <-b.departures:
			if b.gone(d.w); d.err != nil && d.w.n == b.tenure {
				open = b.recover(d.fault)
			}
		case <-tick.C:
			if f := b.watch(int(b.cfg.Deadline / every)); f.class != classNone {
				open = b.recover(f)
			}
		case <-b.closing:
			open = false
		}
	}
	b.shutDown()
}

func (b *Backend) gone(w *worker) {
	delete(b.live, w)
	delete(b.stuck, w)
	b.report(func(s *Status) { s.Stuck = len(b.stuck) })
}

// install starts the workers of a tenure.
func (b *Backend) install(n *tenure) {
	b.tenure = n
	if n.able.tac != WayNone {
		b.floor = max(b.floor, n.able.tac)
	}
	for range b.cfg.Workers {
		b.hire()
	}
	b.report(func(s *Status) {
		s.Problem, s.Workers = "", b.cfg.Workers
		s.TAC, s.GreyLock, s.Scripts = n.able.tac, n.able.lock, n.able.script
	})
	b.problem.Store(nil)
}

func (b *Backend) hire() {
	w := &worker{b: b, n: b.tenure}
	b.live[w] = true
	go w.work()
}

// watch replaces workers that hang, has an idle token asked whether it lives,
// and tells when it is time to initialize the module afresh. Patience is in
// ticks.
func (b *Backend) watch(patience int) fault {
	b.ticks++
	for w := range b.live {
		beat := w.beat.Load()
		if beat != w.seen || beat%2 == 0 {
			w.seen, w.stale = beat, 0
			continue
		}
		if w.stale++; w.stale < patience {
			continue
		}
		w.abandoned.Store(true)
		delete(b.live, w)
		b.stuck[w] = true
		b.report(func(s *Status) { s.Stuck = len(b.stuck); s.Abandoned++ })
		b.cfg.Log.Error("a call into the token hangs; its worker is replaced", "stuck", len(b.stuck))
		if len(b.stuck) > b.cfg.Abandon {
			return fault{classDevice, errHung}
		}
		b.hire()
	}
	derived := b.derived.Load()
	if b.cfg.Reinitialize > 0 && derived >= uint64(b.cfg.Reinitialize) && len(b.stuck) == 0 && b.mayLogin() {
		return fault{class: classPlanned}
	}
	if b.ticks%patience == 0 {
		b.tenure.forget()
		if derived == b.idle {
			j := newJob()
			j.probe = true
			select {
			case b.queue <- j:
			default:
			}
		}
		b.idle = derived
	}
	return fault{}
}

// mayLogin tells whether a login is allowed now.
func (b *Backend) mayLogin() bool {
	select {
	case <-b.gate.C:
		b.gate.Reset(0)
		return true
	default:
		return false
	}
}

// recover brings the token back: the workers go, what the class of the fault
// asks for is done, the known answers pass, other workers come. While the first
// attempt lasts, requests wait; after that they fail at once. It tells whether
// the backend goes on.
func (b *Backend) recover(f fault) bool {
	b.count(f.class, f.err)
	b.dismiss()
	for attempt := 0; ; attempt++ {
		if !b.possible(&f) {
			return false
		}
		n, err := b.attempt(f.class)
		if err == nil {
			b.install(n)
			b.cfg.Log.Info("the token serves", "tac", n.able.tac.String(), "class", f.class.String())
			return true
		}
		f.err = err
		if f.class = max(f.class, classify(err)); attempt > 0 || f.class <= classSession {
			f.class = max(f.class, classDevice)
		}
		b.fall(err)
		if f.class != classPIN && !b.rest(min(firstPause<<min(attempt, 8), lastPause)) {
			return false
		}
	}
}

// possible waits until a recovery can be tried. A wrong PIN is never tried
// again, and a module is not finalized under a call that hangs in it.
func (b *Backend) possible(f *fault) bool {
	if f.class == classPIN {
		b.cfg.Log.Error("the token refuses the PIN; not trying again", "error", f.err)
		b.fall(fmt.Errorf("%w: %w", errPINStop, f.err))
		return b.rest(0)
	}
	for f.class >= classDevice && len(b.stuck) > 0 {
		b.fall(fmt.Errorf("%w: %d of them", errHung, len(b.stuck)))
		if !b.rest(lastPause) {
			return false
		}
	}
	return true
}

// dismiss ends the tenure and waits for its workers. Those that do not come
// within the deadline are stuck.
func (b *Backend) dismiss() {
	close(b.tenure.stop)
	deadline := time.NewTimer(b.cfg.Deadline)
	defer deadline.Stop()
	for len(b.live) > 0 {
		select {
		case d := <-b.departures:
			b.gone(d.w)
		case <-deadline.C:
			for w := range b.live {
				w.abandoned.Store(true)
				b.stuck[w] = true
			}
			clear(b.live)
		}
	}
	b.tenure.mu.Lock()
	defer b.tenure.mu.Unlock()
	for id, k := range b.tenure.masters {
		if k.err == nil {
			b.known[id] = k
		}
	}
}

// attempt tries to get the token back, apart, since it may hang in the attempt.
func (b *Backend) attempt(c class) (*tenure, error) {
	type result struct {
		n   *tenure
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := b.repair(c)
		done <- result{n, err}
	}()
	late := time.NewTimer(b.cfg.Deadline + loginPause)
	defer late.Stop()
	for {
		queue, again := b.refused()
		select {
		case r := <-done:
			return r.n, r.err
		case <-late.C:
			b.fall(errHung)
		case d := <-b.departures:
			b.gone(d.w)
		case j := <-queue:
			j.finish(*b.problem.Load())
		case j := <-again:
			j.finish(*b.problem.Load())
		}
	}
}

// refused gives the channels whose jobs are to be refused: while there is hope,
// none.
func (b *Backend) refused() (queue, again chan *job) {
	if b.problem.Load() == nil {
		return nil, nil
	}
	return b.queue, b.again
}

// rest waits; 0: until Close. Meanwhile requests fail. It tells whether the
// backend goes on.
func (b *Backend) rest(pause time.Duration) bool {
	var over <-chan time.Time
	if pause > 0 {
		t := time.NewTimer(pause)
		defer t.Stop()
		over = t.C
	}
	for {
		queue, again := b.refused()
		select {
		case <-over:
			return true
		case <-b.closing:
			return false
		case d := <-b.departures:
			b.gone(d.w)
		case j := <-queue:
			j.finish(*b.problem.Load())
		case j := <-again:
			j.finish(*b.problem.Load())
		}
	}
}

// repair does what a class of faults asks for, and proves the token.
func (b *Backend) repair(c class) (*tenure, error) {
	if c < classDevice {
		b.tenure.end()
	}
	b.tenure.ended = true
	if c >= classLogin {
		<-b.gate.C
		defer b.gate.Reset(loginPause)
		b.report(func(s *Status) { s.Logins++ })
	}
	var err error
	switch {
	case c >= classDevice:
		if err = b.token.reopen(); err == nil {
			b.derived.Store(0)
		}
	case c == classLogin:
		err = b.token.login()
	}
	if err != nil {
		return nil, err
	}
	n, err := begin(b.token, b.answers, b.floor, b.known, c >= classDevice)
	if err != nil {
		return nil, err
	}
	if err := n.able.lost(&b.tenure.able); err != nil {
		n.end()
		return nil, err
	}
	return n, nil
}

// fall makes requests fail at once.
func (b *Backend) fall(err error) {
	err = answer(err)
	if errors.Is(err, mac.ErrUnsupported) {
		err = fmt.Errorf("%w: %v", mac.ErrUnavailable, err) //nolint:errorlint // the token is gone, whatever it says for a reason
	}
	if b.problem.Swap(&err) == nil && !errors.Is(err, errClosed) {
		b.cfg.Log.Error("the token is down", "error", err)
	}
	b.report(func(s *Status) { s.Problem = err.Error() })
}

// shutDown ends the workers and the token.
func (b *Backend) shutDown() {
	b.fall(errClosed)
	select {
	case <-b.tenure.stop:
	default:
		b.dismiss()
	}
	queue, again := b.refused()
	for empty := false; !empty; {
		select {
		case j := <-queue:
			j.finish(errClosed)
		case j := <-again:
			j.finish(errClosed)
		default:
			empty = true
		}
	}
	if len(b.stuck) > 0 {
		b.farewell = fmt.Errorf("%w; the module is left as it is", errHung)
		return
	}
	b.farewell = b.token.Close()
}
