package protocol

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A loopConn is a connection of a loop. It has a buffer only while it holds
// the beginning of a frame, or replies that its peer has not taken.
type loopConn struct {
	server *Server
	loop   atomic.Pointer[loop]
	client string
	fd     int

	held *buffer // what has come and was not answered, size bytes; nil: nothing
	size int
	out  []byte // what the peer has not taken; the connection is not read meanwhile

	readable, writable bool // as far as is known
	ended              bool // there is nothing to come but the end of the stream
	whole              bool // held has a frame to be answered
	queued             bool // among the ready ones
	busy               bool // in a turn
	ending             bool // to be parted from once out is empty
	parting            bool // its stream has been ended
	closed             bool
	apart              int8 // turns that are to be its own, see deputy_linux.go
	place              int  // in the agenda, or -1

	backlog backlog

	at         time.Duration // when to look after it
	since      time.Duration // when it was queued
	heard      time.Duration // when bytes last came or replies last went
	began      time.Duration // when the first byte of the pending frame came
	writeBy    time.Duration // when out must have been taken
	drainUntil time.Duration // set once the loop drains
	partBy     time.Duration // the end of the present silence, while parting
	partUntil  time.Duration // the end of all patience, while parting
	owed       int           // bytes that had arrived when the drain began, and are unread
}

func (c *loopConn) wake() {
	if l := c.loop.Load(); l != nil {
		l.ring()
	}
}

func (c *loopConn) kill() {
	if l := c.loop.Load(); l != nil {
		l.killed.Store(true)
		l.ring()
	}
}

// open begins to serve a connection.
func (l *loop) open(c *loopConn) {
	c.heard = l.now
	err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(c.fd),
	})
	for c.fd >= len(l.conns) {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c
	l.count++
	if err != nil {
		l.leave(c, err)
		return
	}
	l.settle(c)
}

// queue notes that a connection may have something to do.
func (l *loop) queue(c *loopConn) {
	if !c.queued && !c.busy && !c.closed {
		c.queued, c.since = true, l.now
		l.ready = append(l.ready, c)
	}
}

// idle tells that there is nothing to do for a connection at the moment.
func (c *loopConn) idle() bool {
	if len(c.out) > 0 {
		return !c.writable
	}
	return !c.readable && !c.whole
}

// settle decides when a connection is looked after next.
func (l *loop) settle(c *loopConn) {
	if c.closed {
		return
	}
	if l.draining && c.drainUntil == 0 {
		l.drain(c)
	}
	if !c.idle() {
		l.queue(c)
	}
	l.schedule(c)
}

// drain gives a connection the time to finish what has arrived.
func (l *loop) drain(c *loopConn) {
	if c.busy || c.drainUntil > 0 {
		return
	}
	c.drainUntil = l.now + drainTime
	c.owed, _ = unix.IoctlGetInt(c.fd, unix.SIOCINQ)
	l.schedule(c)
}

// deadline is until when something must have happened.
func (l *loop) deadline(c *loopConn) time.Duration {
	limits := &l.server.limits
	switch {
	case c.busy:
		return never
	case c.parting:
		return min(c.partBy, c.partUntil)
	case len(c.out) > 0:
		return c.writeBy
	case c.drainUntil > 0:
		pause := max(c.heard, c.drainUntil-drainTime) + readPause
		if c.owed > 0 || pause < c.drainUntil && c.size == 0 {
			return pause
		}
		return c.drainUntil
	case c.size > 0:
		return c.began + limits.Frame
	}
	return c.heard + limits.Idle
}

// errWrite is a run of replies that was not taken in time.
var errWrite = errors.New("write: deadline passed")

// late decides about a connection whose deadline has passed.
func (l *loop) late(c *loopConn) {
	switch {
	case c.parting:
		if n, err := unix.IoctlGetInt(c.fd, unix.SIOCOUTQ); err == nil && n > 0 && l.now < c.partUntil {
			c.partBy = l.now + partingPause
			return
		}
		l.close(c)
	case len(c.out) > 0:
		l.cut(c, errWrite)
	case c.queued:
		// Its turn is about to come.
	case c.drainUntil > 0:
		l.part(c)
	case c.size > 0 && c.arrived():
		// It is this side that is late, with the rest of the frame to be read.
		c.began = l.now + readPause - l.server.limits.Frame
		c.readable = true
		l.queue(c)
	default:
		l.leave(c, errSlow)
	}
}

// arrived tells whether there are bytes to be read.
func (c *loopConn) arrived() bool {
	n, err := unix.IoctlGetInt(c.fd, unix.SIOCINQ)
	return err == nil && n > 0
}

// leave notes why there is nothing more to read. A drain says goodbye, all
// others are the peer's doing.
func (l *loop) leave(c *loopConn, err error) {
	if c.drainUntil == 0 && (c.size > 0 || !errors.Is(err, io.EOF)) {
		l.server.stats.cut.Add(1)
		l.server.events.closed(c.client, err.Error())
	}
	l.close(c)
}

// part ends the stream after the last reply. What comes afterwards is read and
// forgotten, until the peer has ended its own, or has everything and says no
// more: closed before, TCP would take the last replies back.
func (l *loop) part(c *loopConn) {
	if unix.Shutdown(c.fd, unix.SHUT_WR) != nil {
		l.close(c)
		return
	}
	c.release()
	c.parting, c.readable = true, true
	c.partBy, c.partUntil = l.now+partingPause, l.now+partingTime
	l.queue(c)
	l.schedule(c)
}

// cut ends a connection whose peer does not take its replies. The kernel need
// not keep what nobody fetches.
func (l *loop) cut(c *loopConn, err error) {
	l.server.stats.cut.Add(1)
	l.server.events.closed(c.client, err.Error())
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	l.close(c)
}

// close forgets a connection. A turn that it is in will find it closed.
func (l *loop) close(c *loopConn) {
	if c.closed {
		return
	}
	c.closed = true
	_ = unix.Close(c.fd)
	l.conns[c.fd] = nil
	l.count--
	if c.place >= 0 {
		l.agenda.remove(c.place)
	}
	c.release()
	l.keep(c, nil)
	l.server.remove(c, &c.client)
	l.server.running.Done()
}

// release gives the buffer of a connection back.
func (c *loopConn) release() {
	if c.held != nil {
		c.server.buffers.put(c.held)
		c.held = nil
	}
	c.size, c.whole = 0, false
}

// hold keeps what is left of the input of a connection for the next turn.
func (c *loopConn) hold(rest []byte) {
	c.release()
	if len(rest) == 0 {
		return
	}
	need := c.server.format.need(rest)
	c.whole = len(rest) >= need
	c.held = c.server.buffers.get(sizeFor(max(need, len(rest))))
	c.size = copy(c.held.bytes, rest)
}

// again tells an error of a system call that means: later.
func again(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
}
