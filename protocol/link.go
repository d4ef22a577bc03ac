package protocol

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"pbochsm/mac"
)

// windowBytes is how much a Client writes before it reads the replies to what
// it wrote before. At most two windows are on their way; the replies to them
// are far smaller than the buffers of any socket, so that the two ends never
// both wait for the other to read.
const windowBytes = 32 << 10

// A link is one connection of a Client, used by one call at a time.
type link struct {
	nc      net.Conn
	addr    string
	format  Format
	timeout time.Duration
	watch   *time.Timer // stops whatever is under way

	in    *bufio.Reader
	frame []byte // the last reply
	out   []byte // the window being written
}

func newLink(nc net.Conn, c *Client) *link {
	l := &link{nc: nc, addr: c.Addr, format: c.format, timeout: c.timeout, in: bufio.NewReader(nc)}
	l.watch = time.AfterFunc(l.timeout, l.expire)
	l.watch.Stop()
	return l
}

// expire makes reads and writes fail at once.
func (l *link) expire() { _ = l.nc.SetDeadline(time.Unix(1, 0)) }

// attend has the link expire when ctx ends, or when nothing happens for the
// timeout. stop ends that, and tells whether it was in time.
func (l *link) attend(ctx context.Context) (stop func() bool) {
	stopContext := context.AfterFunc(ctx, l.expire)
	l.watch.Reset(l.timeout)
	return func() bool {
		inTime := stopContext()
		return l.watch.Stop() && inTime
	}
}

// exchange asks the ops that are marked unanswered, the i-th with the header
// first+i, and fills in their answers.
func (l *link) exchange(ops []mac.Op, first uint64) (answered int, err error) {
	sent, err := l.send(ops, 0, first)
	for got := 0; got < len(ops) && err == nil; {
		before := sent
		if sent < len(ops) {
			if sent, err = l.send(ops, sent, first); err != nil {
				return answered, err
			}
		}
		for ; got < before; got++ {
			if !errors.Is(ops[got].Err, errUnanswered) {
				continue
			}
			if err = l.receive(&ops[got], first+uint64(got)); err != nil {
				return answered, err
			}
			answered++
		}
		l.watch.Reset(l.timeout)
	}
	return answered, err
}

// send writes one window of ops from the one at from on, and gives the one
// that it stopped before.
func (l *link) send(ops []mac.Op, from int, first uint64) (to int, err error) {
	l.out = l.out[:0]
	for to = from; to < len(ops) && len(l.out) < windowBytes; to++ {
		op := &ops[to]
		if !errors.Is(op.Err, errUnanswered) {
			continue
		}
		c, _ := commandOf(op.Kind)
		start := len(l.out)
		l.out = l.format.appendSequence(append(l.out, 0, 0), first+uint64(to))
		l.out = append(l.out, c.code...)
		l.out = closeFrame(appendOp(l.out, op), start)
	}
	return to, l.write()
}

func (l *link) write() error {
	defer clear(l.out)
	if _, err := l.nc.Write(l.out); err != nil {
		return l.failed("write", err)
	}
	return nil
}

// receive reads the answer to op.
func (l *link) receive(op *mac.Op, sequence uint64) error {
	c, _ := commandOf(op.Kind)
	s, body, err := l.reply(c.code, sequence)
	if err != nil {
		return err
	}
	if s == 0 && !readAnswer(op, body) {
		return fmt.Errorf("%w: %d bytes after the status of %s", ErrReply, len(body), c.code)
	}
	op.Err = s.errorOf(op.Kind)
	return nil
}

// reply reads the next frame, which must answer the command with this code and
// sequence number. body is what follows the status, until the next reply.
func (l *link) reply(code string, sequence uint64) (s Status, body []byte, err error) {
	if err := l.next(); err != nil {
		return 0, nil, err
	}
	header, rest := l.frame[:l.format.Header], scanner(l.frame[l.format.Header:])
	if !l.format.isSequence(header, sequence) {
		return 0, nil, fmt.Errorf("%w: header", ErrReply)
	}
	got := [commandSize]byte(rest)
	rest = rest[commandSize:]
	digits, ok := rest.number(10, statusSize)
	s = Status(digits)
	switch {
	case !ok:
		return 0, nil, fmt.Errorf("%w: status", ErrReply)
	case got == noCommand && s != 0:
		return 0, nil, StatusError(s)
	case got != replyCode([]byte(code)):
		return 0, nil, fmt.Errorf("%w: code", ErrReply)
	case s != 0 && len(rest) > 0:
		return 0, nil, fmt.Errorf("%w: fields after status %s", ErrReply, s)
	}
	return s, rest, nil
}

// next reads a frame that is long enough for a reply.
func (l *link) next() error {
	var length [lengthSize]byte
	if _, err := io.ReadFull(l.in, length[:]); err != nil {
		return l.failed("read", err)
	}
	n := frameLength(length[:])
	if n < l.format.Header+commandSize+statusSize {
		return fmt.Errorf("%w: frame of %d bytes", ErrReply, n)
	}
	if cap(l.frame) < n {
		l.frame = make([]byte, n)
	}
	l.frame = l.frame[:n]
	if _, err := io.ReadFull(l.in, l.frame); err != nil {
		return l.failed("read", err)
	}
	return nil
}

func (l *link) failed(doing string, err error) error {
	return &TransportError{Doing: doing, Addr: l.addr, Err: err}
}

// appendSequence appends a header that holds the low bytes of n, or as many as
// the header has.
func (f Format) appendSequence(out []byte, n uint64) []byte {
	for i := f.Header - 1; i >= 0; i-- {
		out = append(out, sequenceByte(n, i))
	}
	return out
}

func (f Format) isSequence(header []byte, n uint64) bool {
	for i, b := range header {
		if b != sequenceByte(n, f.Header-1-i) {
			return false
		}
	}
	return true
}

// sequenceByte is the i-th byte of n from the right.
func sequenceByte(n uint64, i int) byte {
	if i >= 8 {
		return 0
	}
	return byte(n >> (8 * i))
}
