package protocol

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

const (
	firstBackOff = 10 * time.Millisecond
	lastBackOff  = time.Second
)

// A pool is the connections of a Client. It holds the idle ones and counts
// those in use.
type pool struct {
	slots chan struct{} // one in it for each call under way

	mu     sync.Mutex
	idle   []*link // the last one in is the first one out
	shutUp bool
	delay  time.Duration // the back-off after the last failed dial
	gate   chan struct{} // open (closed) when dialing may be tried again; nil: it may
}

// enter waits for a place among those that may have a connection.
func (p *pool) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shutUp {
		<-p.slots
		return net.ErrClosed
	}
	return nil
}

func (p *pool) leave() { <-p.slots }

// idleLink takes the connection that was used last, if there is one.
func (p *pool) idleLink() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	l := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return l
}

// put keeps a connection for the next call.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shutUp {
		_ = l.nc.Close()
		return
	}
	p.idle = append(p.idle, l)
}

// closeIdle closes what has been idle: where one connection was closed by the
// server, the others were too.
func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *pool) drop() {
	for _, l := range p.idle {
		_ = l.nc.Close()
	}
	clear(p.idle)
	p.idle = p.idle[:0]
}

func (p *pool) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shutUp = true
	p.drop()
}

// dial makes a connection. After a failure the next attempts, of all calls
// together, are ever longer apart, up to a second.
func (c *Client) dial(ctx context.Context) (*link, error) {
	if err := c.pool.pause(ctx); err != nil {
		return nil, c.failed("dial", err)
	}
	timed, cancel := context.WithTimeout(ctx, c.dialTimeout)
	defer cancel()
	dialer := &net.Dialer{KeepAliveConfig: keepAlive}
	var nc net.Conn
	var err error
	if c.TLS == nil {
		nc, err = dialer.DialContext(timed, "tcp", c.Addr)
	} else {
		nc, err = (&tls.Dialer{NetDialer: dialer, Config: c.TLS}).DialContext(timed, "tcp", c.Addr)
	}
	if ctx.Err() != nil && err != nil {
		return nil, c.failed("dial", context.Cause(ctx))
	}
	c.pool.dialed(err)
	if err != nil {
		return nil, c.failed("dial", err)
	}
	return newLink(nc, c), nil
}

// pause waits for the gate.
func (p *pool) pause(ctx context.Context) error {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	if gate == nil {
		return nil
	}
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// dialed shuts the gate for a while after a failure, and takes it away after
// a success.
func (p *pool) dialed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.delay, p.gate = 0, nil
		return
	}
	if p.gate != nil {
		select {
		case <-p.gate:
		default: // others have failed at the same time, and it is shut already
			return
		}
	}
	p.delay = min(max(2*p.delay, firstBackOff), lastBackOff)
	gate := make(chan struct{})
	p.gate = gate
	time.AfterFunc(p.delay, func() { close(gate) })
}
