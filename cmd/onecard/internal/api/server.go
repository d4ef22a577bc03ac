package api

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// maxHeader bounds the head of a request.
const maxHeader = 16 << 10

// Server gives a server for the API whose deadlines keep slow senders and slow
// readers from holding on to it. Address and TLS are the program's.
func (a *API) Server() *http.Server {
	l := a.Limits
	return &http.Server{
		Handler:           a,
		ReadHeaderTimeout: l.Header,
		ReadTimeout:       l.Request,
		WriteTimeout:      l.Request + l.Answer,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
	}
}

// Limit bounds the connections that l has open, in all and from each address.
// What comes beyond is closed at once: a caller may come again.
func (a *API) Limit(l net.Listener) net.Listener {
	return &limited{Listener: l, most: a.Limits.Connections, each: a.Limits.PerAddress, open: map[string]int{}}
}

type limited struct {
	net.Listener
	most, each int

	mu    sync.Mutex
	total int
	open  map[string]int // by address
}

// Accept gives the next connection that is within the bounds.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address := addressOf(conn)
		if l.enter(address) {
			return &counted{Conn: conn, leave: func() { l.leave(address) }}, nil
		}
		_ = conn.Close() // it was never used
	}
}

func (l *limited) enter(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.most || l.open[address] >= l.each {
		return false
	}
	l.total++
	l.open[address]++
	return true
}

func (l *limited) leave(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[address]--; l.open[address] == 0 {
		delete(l.open, address)
	}
}

func addressOf(conn net.Conn) string {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return peer.Addr().Unmap().String()
}

// A counted connection leaves its place when it is closed.
type counted struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close closes the connection.
func (c *counted) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
