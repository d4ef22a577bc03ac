package keystore

import "sync/atomic"

// Live is the snapshot that a running daemon serves from. A reload replaces it
// between two batches; nobody waits.
type Live struct {
	current atomic.Pointer[Snapshot]
}

// NewLive serves from s and takes it over: s is cleared once it has been
// replaced and its last reader is gone.
func NewLive(s *Snapshot) *Live {
	l := new(Live)
	l.current.Store(s)
	return l
}

// Acquire holds the current snapshot until its Release.
func (l *Live) Acquire() *Snapshot {
	for {
		s := l.current.Load()
		if s.hold() {
			return s
		}
	}
}

// Swap makes s current. The old snapshot goes when its readers have.
func (l *Live) Swap(s *Snapshot) { l.current.Swap(s).Release() }

// hold adds a reader unless the last one has gone already.
func (s *Snapshot) hold() bool {
	for {
		n := s.holders.Load()
		if n == 0 {
			return false
		}
		if s.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}
