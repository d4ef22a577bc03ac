package protocol

import (
	"errors"

	"golang.org/x/sys/unix"
)

// errKept is a peer that does not read, while others do not either.
var errKept = errors.New("write: too many replies are waiting to be taken")

// reply writes one run of replies. What the peer does not take at once is kept,
// to be taken by the write deadline.
func (l *loop) reply(c *loopConn, run []byte) {
	n, err := l.write(c, run)
	if err != nil {
		l.cut(c, err)
		return
	}
	// What has come of the next frame has waited for this turn, not the other
	// way round.
	c.began = c.heard
	if n == len(run) {
		l.replied(c)
		return
	}
	l.keep(c, append([]byte(nil), run[n:]...))
	c.writeBy = l.now + l.server.limits.Write
	if l.server.loops.kept.Load() > keptLimit {
		l.cut(c, errKept)
	}
}

// flush goes on writing what was kept.
func (l *loop) flush(c *loopConn) {
	n, err := l.write(c, c.out)
	switch {
	case err != nil:
		l.cut(c, err)
	case n == len(c.out):
		clear(c.out)
		l.keep(c, nil)
		l.replied(c)
	default:
		clear(c.out[:n])
		l.keep(c, c.out[n:])
	}
}

// replied notes that the peer's system has all replies.
func (l *loop) replied(c *loopConn) {
	c.began = c.heard
	if c.ending {
		l.part(c)
	}
}

// keep changes what is kept of the replies to a connection.
func (l *loop) keep(c *loopConn, out []byte) {
	if delta := len(out) - len(c.out); delta != 0 {
		l.server.loops.kept.Add(int64(delta))
	}
	c.out = out
}

// write gives a peer what it takes at once.
func (l *loop) write(c *loopConn, run []byte) (n int, err error) {
	for n < len(run) {
		wrote, err := l.writeNow(c.fd, run[n:])
		if wrote > 0 {
			n += wrote
			c.heard = l.now
			l.server.stats.bytesOut.Add(uint64(wrote))
			continue
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if again(err) {
			c.writable = false
			return n, nil
		}
		return n, errors.Join(errors.New("write"), err)
	}
	return n, nil
}
