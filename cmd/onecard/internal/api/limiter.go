package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostSources is how many addresses a limiter tells apart. Beyond it, it
// begins anew: forgetting is cheaper than growing, and costs an attacker that
// many addresses.
const mostSources = 50_000

// A limiter bounds a rate for each of many callers.
type limiter struct {
	rate Rate

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(r Rate) *limiter { return &limiter{rate: r, buckets: map[string]*rate.Limiter{}} }

// allow takes one from the caller's bucket, if there is one.
func (l *limiter) allow(now time.Time, caller string) bool {
	return l.rate == (Rate{}) || l.bucket(caller).AllowN(now, 1)
}

// empty tells whether there is none, and takes none.
func (l *limiter) empty(now time.Time, caller string) bool {
	return l.rate != (Rate{}) && l.bucket(caller).TokensAt(now) < 1
}

func (l *limiter) bucket(caller string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[caller]
	if !ok {
		if len(l.buckets) >= mostSources {
			clear(l.buckets)
		}
		b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), max(l.rate.Burst, 1))
		l.buckets[caller] = b
	}
	return b
}
