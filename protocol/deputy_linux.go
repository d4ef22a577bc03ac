package protocol

import (
	"sync/atomic"
	"time"
)

// A backend may be slow: a token, a module behind a network. One batch in it
// must not stop the connections that want nothing of it. So
//
//   - a loop that has been in one answer for a whole tick of its deputy is run
//     on by the deputy, without the connections of that turn; when the answer
//     is there, the loop gets it back like any other news;
//   - the connections of a slow turn are asked apart from then on, each in a
//     goroutine of its own, until they have been quick a few times.
//
// What is quick costs nothing of this but a look at the clock. An HSM that waits
// for nothing (mac.Prompt) has none of it: its turn is as long as its arithmetic,
// and where it seems slow the processor was taken away, from whoever would go on
// too.
const (
	deputyTick = time.Millisecond

	// A turn of n operations that takes longer than slowTurn + n slowOp is slow.
	slowTurn = 500 * time.Microsecond
	slowOp   = 4 * time.Microsecond

	// apartFor is how many quick turns a connection that was slow all by itself
	// has to have before it is asked with others again; after a slow turn with
	// others it has to have one.
	apartFor = 64
	// mostAlone is how many turns of connections that are asked apart may run at
	// once. Of more, the newest goes first: the others are late already, and are
	// refused when they have waited for too long.
	mostAlone = 256
)

// A deputy looks after a loop that may be stuck. One bit of state says whether
// the loop is in an answer, the others count the answers: who changes it from
// "in the n-th" to anything else runs the loop from then on.
type deputy struct {
	state atomic.Uint64
	armed atomic.Bool
	seen  uint64 // the state at the last tick
	timer *time.Timer
}

const inAnswer = 1

// attempt has a turn answered. If that takes so long that the deputy has taken
// the loop over, it leaves the turn to be finished there, and gives false.
func (l *loop) attempt(t *turn) bool {
	if l.server.prompt {
		t.answer()
		l.tick()
		return true
	}
	d := &l.deputy
	state := d.state.Load() + inAnswer
	d.state.Store(state)
	if !d.armed.Swap(true) {
		d.timer.Reset(deputyTick)
	}
	t.answer()
	if d.state.CompareAndSwap(state, state+1) {
		l.tick()
		return true
	}
	l.deliver(t)
	return false
}

// deliver leaves an answered turn for the loop.
func (l *loop) deliver(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, t)
	l.ring()
}

// deputize runs at every tick of a busy loop. If the loop is still where it was
// at the last one, it goes on here.
func (l *loop) deputize() {
	d := &l.deputy
	state := d.state.Load()
	switch seen := d.seen; {
	case state != seen:
		d.seen = state
	case state&inAnswer == 0:
		d.armed.Store(false)
		if d.state.Load() == state || d.armed.Swap(true) {
			return
		}
	default:
		if d.state.CompareAndSwap(state, state+1) {
			l.away++
			d.timer.Reset(deputyTick)
			l.run()
			return
		}
	}
	d.timer.Reset(deputyTick)
}

// lone is what a loop knows of the turns of connections that are asked apart.
type lone struct {
	running int
	waiting []*turn // the newest last
}

// askApart has the turn of one slow connection answered in a goroutine of its
// own, as soon as there may be one more.
func (l *loop) askApart(t *turn) {
	t.since = l.now
	l.note(t.parts[0].conn)
	l.alone.waiting = append(l.alone.waiting, t)
	l.nextAlone()
}

func (l *loop) nextAlone() {
	a := &l.alone
	last := len(a.waiting) - 1
	if last < 0 || a.running >= mostAlone {
		return
	}
	t := a.waiting[last]
	a.waiting[last] = nil
	a.waiting = a.waiting[:last]
	a.running++
	go func() {
		t.answer()
		l.deliver(t)
	}()
}

// learn notes on the connections of a turn how long it took.
func (t *turn) learn() {
	if t.loop.server.prompt {
		return
	}
	slow := t.took > slowTurn+time.Duration(len(t.batch.ops))*slowOp
	for i := range t.parts {
		c := t.parts[i].conn
		switch {
		case slow && len(t.parts) == 1:
			c.apart = apartFor
		case slow:
			c.apart = max(c.apart, 1)
		case c.apart > 0:
			c.apart--
		}
	}
}
