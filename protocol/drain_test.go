package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/mac"
)

// Under load, a drain loses no reply: every client gets whole replies to the
// first requests that it sent, and the server has answered what it read.
func TestDrainUnderLoad(t *testing.T) { onBothPaths(t, testDrainUnderLoad) }

func testDrainUnderLoad(t *testing.T, newServer maker) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { copy(op.Answer[:], mac.Random.Bytes(op)) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(t.Context(), l) }()

	var replies atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		c := dial(t, l.Addr().String())
		ask(t, c, "HEAD", publishedLoad) // it has been accepted
		replies.Add(1)
		clients.Go(func() {
			for i := 0; ; i++ {
				if _, err := c.Write(frame(fmt.Sprintf("%04X", i&0xFFFF), publishedLoad)); err != nil {
					return
				}
			}
		})
		clients.Go(func() {
			for i := 0; ; i++ {
				f, err := nextFrame(c)
				if errors.Is(err, io.EOF) {
					_ = c.Close()
					return
				}
				if want := fmt.Sprintf("%04XWB0011223344", i&0xFFFF); err != nil || f != want {
					t.Errorf("reply %d: %q, %v; want %q", i, f, err, want)
					return
				}
				replies.Add(1)
			}
		})
	}
	eventually(t, "load", func() bool { return replies.Load() > 1000 })
	began := time.Now()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	t.Logf("drained in %v", time.Since(began))
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	clients.Wait()
	var answered uint64
	for _, r := range s.Stats().Requests {
		answered += r.Count
	}
	if got := replies.Load(); uint64(got) != answered {
		t.Errorf("the server answered %d requests, the clients got %d replies", answered, got)
	}
}

// What had arrived before the drain is answered, however slow the HSM is.
func TestDrainFinishesWhatHasArrived(t *testing.T) { onBothPaths(t, testDrainFinishesWhatHasArrived) }

func testDrainFinishesWhatHasArrived(t *testing.T, newServer maker) {
	entered := make(chan struct{}, 1)
	release := make(chan struct{})
	s := newServer(t)
	s.HSM = hsmFunc(func(*mac.Op) {
		entered <- struct{}{}
		<-release
	})
	addr := start(t, s)
	c := dial(t, addr)
	_, _ = c.Write(frame("0001", publishedLoad))
	<-entered
	_, _ = c.Write(frame("0002", "B20002hi"))
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	eventually(t, "no longer accepting", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	close(release)
	for _, want := range []string{"0001WB0000000000", "0002B300hi"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	mustClose(t, c)
	_ = c.Close()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestDrainClosesIdleConnections(t *testing.T) { onBothPaths(t, testDrainClosesIdleConnections) }

func testDrainClosesIdleConnections(t *testing.T, newServer maker) {
	s := newServer(t)
	addr := start(t, s)
	var open []net.Conn
	for range 20 {
		c := dial(t, addr)
		ask(t, c, "HEAD", "NC")
		open = append(open, c)
	}
	go func() {
		for _, c := range open {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if n := s.Stats().Open; n != 0 {
		t.Errorf("%d connections open after Shutdown", n)
	}
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	onBothPaths(t, testShutdownGivesUpWithItsContext)
}

func testShutdownGivesUpWithItsContext(t *testing.T, newServer maker) {
	release := make(chan struct{})
	s := newServer(t)
	s.HSM = blocked{release}
	c := dial(t, start(t, s))
	_, _ = c.Write(frame("HEAD", publishedLoad))
	eventually(t, "the request has arrived", func() bool { return s.Stats().BytesIn > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want the deadline", err)
	}
	mustClose(t, c)
	close(release)
}

// blocked is an HSM that answers when its context has ended.
type blocked struct{ release chan struct{} }

func (b blocked) Do(ctx context.Context, _ []mac.Op) error {
	<-ctx.Done()
	<-b.release
	return ctx.Err()
}

func TestServeEndsWithItsContext(t *testing.T) { onBothPaths(t, testServeEndsWithItsContext) }

func testServeEndsWithItsContext(t *testing.T, newServer maker) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	c := dial(t, l.Addr().String())
	ask(t, c, "HEAD", "NC")
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := ask(t, c, "HEAD", "NC"); !strings.HasPrefix(got, "HEADND00") {
		t.Errorf("an open connection after the context: %q", got)
	}
	_ = c.Close()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := s.Serve(t.Context(), newOnce(nil)); err != nil {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

// flaky is a listener that lacks descriptors now and then.
type flaky struct {
	net.Listener
	failures atomic.Int32
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptBacksOff(t *testing.T) { onBothPaths(t, testAcceptBacksOff) }

func testAcceptBacksOff(t *testing.T, newServer maker) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{Listener: l}
	f.failures.Store(3)
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	c := dial(t, startOn(t, s, f))
	if got := ask(t, c, "HEAD", "B20000"); got != "HEADB300" {
		t.Errorf("after the failures: %q", got)
	}
	if n := strings.Count(log.String(), "too many open files"); n != 3 {
		t.Errorf("%d failures logged, want 3", n)
	}
}

// A drain does not end before a slow HSM has answered all that had arrived.
func TestDrainOfALongQueue(t *testing.T) { onBothPaths(t, testDrainOfALongQueue) }

func testDrainOfALongQueue(t *testing.T, newServer maker) {
	const depth = 500
	s := newServer(t)
	s.Limits.Batch = 10
	var asked atomic.Int64
	s.HSM = hsmFunc(func(*mac.Op) {
		asked.Add(1)
		time.Sleep(time.Millisecond)
	})
	c := dial(t, start(t, s))
	for i := range depth {
		_, _ = c.Write(frame(fmt.Sprintf("%04X", i), publishedLoad))
	}
	eventually(t, "the first is asked", func() bool { return asked.Load() > 0 })
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for i := range depth {
		if got, want := readFrame(t, c), fmt.Sprintf("%04XWB0000000000", i); got != want {
			t.Fatalf("reply %d: %q, want %q", i, got, want)
		}
	}
	mustClose(t, c)
	_ = c.Close()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
