package protocol

import (
	"cmp"
	"errors"
	"time"
)

// Limits bound what a client can make the server do or hold. A field that is 0
// has the default.
type Limits struct {
	Handshake time.Duration // from accept to the end of the TLS handshake; 5 s
	Frame     time.Duration // from the first byte of a frame to its last; 2 s
	Idle      time.Duration // between two frames; 60 s
	Write     time.Duration // for a run of replies to be taken; 5 s
	Wait      time.Duration // until a request is begun, or refused as ErrBusy; 5 s

	Connections int // at once; 16384
	PerClient   int // of them from one address, or with one certificate; three quarters of Connections
	Handshakes  int // TLS handshakes at once; 256
	Batch       int // requests that a connection has answered in one go; 1024
}

// DefaultLimits gives the defaults.
func DefaultLimits() Limits {
	return Limits{
		Handshake: 5 * time.Second, Frame: 2 * time.Second, Idle: 60 * time.Second, Write: 5 * time.Second, Wait: 5 * time.Second,
		Connections: 16384, PerClient: 12288, Handshakes: 256, Batch: 1024,
	}
}

// check fills in the defaults and refuses what no server can keep.
func (l Limits) check() (Limits, error) {
	d := DefaultLimits()
	l.Handshake = cmp.Or(l.Handshake, d.Handshake)
	l.Frame = cmp.Or(l.Frame, d.Frame)
	l.Idle = cmp.Or(l.Idle, d.Idle)
	l.Write = cmp.Or(l.Write, d.Write)
	l.Wait = cmp.Or(l.Wait, d.Wait)
	l.Connections = cmp.Or(l.Connections, d.Connections)
	l.PerClient = cmp.Or(l.PerClient, max(1, l.Connections/4*3))
	l.Handshakes = cmp.Or(l.Handshakes, d.Handshakes)
	l.Batch = cmp.Or(l.Batch, d.Batch)
	if min(l.Handshake, l.Frame, l.Idle, l.Write, l.Wait) < 0 {
		return l, errors.New("protocol: negative deadline")
	}
	if min(l.Connections, l.PerClient, l.Handshakes, l.Batch) < 1 {
		return l, errors.New("protocol: negative limit")
	}
	return l, nil
}
