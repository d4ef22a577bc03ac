package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
)

// nonceSweep is how often the nonces go whose time is over.
const nonceSweep = time.Minute

var (
	takeNonce = &statement{name: "nonce", one: "INSERT INTO nonce (owner, nonce, until, uses) VALUES ($1, $2, $3, 1) " +
		"ON CONFLICT (owner, nonce) DO UPDATE SET uses = nonce.uses + 1 RETURNING uses"}
	sweepNonces = &statement{name: "nonce", one: "DELETE FROM nonce WHERE until < $1"}
)

// A nonceTaker stores what waits, all of it together, by the hand of one of
// those who wait. It has transactions of its own: a nonce is used up whatever
// becomes of its request.
type nonceTaker struct {
	mu      sync.Mutex
	changed *sync.Cond
	next    *nonceGroup // collects what the next transaction will take
	busy    bool
	swept   time.Time
}

// A nonceGroup is what goes into one transaction.
type nonceGroup struct {
	asks []ask
	done bool
	err  error
}

func newNonceTaker() *nonceTaker {
	n := &nonceTaker{next: &nonceGroup{}}
	n.changed = sync.NewCond(&n.mu)
	return n
}

// TakeNonce uses a nonce of owner up, for all processes on the database and
// across restarts, until the time given. It is ErrConflict if it was used
// before. Any other error leaves open whether it is used up now.
func (l *Ledger) TakeNonce(_ context.Context, owner, nonce string, now, until time.Time) error {
	n := l.nonces
	n.mu.Lock()
	defer n.mu.Unlock()
	g, uses := n.next, new(int64)
	g.asks = append(g.asks, ask{takeNonce, []any{owner, nonce, until.UnixMilli()}, into(uses)})
	for !g.done {
		if n.busy {
			n.changed.Wait()
			continue
		}
		n.lead(l, now)
	}
	switch {
	case g.err != nil:
		return outward(g.err)
	case *uses > 1:
		return recharge.ErrConflict
	}
	return nil
}

// lead stores the next group, without the lock.
func (n *nonceTaker) lead(l *Ledger, now time.Time) {
	g := n.next
	n.next, n.busy = &nonceGroup{}, true
	if now.Sub(n.swept).Abs() >= nonceSweep {
		n.swept = now
		g.asks = append(g.asks, ask{sweepNonces, []any{now.UnixMilli()}, nil})
	}
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if g.err = l.engine.write(ctx, nil, g.asks, 0); errors.Is(g.err, errLost) {
		l.commit.fatal(g.err)
	}
	n.mu.Lock()
	g.done, n.busy = true, false
	n.changed.Broadcast()
}
