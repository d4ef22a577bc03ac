package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

// A nonce is used once, whoever of several processes gets it, also by those who
// start later, until its time is over.
func TestNonces(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		now := time.Unix(1_800_000_000, 0)
		ledgers := []*ledger.Ledger{open(t, dsn), open(t, dsn), open(t, dsn)}
		take := func(l *ledger.Ledger, owner, nonce string, at time.Time) error {
			return l.TakeNonce(context.Background(), owner, nonce, at, now.Add(time.Minute))
		}
		const nonces, askers = 20, 6
		var taken [nonces]atomic.Int64
		together(nonces*askers, func(i int) {
			err := take(ledgers[i%len(ledgers)], "APPM", fmt.Sprintf("nonce-%d", i/askers), now)
			switch {
			case err == nil:
				taken[i/askers].Add(1)
			case !errors.Is(err, recharge.ErrConflict):
				t.Error(err)
			}
		})
		for i := range taken {
			if n := taken[i].Load(); n != 1 {
				t.Errorf("nonce %d was taken %d times", i, n)
			}
		}
		if err := take(ledgers[0], "WEBM", "nonce-0", now); err != nil {
			t.Errorf("the same one of another owner: %v", err)
		}
		later := open(t, dsn)
		if err := take(later, "APPM", "nonce-0", now.Add(59*time.Second)); !errors.Is(err, recharge.ErrConflict) {
			t.Errorf("in a process that started later: %v", err)
		}
		// The sweep goes with the first nonce that comes when it is time.
		if err := take(later, "APPM", "another", now.Add(2*time.Minute)); err != nil {
			t.Error(err)
		}
		if err := take(later, "APPM", "nonce-0", now.Add(2*time.Minute)); err != nil {
			t.Errorf("after its time: %v", err)
		}
		sound(t, later)
	})
}

// A nonce that is stored together with changes that do not fit is used up like
// any other.
func TestNoncesAmongRefusedChanges(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		const each = 40
		l := open(t, dsn)
		account, now := merchant(t, l, "M1", 1000), time.Unix(1_800_000_000, 0)
		changes := make([]*recharge.Change, each)
		for i := range changes {
			changes[i] = sale(t, l, account, 7) // of one card, at one counter
		}
		take := func(i int) error {
			return l.TakeNonce(context.Background(), "APPM", fmt.Sprintf("nonce-%d", i), now, now.Add(time.Minute))
		}
		var stored atomic.Int64
		together(2*each, func(i int) {
			if i >= each {
				if err := take(i); err != nil {
					t.Error(err)
				}
				return
			}
			switch err := l.Commit(context.Background(), changes[i]); {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, recharge.ErrConflict):
				t.Error(err)
			}
		})
		if n := stored.Load(); n != 1 {
			t.Errorf("%d changes of one counter are stored", n)
		}
		for i := each; i < 2*each; i++ {
			if err := take(i); !errors.Is(err, recharge.ErrConflict) {
				t.Errorf("nonce %d once more: %v", i, err)
			}
		}
		sound(t, l)
	})
}
