package protocol

import "time"

const (
	// arenaSize is how much a turn reads at most, of all its connections
	// together, and mostRequests how many requests it has at most, more or less.
	arenaSize    = 1 << 20
	mostRequests = 1 << 10
	// leastRead is the least that a connection may read in a turn, whatever
	// others there are.
	leastRead = 16 << 10
	// copied is how much of a frame that is still incomplete is copied to where
	// the rest is read behind it; of a longer one, the rest is read where it is.
	copied = 4 << 10
	// keptLimit is how many bytes of replies wait at most for peers that do not
	// read. Beyond it such a peer is cut off at once.
	keptLimit = 64 << 20
)

// A turn is the requests of some connections on their way through the server,
// and the memory that they lie in.
type turn struct {
	loop  *loop
	arena []byte
	used  int
	lent  []*buffer // of connections, for requests that lie there
	batch *batch
	parts []part
	took  time.Duration
	lone  bool          // of one connection that is asked apart
	since time.Duration // when that was to be asked
}

// A part is what one connection has in a turn.
type part struct {
	conn     *loopConn
	from, to int  // in the batch
	inStep   bool // the stream may go on
	answered bool // nothing has panicked
}

func (l *loop) newTurn() *turn {
	s := l.server
	t := &turn{loop: l, batch: s.buffers.getBatch(s.format, s.limits.Batch)}
	t.arena = s.buffers.getArena()
	return t
}

func (t *turn) full() bool {
	return t.arena == nil || t.used+leastRead+copied > len(t.arena) || t.batch.len() >= mostRequests
}

// gather reads what has arrived on the connections that are ready, in their
// order and about as much of each, and gives the turn if there is anything to
// answer.
func (l *loop) gather() *turn {
	n := len(l.ready)
	if n == 0 {
		return nil
	}
	l.crowded = n > 1
	if l.spare == nil {
		l.spare = l.newTurn()
	}
	t := l.spare
	share := max(leastRead, min(len(t.arena)/n, largestInput))
	i := 0
	for ; i < n && !t.full(); i++ {
		c := l.ready[i]
		c.queued = false
		if c.closed {
			continue
		}
		l.visit(t, c, share)
		l.settle(c)
	}
	l.ready = append(l.ready[:0], l.ready[i:]...)
	l.noteQueue()
	if len(t.parts) == 0 {
		t.forget()
		return nil
	}
	l.spare = nil
	return t
}

// visit does for a connection what there is to do.
func (l *loop) visit(t *turn, c *loopConn, share int) {
	switch {
	case len(c.out) > 0:
		l.flush(c)
	case c.parting:
		l.discard(t, c)
	case c.drainUntil > 0 && c.drainUntil <= l.now && c.owed <= 0 && !c.whole:
		l.part(c)
	case c.apart > 0:
		t = &turn{loop: l, lone: true, batch: l.server.buffers.getBatch(l.server.format, l.server.limits.Batch)}
		l.collect(t, c, 0)
		if len(t.parts) > 0 {
			l.askApart(t)
		} else {
			l.server.buffers.putBatch(t.batch)
		}
	default:
		l.collect(t, c, share)
	}
}

// discard reads what still comes after the end of the stream.
func (l *loop) discard(t *turn, c *loopConn) {
	n, err := l.readNow(c.fd, t.arena[t.used:])
	switch {
	case n > 0:
		c.partBy = l.now + partingPause
	case n == 0 && err == nil, !again(err):
		l.close(c)
	default:
		c.readable = false
	}
}

// answer asks the HSM all of the turn at once. If that panics, one connection
// after the other, so that only those are refused whose requests do it.
func (t *turn) answer() {
	s := t.loop.server
	start := s.Now()
	s.stats.batches.Add(1)
	together := len(t.parts) == 1 || s.responder.askTogether(s.work, t.batch)
	for i := range t.parts {
		p := &t.parts[i]
		if together && len(t.parts) > 1 {
			t.batch.settle(p.from, p.to)
			p.answered = true
			continue
		}
		p.answered = s.responder.answer(s.work, t.batch, p.from, p.to)
	}
	t.took = s.Now().Sub(start)
}

// finish writes the replies of a turn.
func (l *loop) finish(t *turn) {
	t.learn()
	for i := range t.parts {
		p := &t.parts[i]
		c := p.conn
		run, ok := l.server.responder.replies(t.batch, l.out[:0], p.from, p.to)
		l.server.responder.account(t.batch, p.from, p.to, c.client)
		l.out = run
		c.busy = false
		if !c.closed {
			c.ending = !p.inStep || !p.answered || !ok
			l.reply(c, run)
			l.settle(c)
		}
		clear(run)
	}
	if cap(l.out) > 2*replyRoom {
		l.out = nil
	}
	l.reuse(t)
}

// reuse keeps the memory of a turn for the next one.
func (l *loop) reuse(t *turn) {
	t.forget()
	if !t.lone && l.spare == nil {
		l.spare = t
		return
	}
	t.release()
}

// release gives the memory of a turn back.
func (t *turn) release() {
	p := &t.loop.server.buffers
	p.putBatch(t.batch)
	if t.arena != nil {
		p.putArena(t.arena)
	}
}

// forget clears what clients have left in a turn.
func (t *turn) forget() {
	clear(t.arena[:t.used])
	for i, b := range t.lent {
		t.loop.server.buffers.put(b)
		t.lent[i] = nil
	}
	clear(t.parts)
	t.used, t.lent, t.parts = 0, t.lent[:0], t.parts[:0]
	t.batch.clear()
}

// getArena lends memory for what a turn reads.
func (p *buffers) getArena() []byte {
	if a, ok := p.arenas.Get().(*[arenaSize]byte); ok {
		return a[:]
	}
	return make([]byte, arenaSize)
}

func (p *buffers) putArena(a []byte) { p.arenas.Put((*[arenaSize]byte)(a)) }
