package protocol

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// collect reads from a connection and puts its complete requests into t.
func (l *loop) collect(t *turn, c *loopConn, share int) {
	in, err := l.read(t, c, share)
	if err != nil {
		l.leave(c, err)
		return
	}
	if len(in) == 0 {
		return
	}
	p := part{conn: c, from: t.batch.len()}
	rest, inStep := l.server.responder.collect(t.batch, in, l.overdue(c))
	p.to, p.inStep = t.batch.len(), inStep
	c.backlog.took(len(in) - len(rest))
	c.hold(rest)
	switch {
	case p.to > p.from:
		c.busy = true
		t.parts = append(t.parts, p)
	case !inStep:
		l.part(c)
	}
}

// read gives what a connection has sent and nobody has answered, reading more
// unless there is a frame already. It stays where it is until the turn ends.
func (l *loop) read(t *turn, c *loopConn, share int) ([]byte, error) {
	if c.whole {
		return t.borrow(c), nil
	}
	var to []byte
	var own bool
	switch {
	case c.size > copied:
		to, own = c.held.bytes, true
	case t.arena == nil:
		l.rehouse(c)
		to, own = c.held.bytes, true
	default:
		to = t.arena[t.used:min(len(t.arena), t.used+c.size+share)]
		if c.size > 0 {
			copy(to, c.held.bytes[:c.size])
		}
	}
	n, err := l.readNow(c.fd, to[c.size:])
	switch {
	case err != nil && again(err):
		c.readable = errors.Is(err, unix.EINTR)
		return nil, nil
	case err != nil:
		return nil, err
	case n == 0:
		return nil, io.EOF
	}
	before := c.size
	l.took(c, n, before+n == len(to))
	if own {
		c.size += n
		return t.borrow(c), nil
	}
	c.release()
	t.used += before + n
	return to[:before+n], nil
}

// rehouse gives a connection that is asked apart a buffer for much at a time.
func (l *loop) rehouse(c *loopConn) {
	b := l.server.buffers.get(largest)
	if c.held != nil {
		copy(b.bytes, c.held.bytes[:c.size])
		l.server.buffers.put(c.held)
	}
	c.held = b
}

// borrow moves the buffer of a connection into the turn.
func (t *turn) borrow(c *loopConn) []byte {
	in := c.held.bytes[:c.size]
	t.lent = append(t.lent, c.held)
	c.held, c.size, c.whole = nil, 0, false
	return in
}

// took notes that n bytes have come, and whether there may be more.
func (l *loop) took(c *loopConn, n int, brimful bool) {
	c.heard = l.now
	if c.size == 0 {
		c.began = c.heard
	}
	c.owed -= n
	c.readable = brimful || c.ended // which epoll does not tell again
	l.server.stats.bytesIn.Add(uint64(n))
}
