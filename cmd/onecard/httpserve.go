package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A front is the HTTP servers of a process.
type front struct {
	log     *slog.Logger
	servers []*http.Server
	failed  chan error
}

// open serves s at addr, on a listener that limit has bounded, and gives the
// address that it got.
func (f *front) open(s *http.Server, addr string, t *tls.Config, limit func(net.Listener) net.Listener) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	return f.serve(s, limit(l), t), nil
}

func (f *front) serve(s *http.Server, l net.Listener, t *tls.Config) string {
	s.ErrorLog = slog.NewLogLogger(f.log.Handler(), slog.LevelDebug) // of connections: any stranger can fill it
	addr := l.Addr().String()
	if t != nil {
		l = tls.NewListener(l, t)
	}
	f.servers = append(f.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			f.failed <- err
		}
	}()
	return addr
}

// shut lets the requests under way finish, until ctx ends.
func (f *front) shut(ctx context.Context) error {
	var errs []error
	for _, s := range f.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, err, s.Close())
		}
	}
	return errors.Join(errs...)
}

// every runs f at once and then again and again until ctx ends; where d is 0,
// never.
func every(ctx context.Context, d time.Duration, f func(context.Context)) {
	if d == 0 {
		return
	}
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		f(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
