package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const canFlood = true

// ownBuffer is what the system may keep of the requests on the client's side:
// what waits there is the client's own delay.
const ownBuffer = 32 << 10

// A flooder sends a flood from one thread.
type flooder struct {
	*flood
	poll   int
	conns  []floodConn
	next   int // the connection of the next burst
	result flooded
	input  []byte
}

// A floodConn is a connection of a flood. Its requests are those of the script,
// from one end to the other and again.
type floodConn struct {
	fd             int
	writable       bool
	sent, answered int    // requests
	unsent         []byte // the rest of a request of which a part is sent
	input          []byte // the beginning of a reply
	stamps         []stamp
}

// A stamp is when some requests were sent.
type stamp struct {
	count int
	at    time.Time
}

// run offers the flood for that long, and waits for the answers that are owed.
func (f *flood) run(ctx context.Context, dial func(context.Context) (net.Conn, error), long time.Duration) (*flooded, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w := &flooder{flood: f, input: make([]byte, 64<<10)}
	defer w.close()
	if err := w.open(ctx, dial); err != nil {
		return nil, err
	}
	start := time.Now()
	for now := start; now.Sub(start) < long; now = time.Now() {
		due := uint64(now.Sub(start).Seconds() * f.rate)
		if due < w.result.offered+burst {
			nap := unix.NsecToTimespec(int64(20 * time.Microsecond))
			_ = unix.Nanosleep(&nap, nil)
		}
		for ; due >= w.result.offered+burst; w.result.offered += burst {
			if err := w.offer(now); err != nil {
				return nil, err
			}
		}
		if err := w.hear(0); err != nil {
			return nil, err
		}
	}
	w.result.elapsed = time.Since(start)
	for end := time.Now().Add(answerTime); w.owed() > 0; {
		if err := w.hear(100 * time.Millisecond); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("bench: %d answers are missing after %v", w.owed(), answerTime)
		}
	}
	return &w.result, nil
}

func (w *flooder) open(ctx context.Context, dial func(context.Context) (net.Conn, error)) (err error) {
	if w.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		w.poll = -1
		return err
	}
	for i := range floodConns {
		nc, err := dial(ctx)
		if err != nil {
			return err
		}
		tcp, ok := nc.(*net.TCPConn)
		if !ok {
			return errors.New("bench: a flood is for plain TCP")
		}
		_ = tcp.SetWriteBuffer(ownBuffer)
		fd, err := descriptor(tcp)
		_ = tcp.Close()
		if err != nil {
			return err
		}
		at := i * cards / floodConns
		w.conns = append(w.conns, floodConn{fd: fd, sent: at, answered: at})
		e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET, Fd: int32(i)}
		if err := unix.EpollCtl(w.poll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
			return err
		}
	}
	return w.hear(0)
}

func (w *flooder) close() {
	for i := range w.conns {
		_ = unix.Close(w.conns[i].fd)
	}
	if w.poll >= 0 {
		_ = unix.Close(w.poll)
	}
}

// owed is how many answers are to come.
func (w *flooder) owed() (n int) {
	for i := range w.conns {
		n += w.conns[i].sent - w.conns[i].answered
	}
	return n
}

// offer sends a burst to the next connection, as far as that takes it.
func (w *flooder) offer(now time.Time) error {
	c := &w.conns[w.next]
	w.next = (w.next + 1) % len(w.conns)
	if !c.writable || len(c.unsent) > 0 {
		w.result.untold += burst
		return nil
	}
	size := w.size[0]
	at := c.sent % cards * size
	run := w.script.Requests[at : at+burst*size]
	n, err := write(c.fd, run)
	if err != nil {
		return err
	}
	c.writable = n == len(run)
	count := (n + size - 1) / size
	c.unsent = run[n : count*size]
	if count > 0 {
		c.sent += count
		c.stamps = append(c.stamps, stamp{count, now})
	}
	w.result.untold += uint64(burst - count)
	return nil
}

// write gives a connection what it takes at once.
func write(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		wrote, err := writeNow(fd, b[n:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return n, nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return n, err
		}
		n += max(wrote, 0)
	}
	return n, nil
}

// hear does what the connections are ready for, and waits for that at most so
// long.
func (w *flooder) hear(wait time.Duration) error {
	var events [floodConns]unix.EpollEvent
	n, err := unix.EpollWait(w.poll, events[:], int(wait/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	for i := range max(n, 0) {
		c := &w.conns[events[i].Fd]
		if events[i].Events&unix.EPOLLOUT != 0 {
			sent, err := write(c.fd, c.unsent)
			if err != nil {
				return err
			}
			c.unsent = c.unsent[sent:]
			c.writable = len(c.unsent) == 0
		}
		if events[i].Events&^uint32(unix.EPOLLOUT) != 0 {
			if err := w.read(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// read judges all replies that have come.
func (w *flooder) read(c *floodConn) error {
	for {
		begun := copy(w.input, c.input)
		n, err := readNow(c.fd, w.input[begun:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		}
		rest, err := w.judge(c, w.input[:begun+n], time.Now())
		if err != nil {
			return err
		}
		c.input = append(c.input[:0], rest...)
	}
}

// judge takes the whole replies off in.
func (w *flooder) judge(c *floodConn, in []byte, now time.Time) (rest []byte, err error) {
	for len(in) >= 2 && len(in) >= 2+int(binary.BigEndian.Uint16(in)) {
		reply := in[:2+binary.BigEndian.Uint16(in)]
		in = in[len(reply):]
		if c.answered == c.sent {
			return nil, fmt.Errorf("%w: %.40q, and nothing was asked", errWrong, reply)
		}
		at := c.answered % cards
		want := w.script.Replies[at*w.size[1]:][:w.size[1]]
		first := &c.stamps[0]
		switch {
		case !bytes.Equal(reply, want):
			if !bytes.Equal(reply, appendFrame(nil, uint32(at), []byte("WB16"))) {
				return nil, fmt.Errorf("%w: %.40q, want %.40q", errWrong, reply, want)
			}
			w.result.busy++
		case now.Sub(first.at) <= w.deadline:
			w.result.good++
		default:
			w.result.late++
		}
		c.answered++
		if first.count--; first.count == 0 {
			c.stamps = c.stamps[1:]
		}
	}
	return in, nil
}
