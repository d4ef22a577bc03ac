package protocol

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	// keepBuffer is how long a connection keeps a larger buffer for the next
	// request before it waits with the small one.
	keepBuffer = time.Second
	// readPause is ample for reading what has arrived.
	readPause = 10 * time.Millisecond
	// drainTime is how long a draining server reads beyond what had arrived, from
	// a client that never pauses.
	drainTime = 200 * time.Millisecond
	// partingPause and partingTime bound how long a connection that the server
	// ends is still emptied: until the peer has everything and is silent. Closed
	// before, TCP would take the last replies back.
	partingPause = 200 * time.Millisecond
	partingTime  = 2 * time.Second
)

// A conn is one connection: a loop that waits for bytes, has everything that
// has come answered as a batch, and writes. What the bytes mean is the batch's.
type conn struct {
	server *Server
	nc     net.Conn
	client string

	in         *buffer // in.bytes[from:to] is unread
	from, to   int
	brimful    bool      // the last read filled the buffer: there may be more
	heard      time.Time // when bytes last came or replies last went
	began      time.Time // when the first byte of the pending frame came
	drainUntil time.Time // set once the connection knows of the drain
	owed       int       // bytes that had arrived when it did, and are unread
	deaf       bool      // a write has failed: there is nobody to say goodbye to

	backlog backlog
	slow    bool // the last turn took so long that the next notes its backlog

	small  buffer // where an idle connection waits
	inline [256]byte
}

// serve runs the connection to its end.
func (c *conn) serve() {
	defer c.nc.Close() //nolint:errcheck // nothing is left to be lost
	c.heard = c.server.Now()
	for {
		if err := c.wait(); err != nil {
			c.leave(err)
			break
		}
		if !c.answer() {
			c.part()
			break
		}
	}
	c.resize(smallest)
}

// leave notes why there is nothing more to read. A drain says goodbye, all
// others are the peer's doing.
func (c *conn) leave(err error) {
	if !c.drainUntil.IsZero() {
		c.part()
		return
	}
	if c.pending() > 0 || !errors.Is(err, io.EOF) {
		c.server.stats.cut.Add(1)
		c.server.events.closed(c.client, err.Error())
	}
}

// part ends the stream after the last reply, and reads on, and forgets, until
// the peer has ended its own, or has everything and says no more.
func (c *conn) part() {
	if c.deaf {
		return
	}
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	for now, end := c.server.Now(), c.server.Now().Add(partingTime); now.Before(end); now = c.server.Now() {
		_ = c.nc.SetReadDeadline(now.Add(partingPause))
		_, err := c.nc.Read(c.in.bytes)
		if errors.Is(err, os.ErrDeadlineExceeded) && unsent(c.nc) {
			continue
		}
		if err != nil {
			return
		}
	}
}

func (c *conn) pending() int { return c.to - c.from }

// errSlow is a deadline that has passed.
var errSlow = errors.New("protocol: deadline passed")

// wait reads at least one byte, by the deadline of the moment.
func (c *conn) wait() error {
	c.makeRoom()
	for {
		_ = c.nc.SetReadDeadline(c.deadline())
		// Whoever sets draining wakes the connection after it: either this sees
		// it or the read below ends at once.
		if c.server.draining.Load() && c.drainUntil.IsZero() {
			c.drainUntil = c.server.Now().Add(drainTime)
			c.owed = unread(c.nc)
			continue
		}
		n, err := c.nc.Read(c.in.bytes[c.to:])
		if n > 0 {
			c.took(n)
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if !c.patient() {
			return errSlow
		}
	}
}

// took notes that n bytes have come.
func (c *conn) took(n int) {
	c.heard = c.server.Now()
	if c.pending() == 0 {
		c.began = c.heard
	}
	c.to += n
	c.owed -= n
	c.brimful = c.to == len(c.in.bytes)
	c.server.stats.bytesIn.Add(uint64(n))
}

// deadline is until when the next byte must have come.
func (c *conn) deadline() time.Time {
	switch {
	case !c.drainUntil.IsZero():
		pause := c.server.Now().Add(readPause)
		if c.owed > 0 || pause.Before(c.drainUntil) && c.pending() == 0 {
			return pause
		}
		return c.drainUntil
	case c.pending() > 0:
		return c.began.Add(c.server.limits.Frame)
	case c.in.size > smallest:
		return c.heard.Add(min(keepBuffer, c.server.limits.Idle))
	}
	return c.heard.Add(c.server.limits.Idle)
}

// patient tells, after a deadline, whether there is another one to wait for.
func (c *conn) patient() bool {
	switch {
	case !c.drainUntil.IsZero():
		return false
	case c.server.draining.Load():
		return true
	case c.pending() == 0:
		shrunk := c.in.size > smallest
		c.resize(smallest)
		return shrunk
	}
	// On a busy machine it may be this side that is late, with the rest of the
	// frame waiting to be read.
	if unread(c.nc) == 0 {
		return false
	}
	c.began = c.server.Now().Add(readPause - c.server.limits.Frame)
	return true
}

// makeRoom sees to it that the pending frame fits, and that a connection that
// sends much at a time can.
func (c *conn) makeRoom() {
	size := c.in.size
	if need := c.server.format.need(c.in.bytes[c.from:c.to]); need > len(c.in.bytes) {
		size = sizeFor(need)
	} else if c.brimful && size < largest && c.server.buffers.generous(size+1) {
		size++
	}
	c.brimful = false
	c.resize(size)
}

// resize moves what is unread to the front of a buffer of the size.
func (c *conn) resize(size int) {
	old := c.in
	if size != old.size {
		c.in = &c.small
		if size != smallest {
			c.in = c.server.buffers.get(size)
		}
	}
	if c.in != old || c.from > 0 {
		c.to = copy(c.in.bytes, old.bytes[c.from:c.to])
		c.from = 0
	}
	if c.in != old && old != &c.small {
		c.server.buffers.put(old)
	}
}

// wake ends a wait for the next byte.
func (c *conn) wake() { _ = c.nc.SetReadDeadline(time.Unix(1, 0)) }

func (c *conn) kill() { _ = c.nc.Close() }
