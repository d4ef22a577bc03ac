//go:build cgo && !nopkcs11 && !windows

package pkcs11

import "maps"

// Status tells how the token is.
func (b *Backend) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.status
	s.Recoveries = maps.Clone(s.Recoveries)
	return s
}

func (b *Backend) report(change func(s *Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.status)
}

// count notes a recovery.
func (b *Backend) count(c class, err error) {
	b.report(func(s *Status) {
		if s.Recoveries == nil {
			s.Recoveries = map[string]int{}
		}
		s.Recoveries[c.String()]++
	})
	if c != classPlanned {
		b.cfg.Log.Warn("a fault of the token", "class", c.String(), "error", err)
	}
}
