package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pbochsm/mac"
)

// DefaultFirmware is the firmware number of a Server that was given none.
const DefaultFirmware = "0001-0000"

// A Server answers the commands of [WIRE] on any number of listeners, plain
// and TLS alike. Its fields are set before the first Serve and not changed
// after it.
type Server struct {
	HSM  mac.HSM          // answers the purse commands; one that is mac.Prompt is never asked apart
	Keys mac.Keys         // the key table that NC and BU tell of; nil: sealed
	Rand io.Reader        // for N0, safe for concurrent use
	Now  func() time.Time // the clock of the deadlines

	Logger   *slog.Logger // nil: no log
	Format   Format
	Limits   Limits
	Firmware string // 9 characters, dddd-xxxx

	Tokens func() []TokenState // for NO; nil: there are none

	// Dialect is what is spoken instead of [WIRE]; nil: nothing. Of the Format the
	// Limit alone counts then.
	Dialect Dialect

	// Loops is how many event loops serve the plain TCP connections, where the
	// system has what they need (Linux): 0 takes one for two processors of the
	// runtime (GOMAXPROCS), less than 0 none. All other connections have a goroutine each. What a client
	// gets is the same.
	Loops int

	prompt    bool   // the HSM is
	format    Format // as given, with the defaults
	limits    Limits
	stats     counters
	buffers   buffers
	events    *events
	responder responder

	start      sync.Once
	startError error
	work       context.Context // of the HSM's calls; ends when Shutdown gives up
	abort      context.CancelFunc
	handshakes chan struct{}
	loops      loops

	draining atomic.Bool
	mu       sync.Mutex // guards what follows
	open     map[session]struct{}
	clients  map[string]int
	listen   map[net.Listener]struct{}
	running  sync.WaitGroup // connections; added to under mu and while not draining
}

// A session is a connection that a Server has open, however it is served.
type session interface {
	wake() // the server has begun to drain
	kill() // it is to end, whatever it is doing
}

// Serve accepts connections from l until ctx ends or Shutdown is called, and
// then returns nil; connections that are open then stay open until Shutdown.
// It closes l. A listener of package crypto/tls gives TLS connections.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close() //nolint:errcheck // it is closed already, or nobody can be told
	s.start.Do(func() { s.startError = s.prepare(ctx) })
	if s.startError != nil {
		return s.startError
	}
	if !s.register(l) {
		return nil
	}
	defer s.unregister(l)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	return s.accept(ctx, l)
}

// prepare checks the configuration and makes what the connections share.
func (s *Server) prepare(ctx context.Context) (err error) {
	if s.HSM == nil || s.Rand == nil || s.Now == nil {
		return errors.New("protocol: a Server needs an HSM, randomness and a clock")
	}
	firmware := s.Firmware
	if firmware == "" {
		firmware = DefaultFirmware
	}
	if len(firmware) != firmwareLen {
		return fmt.Errorf("protocol: firmware number %q is not of %d characters", firmware, firmwareLen)
	}
	s.format = s.Format
	s.format.dialect = s.Dialect
	if s.format, err = s.format.check(); err != nil {
		return err
	}
	if s.Dialect != nil && len(s.Dialect.Commands()) > numCommands {
		return fmt.Errorf("protocol: a dialect of %d commands, at most %d are counted", len(s.Dialect.Commands()), numCommands)
	}
	if s.limits, err = s.Limits.check(); err != nil {
		return err
	}
	p, ok := s.HSM.(mac.Prompt)
	s.prompt = ok && p.Prompt()
	s.work, s.abort = context.WithCancel(context.WithoutCancel(ctx))
	s.handshakes = make(chan struct{}, s.limits.Handshakes)
	s.events = newEvents(s.Logger, s.Now)
	s.responder = responder{
		hsm: s.HSM, keys: s.Keys, rand: s.Rand, firmware: firmware, format: s.format,
		sockets: s.limits.Connections, tokens: s.Tokens, stats: &s.stats, events: s.events,
	}
	return nil
}

const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = time.Second
)

// accept hands connections on. An error of Accept is taken as passing, like a
// lack of descriptors, and waited out, unless the listener is closed.
func (s *Server) accept(ctx context.Context, l net.Listener) error {
	retry := firstRetry
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			retry = firstRetry
			s.admit(nc)
			continue
		case ctx.Err() != nil || s.draining.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("protocol: accept: %w", err)
		}
		s.events.acceptFailed(err, retry)
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// Shutdown stops accepting, lets every connection finish the frames that have
// arrived, and returns nil when all are closed. If ctx ends first it closes
// them as they are and returns its error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	for l := range s.listen {
		_ = l.Close()
	}
	for c := range s.open {
		c.wake()
	}
	s.mu.Unlock()

	drained := make(chan struct{})
	go func() {
		s.running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.abort != nil {
		s.abort()
	}
	for c := range s.open {
		c.kill()
	}
	return fmt.Errorf("protocol: shutdown: %w", context.Cause(ctx))
}
