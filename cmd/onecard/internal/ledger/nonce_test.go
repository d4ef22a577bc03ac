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
