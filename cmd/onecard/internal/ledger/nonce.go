package ledger

import (
	"context"
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

// A sweeper tells when to sweep.
type sweeper struct {
	mu   sync.Mutex
	last time.Time
}

func (s *sweeper) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last).Abs() < nonceSweep {
		return false
	}
	s.last = now
	return true
}

// TakeNonce uses a nonce of owner up, for all processes on the database and
// across restarts, until the time given. It is ErrConflict if it was used
// before. Any other error leaves open whether it is used up now.
//
// It is stored with the changes that wait, and waited for to the end: who is
// told no knows that it was used before.
func (l *Ledger) TakeNonce(ctx context.Context, owner, nonce string, now, until time.Time) error {
	uses := new(int64)
	take := []ask{{takeNonce, []any{owner, nonce, until.UnixMilli()}, into(uses)}}
	if l.sweep.due(now) {
		take = append(take, ask{sweepNonces, []any{now.UnixMilli()}, nil})
	}
	if err := l.commit.do(context.WithoutCancel(ctx), &work{small: take}); err != nil {
		return outward(err)
	}
	if *uses > 1 {
		return recharge.ErrConflict
	}
	return nil
}
