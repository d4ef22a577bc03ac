package protocol

import "golang.org/x/sys/unix"

// What has waited for too long is refused without being asked of the HSM, which
// then has its time for what is newer: under more load than there is time for,
// some are answered soon and others refused, in place of all being answered late.

// note notes what has arrived on a connection.
func (l *loop) note(c *loopConn) {
	if c.closed || c.backlog.bytes > 0 {
		return
	}
	n, _ := unix.IoctlGetInt(c.fd, unix.SIOCINQ)
	c.backlog.note(l.epoch.Add(l.now), c.size+n)
}

// noteQueue notes what has arrived on the connections that have been ready for
// long.
func (l *loop) noteQueue() {
	for _, c := range l.ready {
		if l.now-c.since <= l.server.limits.Wait/noticed {
			return
		}
		l.note(c)
	}
}

// overdue is how many of the bytes that c gives next have waited for too long.
func (l *loop) overdue(c *loopConn) int {
	return c.backlog.late(l.epoch.Add(l.now), l.server.limits.Wait)
}

// shed refuses the turns that have waited for too long to be asked apart.
func (l *loop) shed() {
	a := &l.alone
	n := 0
	for ; n < len(a.waiting) && l.now-a.waiting[n].since >= l.server.limits.Wait; n++ {
		t := a.waiting[n]
		t.took = l.now - t.since
		t.batch.shed(0, t.batch.len())
		t.parts[0].answered = true
		l.finish(t)
	}
	if n > 0 {
		left := copy(a.waiting, a.waiting[n:])
		clear(a.waiting[left:])
		a.waiting = a.waiting[:left]
	}
}
