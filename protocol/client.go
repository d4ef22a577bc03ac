package protocol

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pbochsm/mac"
)

// A Client is the HSM at the far end of a wire. It is safe for concurrent use;
// each call has a connection of the pool to itself and pipelines all it has to
// ask. Its fields are set before the first call and not changed after it.
//
// Every command is a pure function of its fields, so a request may be sent
// again where it is not known whether it arrived. The Client does so once, if
// a connection that has been idle turns out to be closed.
type Client struct {
	Addr   string      // host and port
	TLS    *tls.Config // nil: plain TCP
	Format Format

	Conns       int           // connections at most; 16 if 0
	Timeout     time.Duration // without a sign of the server; 10 s if 0
	DialTimeout time.Duration // TLS handshake included; 5 s if 0

	setUp       sync.Once
	setUpError  error
	format      Format // as given, with the defaults
	timeout     time.Duration
	dialTimeout time.Duration
	pool        pool
	sequence    atomic.Uint64 // makes the headers
}

var _ mac.HSM = (*Client)(nil)

// ErrReply is an answer that cannot be one to the request. The connection that
// it came from is closed.
var ErrReply = errors.New("protocol: reply does not fit the request")

// A TransportError is the lack of an answer: whether the request has been
// carried out is unknown. Refusals are never of this type.
type TransportError struct {
	Doing string // dial, write, read
	Addr  string
	Err   error
}

// Error names what failed, and where.
func (e *TransportError) Error() string {
	return "protocol: " + e.Doing + " " + e.Addr + ": " + e.Err.Error()
}

// Unwrap is the error of the network, or of the context that ended.
func (e *TransportError) Unwrap() error { return e.Err }

// errUnanswered marks an operation that has been or will be sent.
var errUnanswered = errors.New("protocol: not answered")

// Do asks all ops over one connection, in windows that are on their way while
// the replies of the one before come in.
func (c *Client) Do(ctx context.Context, ops []mac.Op) error {
	return c.do(ctx, ops, isAny, (*link).exchange)
}

func isAny(mac.Kind) bool { return true }

// An exchange asks those ops over a link that are marked unanswered, with
// headers from first on, and tells how many it got an answer to.
type exchange func(l *link, ops []mac.Op, first uint64) (answered int, err error)

func (c *Client) do(ctx context.Context, ops []mac.Op, may func(mac.Kind) bool, ask exchange) error {
	if len(ops) == 0 {
		return nil
	}
	asked := markUnanswered(ops, may)
	if asked == 0 {
		return nil
	}
	first := c.sequence.Add(uint64(len(ops))) - uint64(len(ops))
	err := c.with(ctx, func(l *link) (int, error) { return ask(l, ops, first) })
	if err == nil {
		return nil
	}
	unanswered := 0
	for i := range ops {
		if errors.Is(ops[i].Err, errUnanswered) {
			ops[i].Err = err
			unanswered++
		}
	}
	if unanswered < asked {
		return nil
	}
	for i := range ops {
		ops[i].Err = err
	}
	return err
}

// markUnanswered refuses what cannot be written as a command, or may not be,
// and marks the rest.
func markUnanswered(ops []mac.Op, may func(mac.Kind) bool) (left int) {
	for i := range ops {
		op := &ops[i]
		op.Withdraw()
		switch _, known := commandOf(op.Kind); {
		case !known || !may(op.Kind):
			op.Err = mac.ErrUnsupported
		case int(op.Levels) > len(op.Factors):
			op.Err = malformed(mac.Factors.String())
		default:
			if op.Err = speakable(op); op.Err == nil {
				op.Err = errUnanswered
				left++
			}
		}
	}
	return left
}

// with lends a connection to use, which tells how many answers it got. If a
// connection from the pool was closed meanwhile, use runs once more on a new
// one.
func (c *Client) with(ctx context.Context, use func(*link) (answered int, err error)) error {
	c.setUp.Do(func() { c.setUpError = c.prepare() })
	if c.setUpError != nil {
		return c.setUpError
	}
	if err := c.pool.enter(ctx); err != nil {
		return c.failed("wait for a connection", err)
	}
	defer c.pool.leave()
	if l := c.pool.idleLink(); l != nil {
		answered, err := c.run(ctx, l, use)
		if err == nil || answered > 0 || !stale(err) {
			return err
		}
		c.pool.closeIdle()
	}
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	_, err = c.run(ctx, l, use)
	return err
}

// run uses a connection while it watches the context and the timeout. Only a
// connection on which nothing went wrong goes back to the pool: on another, an
// answer that is still on its way could be taken for the next one's.
func (c *Client) run(ctx context.Context, l *link, use func(*link) (int, error)) (answered int, err error) {
	stop := l.attend(ctx)
	answered, err = use(l)
	if stop() && err == nil {
		c.pool.put(l)
		return answered, nil
	}
	_ = l.nc.Close()
	if err != nil && ctx.Err() != nil {
		err = c.failed("wait for an answer", context.Cause(ctx))
	}
	return answered, err
}

// stale tells an error that a connection shows if it was closed while idle.
func stale(err error) bool {
	var t *TransportError
	var n net.Error
	return errors.As(err, &t) && !(errors.As(err, &n) && n.Timeout()) && !errors.Is(err, context.Canceled)
}

func (c *Client) failed(doing string, err error) error {
	return &TransportError{Doing: doing, Addr: c.Addr, Err: err}
}

// prepare checks the configuration.
func (c *Client) prepare() (err error) {
	if c.format, err = c.Format.check(); err != nil {
		return err
	}
	if c.Conns < 0 || c.Timeout < 0 || c.DialTimeout < 0 {
		return errors.New("protocol: negative limit of a Client")
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("protocol: address %q: %w", c.Addr, err)
	}
	c.timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.dialTimeout = cmp.Or(c.DialTimeout, 5*time.Second)
	c.pool.slots = make(chan struct{}, cmp.Or(c.Conns, 16))
	return nil
}

// Close closes the idle connections and lets no call begin; those under way
// finish.
func (c *Client) Close() error {
	c.pool.shut()
	return nil
}
