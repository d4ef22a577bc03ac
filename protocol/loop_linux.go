package protocol

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A loop serves many plain connections with one goroutine: it waits until any
// of them have something to say, reads what there is, has all of it answered
// as one batch (a turn), and writes the replies. It never waits for more, and
// never for one connection alone: none of its reads and writes block.
//
// What belongs to the loop belongs to the goroutine that runs it. That is not
// always the same one: where a turn takes too long, the loop goes on without
// it, see deputy_linux.go.
type loop struct {
	server *Server
	poll   int // an epoll descriptor
	bell   int // an eventfd; written to, it ends a wait
	epoch  time.Time

	rung   atomic.Bool
	killed atomic.Bool // all connections are to be closed as they are
	deputy deputy

	mu      sync.Mutex // guards what others leave here
	arrived []*loopConn
	done    []*turn // answered by another goroutine
	ended   bool    // nothing is taken any more

	now      time.Duration // since epoch, as of the last wait or answer
	draining bool
	conns    []*loopConn // by descriptor
	count    int         // of them
	ready    []*loopConn // those with something to do, the first one first
	crowded  bool        // there were several of them in the last turn
	agenda   agenda      // when to look after which
	events   [256]unix.EpollEvent
	spare    *turn
	out      []byte // the replies that are being written
	alone    lone
	away     int // turns that it went on without
}

// loops are the event loops of a Server. There is one only while there are
// connections for it.
type loops struct {
	mu   sync.Mutex
	all  []*loop
	next int
	kept atomic.Int64 // bytes of replies that peers have not taken
}

// admitToLoop has an event loop serve a connection, or turns it away. It tells
// whether it could do either.
func (s *Server) admitToLoop(tcp *net.TCPConn, address string) bool {
	c := &loopConn{server: s, fd: -1, place: -1}
	if !s.add(c) {
		s.turnAway(tcp, address, tooMany)
		return true
	}
	reason := tooManyOfYours
	if s.enter(address) {
		c.client = address
		err := s.place(c, tcp)
		if err == nil {
			_ = tcp.Close() // the loop has a descriptor of its own
			return true
		}
		reason = err.Error()
	}
	s.remove(c, &c.client)
	s.running.Done()
	s.turnAway(tcp, address, reason)
	return true
}

// place gives a connection to the next loop in turn.
func (s *Server) place(c *loopConn, tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	controlled := raw.Control(func(fd uintptr) {
		c.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(controlled, err); err != nil {
		return fmt.Errorf("protocol: descriptor: %w", err)
	}
	g := &s.loops
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		n := s.Loops
		if n == 0 {
			n = max(1, runtime.GOMAXPROCS(0)/2)
		}
		g.all = make([]*loop, n)
	}
	g.next = (g.next + 1) % len(g.all)
	if l := g.all[g.next]; l != nil && l.take(c) {
		return nil
	}
	l, err := newLoop(s)
	if err != nil {
		_ = unix.Close(c.fd)
		return err
	}
	g.all[g.next] = l
	l.take(c)
	go l.run()
	return nil
}

func newLoop(s *Server) (*loop, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("protocol: epoll: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(bell)})
	}
	if err != nil {
		_, _ = unix.Close(poll), unix.Close(bell)
		return nil, fmt.Errorf("protocol: eventfd: %w", err)
	}
	l := &loop{server: s, poll: poll, bell: bell, epoch: s.Now()}
	l.deputy.timer = time.AfterFunc(deputyTick, l.deputize)
	l.deputy.timer.Stop()
	return l, nil
}

// take leaves a new connection for the loop, unless that has ended.
func (l *loop) take(c *loopConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	c.loop.Store(l)
	l.arrived = append(l.arrived, c)
	l.ring()
	return true
}

// ring ends the loop's wait, or spares it the next one.
func (l *loop) ring() {
	if !l.rung.Swap(true) {
		_, _ = unix.Write(l.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// run serves until no connection is left, or until another goroutine has taken
// over.
func (l *loop) run() {
	for !l.end() {
		l.wait()
		l.receive()
		l.expire()
		l.shed()
		t := l.gather()
		if t == nil {
			continue
		}
		if !l.attempt(t) {
			return
		}
		l.finish(t)
	}
}

// wait notes which connections have become ready: not at all if some still
// are, and at most until the next deadline.
func (l *loop) wait() {
	n := l.ask(l.pause())
	l.tick()
	for i := range n {
		e := &l.events[i]
		if int(e.Fd) == l.bell {
			var b [8]byte
			_, _ = unix.Read(l.bell, b[:])
			l.rung.Store(false) // not before: a bell that is rung in between would be lost
			continue
		}
		c := l.conns[e.Fd]
		if c == nil {
			continue
		}
		c.writable = c.writable || e.Events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0
		c.ended = c.ended || e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
		c.readable = c.readable || c.ended || e.Events&unix.EPOLLIN != 0
		if c.busy {
			l.note(c) // its turn takes longer than one of the loop
		}
		l.queue(c)
	}
}

// ask waits that many milliseconds at most for connections to become ready, and
// gives how many have. A loop of many connections asks at once and, if none is,
// again after others had the processor, before it sleeps: those that it has just
// answered may run there, and to be woken up costs it and them more than that.
func (l *loop) ask(pause int) int {
	if l.crowded && pause != 0 {
		for range 2 {
			if n := l.pollNow(); n > 0 {
				return n
			}
			yieldNow()
		}
	}
	n, err := unix.EpollWait(l.poll, l.events[:], pause)
	if err != nil {
		return 0 // EINTR: there is no other that could be
	}
	return n
}

func (l *loop) tick() { l.now = l.server.Now().Sub(l.epoch) }

// pause is how long the next wait may be, in milliseconds; -1 is for ever.
func (l *loop) pause() int {
	if len(l.ready) > 0 {
		return 0
	}
	next := never
	if len(l.agenda) > 0 {
		next = l.agenda[0].at
	}
	if w := l.alone.waiting; len(w) > 0 {
		next = min(next, w[0].since+l.server.limits.Wait)
	}
	if next == never {
		return -1
	}
	return int(max(0, next-l.now+time.Millisecond-1) / time.Millisecond)
}

// receive takes what others have left: new connections, and turns that were
// answered elsewhere.
func (l *loop) receive() {
	l.mu.Lock()
	arrived, done := l.arrived, l.done
	l.arrived, l.done = nil, nil
	l.mu.Unlock()
	for _, c := range arrived {
		l.open(c)
	}
	for _, t := range done {
		l.finish(t)
		if t.lone {
			l.alone.running--
			l.nextAlone()
		} else {
			l.away--
		}
	}
	if !l.draining && l.server.draining.Load() {
		l.draining = true
		l.each((*loop).drain)
	}
	if l.killed.Load() {
		l.each((*loop).close)
	}
}

// each looks after every connection.
func (l *loop) each(do func(*loop, *loopConn)) {
	for _, c := range l.conns {
		if c != nil {
			do(l, c)
		}
	}
}

// end closes the loop if there is nothing left for it.
func (l *loop) end() bool {
	if l.count > 0 || l.alone.running > 0 || l.away > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.arrived) > 0 || len(l.done) > 0 {
		return false
	}
	l.ended = true
	if l.spare != nil {
		l.spare.release()
	}
	l.deputy.timer.Stop()
	_, _ = unix.Close(l.poll), unix.Close(l.bell)
	return true
}
