package protocol

import (
	"container/heap"
	"math"
	"time"
)

// An agenda has the connections of a loop by the time at which to look after
// them. That is never later than their deadline, and often earlier: a deadline
// that moves away, as with every request, is looked at only when the old one
// has come.
type agenda []*loopConn

// never is later than any deadline.
const never = time.Duration(math.MaxInt64 / 2)

var _ heap.Interface = (*agenda)(nil)

// Len, Less, Swap, Push and Pop are for package heap.
func (a *agenda) Len() int { return len(*a) }

// Less orders by time.
func (a *agenda) Less(i, j int) bool { return (*a)[i].at < (*a)[j].at }

// Swap keeps the places.
func (a *agenda) Swap(i, j int) {
	(*a)[i], (*a)[j] = (*a)[j], (*a)[i]
	(*a)[i].place, (*a)[j].place = i, j
}

// Push appends a connection.
func (a *agenda) Push(x any) {
	c, _ := x.(*loopConn)
	c.place = len(*a)
	*a = append(*a, c)
}

// Pop takes the last one off.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	c := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	c.place = -1
	return c
}

// schedule sees to it that c is looked after by its deadline.
func (l *loop) schedule(c *loopConn) {
	switch at := l.deadline(c); {
	case c.place < 0:
		c.at = at
		heap.Push(&l.agenda, c)
	case at < c.at:
		c.at = at
		heap.Fix(&l.agenda, c.place)
	}
}

// expire looks after the connections whose time has come.
func (l *loop) expire() {
	for len(l.agenda) > 0 && l.agenda[0].at <= l.now {
		c := l.agenda[0]
		if l.deadline(c) <= l.now {
			l.late(c)
		}
		if c.place == 0 && c.at <= l.now { // it is still open
			c.at = max(l.deadline(c), l.now+1)
			heap.Fix(&l.agenda, 0)
		}
	}
}

// remove takes the connection at a place out.
func (a *agenda) remove(place int) { heap.Remove(a, place) }
