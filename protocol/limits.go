package protocol

import (
	"fmt"
	"time"
)

// Limits bound what a client can make the server do or hold. A field that is 0
// has the default.
type Limits struct {
	Handshake time.Duration // from accept to the end of the TLS handshake; 5 s
	Frame     time.Duration // from the first byte of a frame to its last; 2 s
	Idle      time.Duration // between two frames; 60 s
	Write     time.Duration // for a run of replies to be taken; 5 s

	Connections int // at once; 16384
	PerClient   int // of them from one address, or with one certificate; three quarters of Connections
	Handshakes  int // TLS handshakes at once; 256
	Batch       int // requests that a connection has answered in one go; 1024
}

// DefaultLimits gives the defaults.
func DefaultLimits() Limits {
	return Limits{
		Handshake: 5 * time.Second, Frame: 2 * time.Second, Idle: 60 * time.Second, Write: 5 * time.Second,
		Connections: 16384, PerClient: 12288, Handshakes: 256, Batch: 1024,
	}
}

// check fills in the defaults and refuses what no server can keep.
func (l Limits) check() (Limits, error) {
	d := DefaultLimits()
	for _, t := range []struct {
		name  string
		value *time.Duration
		whole time.Duration
	}{
		{"handshake deadline", &l.Handshake, d.Handshake},
		{"frame deadline", &l.Frame, d.Frame},
		{"idle deadline", &l.Idle, d.Idle},
		{"write deadline", &l.Write, d.Write},
	} {
		if *t.value < 0 {
			return l, fmt.Errorf("protocol: negative %s", t.name)
		}
		if *t.value == 0 {
			*t.value = t.whole
		}
	}
	if l.Connections == 0 {
		l.Connections = d.Connections
	}
	if l.PerClient == 0 {
		l.PerClient = max(1, l.Connections/4*3)
	}
	if l.Handshakes == 0 {
		l.Handshakes = d.Handshakes
	}
	if l.Batch == 0 {
		l.Batch = d.Batch
	}
	if min(l.Connections, l.PerClient, l.Handshakes, l.Batch) < 1 {
		return l, fmt.Errorf("protocol: negative limit in %+v", l)
	}
	return l, nil
}
