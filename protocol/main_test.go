package protocol_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
)

// No test may leave a goroutine behind: a server or client that does leaks.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newServer is a server with the test keys and the reference arithmetic.
func newServer(t testing.TB) *protocol.Server {
	t.Helper()
	keys := newLive(t)
	return &protocol.Server{
		HSM: mac.NewEngine(keys, reference.Backend{}), Keys: keys,
		Rand: rand.Reader, Now: time.Now, Firmware: "0007-E000",
	}
}

// A maker makes servers that serve plain connections in one of the two ways.
type maker func(testing.TB) *protocol.Server

// onBothPaths runs a test with connections that have a goroutine each, and with
// connections that share an event loop, where there are such: nobody at the
// other end may see a difference.
func onBothPaths(t *testing.T, test func(*testing.T, maker)) {
	t.Helper()
	for _, path := range []struct {
		name  string
		loops int
	}{{"goroutines", -1}, {"loop", 1}} {
		t.Run(path.name, func(t *testing.T) {
			test(t, func(t testing.TB) *protocol.Server {
				s := newServer(t)
				s.Loops = path.loops
				return s
			})
		})
	}
}

// start serves on a free port of the loopback until the test ends.
func start(t testing.TB, s *protocol.Server) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, s, l)
}

func startOn(t testing.TB, s *protocol.Server, l net.Listener) (addr string) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// frame puts a length before its parts.
func frame(parts ...string) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString(p)
	}
	return append([]byte{byte(b.Len() >> 8), byte(b.Len())}, b.Bytes()...)
}

// readFrame gives what follows the length of the next frame.
func readFrame(t testing.TB, r io.Reader) string {
	t.Helper()
	f, err := nextFrame(r)
	if err != nil {
		t.Fatalf("read a reply: %v", err)
	}
	return f
}

func nextFrame(r io.Reader) (string, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return "", err
	}
	b := make([]byte, int(n[0])<<8|int(n[1]))
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	return string(b), nil
}

// ask sends one request and gives the reply to it.
func ask(t testing.TB, c net.Conn, parts ...string) string {
	t.Helper()
	if _, err := c.Write(frame(parts...)); err != nil {
		t.Fatal(err)
	}
	return readFrame(t, c)
}

// mustClose fails unless the server has ended the connection.
func mustClose(t testing.TB, c net.Conn) {
	t.Helper()
	rest, err := io.ReadAll(c)
	if len(rest) > 0 {
		t.Errorf("%d more bytes after the last reply: %q", len(rest), rest)
	}
	if err != nil && isTimeout(err) {
		t.Errorf("connection still open")
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}

// logged is a slog handler that keeps lines, safe for concurrent use.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// eventually waits for something that another goroutine is about to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
