package protocol

import "time"

// A backlog is what waits in front of a connection: so many of the bytes that
// come next had arrived by then. What has arrived is asked only where turns are
// slow, because the question is a system call; so a request may have waited for
// longer than is known, and never for less.
type backlog struct {
	since time.Time
	bytes int
}

// noticed is the part of the patience with a request after which its waiting is
// noted. What a connection has in its socket takes about as many turns.
const noticed = 8

// note notes that so many bytes have arrived, unless those of an earlier note
// are still to be taken.
func (b *backlog) note(now time.Time, arrived int) {
	if b.bytes == 0 {
		b.since, b.bytes = now, arrived
	}
}

// late is how many of the next bytes have waited for longer than that.
func (b *backlog) late(now time.Time, patience time.Duration) int {
	if b.bytes == 0 || now.Sub(b.since) <= patience {
		return 0
	}
	return b.bytes
}

// took notes that the next n bytes have had their turn.
func (b *backlog) took(n int) { b.bytes = max(0, b.bytes-n) }
