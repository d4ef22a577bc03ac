package sim

import (
	"sync"
	"time"
)

// A Clock is the time of the sandbox: that of the machine, moved or held.
type Clock struct {
	wall func() time.Time
	mu   sync.Mutex
	move time.Duration
	held time.Time // zero: running
}

// NewClock runs with wall until it is told otherwise.
func NewClock(wall func() time.Time) *Clock { return &Clock{wall: wall} }

// Now is the time of the sandbox.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held.IsZero() {
		return c.held
	}
	return c.wall().Add(c.move)
}

// Set moves the clock to t and lets it run on, or holds it there.
func (c *Clock) Set(t time.Time, hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move, c.held = t.Sub(c.wall()), time.Time{}
	if hold {
		c.held = t
	}
}

// Advance moves the clock by d, held or not.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held.IsZero() {
		c.held = c.held.Add(d)
		return
	}
	c.move += d
}

// Run lets the clock be the machine's again.
func (c *Clock) Run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move, c.held = 0, time.Time{}
}

// Held tells whether the clock stands still.
func (c *Clock) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.held.IsZero()
}
