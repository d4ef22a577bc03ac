package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api"
)

// serve runs the bench's API on a port of its own until the test ends.
func (b *bench) serve() (*http.Server, string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := b.api.Server()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(b.api.Limit(l)) }()
	b.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	return s, l.Addr().String()
}

// wire writes text to a new connection, and gives all that comes back until
// the server closes it.
func wire(t *testing.T, addr, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(conn, text)
	got, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("after %d bytes: %v", len(got), err)
	}
	return string(got)
}

// A sender that stops in the middle is not waited for.
func TestSlowSenders(t *testing.T) {
	b := newBench(t, func(o *api.Options) {
		o.Limits.Header, o.Limits.Request = 100*time.Millisecond, 200*time.Millisecond
	})
	_, addr := b.serve()
	head := "POST /tuxedo/alverify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":       {"", ""},
		"in the head":   {head, ""},
		"in the body":   {head + "Content-Length: 100\r\n\r\n{", `"ErrorCode":"1001"`},
		"between parts": {head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", `"ErrorCode":"1001"`},
		"long head":     {head + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := wire(t, addr, c.text); !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "200 OK") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if b.service.calls() != 0 {
			t.Error("the service was asked")
		}
	})
}

func TestChunkedBodies(t *testing.T) {
	b := newBench(t, nil)
	_, addr := b.serve()
	send := func(body string) string {
		return wire(t, addr, "POST /tuxedo/alverify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"+
			fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
	}
	if got := send(valid(alverify).json()); !strings.Contains(got, `"ErrorCode":"0000"`) {
		t.Errorf("a body in chunks: %s", got)
	}
	if got := send(strings.Repeat(" ", 8193)); !strings.Contains(got, "413") || !strings.Contains(got, `"ErrorCode":"1006"`) {
		t.Errorf("a long one: %s", got)
	}
}

// During a drain what has begun is finished, and load balancers are told.
func TestDrain(t *testing.T) {
	b := newBench(t, nil)
	s, addr := b.serve()
	b.service.wait = make(chan struct{})
	begun := make(chan string, 1)
	go func() {
		body := valid(alverify).json()
		begun <- wire(t, addr, fmt.Sprintf("POST /tuxedo/alverify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", len(body), body))
	}()
	for b.service.calls() == 0 {
		time.Sleep(time.Millisecond)
	}
	b.api.Drain()
	if got := wire(t, addr, "GET /readyz HTTP/1.0\r\n\r\n"); !strings.Contains(got, "503") {
		t.Errorf("readyz while draining: %s", got)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	for { // until nobody new is let in
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = conn.Close()
		time.Sleep(time.Millisecond)
	}
	close(b.service.wait)
	if got := <-begun; !strings.Contains(got, `"ErrorCode":"0000"`) {
		t.Errorf("what had begun was answered %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A caller that leaves does not stop what has begun; time does.
func TestCallersThatLeave(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Limits.Answer = 20 * time.Millisecond })
	left, leave := context.WithCancel(context.Background())
	leave()
	ask := func() string {
		r := httptest.NewRequest(http.MethodPost, alverify, strings.NewReader(valid(alverify).json())).WithContext(left)
		r.Header.Set("Content-Type", "application/json")
		return b.do(r).code()
	}
	if got := ask(); got != "0000" || b.service.seen != nil {
		t.Errorf("answer %s; the service saw %v", got, b.service.seen)
	}
	b.service.wait = make(chan struct{}) // for ever
	if got := ask(); got != "9005" {
		t.Errorf("a service that does not answer: %s", got)
	}
}

func TestConnectionLimits(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Limits.PerAddress = 2 })
	_, addr := b.serve()
	ask := func(conn net.Conn) error {
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			_ = r.Body.Close()
		}
		return err
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	first, second := dial(), dial()
	if err := errors.Join(ask(first), ask(second)); err != nil {
		t.Fatal(err)
	}
	if err := ask(dial()); err == nil {
		t.Error("a third connection from one address was served")
	}
	_ = first.Close()
	for until := time.Now().Add(30 * time.Second); ask(dial()) != nil; {
		if time.Now().After(until) {
			t.Fatal("the place of a closed connection is not free again")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
