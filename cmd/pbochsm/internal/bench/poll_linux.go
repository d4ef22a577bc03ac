package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A poller drives plain connections from one thread, with an epoll descriptor of
// its own: on a machine whose cores it shares with the server that it measures,
// what it does not take the server has.
type poller struct {
	load  *Load
	poll  int
	conns []polled
	input []byte
}

// A polled is a connection and how far its script is.
type polled struct {
	fd      int
	next    int     // script
	script  *Script // nil: none is under way
	unsent  []byte
	got     int // bytes of the replies
	started time.Time
}

// newPoller takes over plain connections, which are closed for everybody else; of
// others it gives nil.
func newPoller(l *Load, conns []net.Conn) (*poller, error) {
	p := &poller{load: l, poll: -1, input: make([]byte, 64<<10)}
	for _, c := range conns {
		if _, plain := c.(*net.TCPConn); !plain {
			return nil, nil //nolint:nilnil // no poller, and nothing wrong
		}
	}
	for i, c := range conns {
		fd, err := descriptor(c.(*net.TCPConn)) //nolint:errcheck // all of them are, see above
		if err != nil {
			p.close()
			return nil, err
		}
		_ = c.Close() // one descriptor of each is enough
		p.conns = append(p.conns, polled{fd: fd, next: i})
	}
	var err error
	if p.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		p.close()
		return nil, err
	}
	for i := range p.conns {
		e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET, Fd: int32(i)}
		if err := unix.EpollCtl(p.poll, unix.EPOLL_CTL_ADD, p.conns[i].fd, &e); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// descriptor gives a descriptor of a connection of which the runtime knows
// nothing.
func descriptor(tcp *net.TCPConn) (fd int, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, err
	}
	controlled := raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(controlled, err)
}

func (p *poller) close() {
	for _, c := range p.conns {
		_ = unix.Close(c.fd)
	}
	if p.poll >= 0 {
		_ = unix.Close(p.poll)
	}
}

// run drives all connections until the time is up and every script that was
// begun is answered.
func (p *poller) run(ctx context.Context, long time.Duration) (*Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := &Result{Latency: newHistogram()}
	start := time.Now()
	end := start.Add(long)
	for i := range p.conns {
		if err := p.begin(&p.conns[i], time.Now()); err != nil {
			return nil, err
		}
	}
	var events [64]unix.EpollEvent
	for busy := len(p.conns); busy > 0; {
		n, err := unix.EpollWait(p.poll, events[:], int(answerTime/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return nil, fmt.Errorf("bench: no reply in %v", answerTime)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		for i := range n {
			c := &p.conns[events[i].Fd]
			now, err := p.advance(c, r)
			if err == nil && c.script == nil && !now.IsZero() {
				if now.Before(end) {
					err = p.begin(c, now)
				} else {
					busy--
				}
			}
			if err != nil {
				return nil, err
			}
		}
	}
	r.Elapsed = time.Since(start)
	return r, nil
}

// begin sends the next script of a connection.
func (p *poller) begin(c *polled, now time.Time) error {
	c.script = &p.load.Scripts[c.next%len(p.load.Scripts)]
	c.next++
	c.unsent, c.got, c.started = c.script.Requests, 0, now
	return c.send()
}

func (c *polled) send() error {
	for len(c.unsent) > 0 {
		n, err := writeNow(c.fd, c.unsent)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return err
		}
		c.unsent = c.unsent[max(n, 0):]
	}
	return nil
}

// advance sends and reads what can be. With the last reply it notes the latency,
// and gives the time.
func (p *poller) advance(c *polled, r *Result) (now time.Time, err error) {
	if err := c.send(); err != nil || c.script == nil {
		return now, err
	}
	for left := c.script.Replies[c.got:]; ; left = c.script.Replies[c.got:] {
		n, err := readNow(c.fd, p.input)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return now, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return now, err
		case n == 0:
			return now, io.ErrUnexpectedEOF
		case n > len(left) || !bytes.Equal(p.input[:n], left[:n]):
			return now, fmt.Errorf("%w: %.40q, want %.40q", errWrong, p.input[:n], left)
		}
		if c.got += n; n == len(left) {
			break
		}
	}
	now = time.Now()
	_ = r.Latency.RecordValue(int64(now.Sub(c.started)))
	r.Requests += uint64(p.load.Depth)
	c.script = nil
	return now, nil
}
