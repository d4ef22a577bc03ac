package protocol_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

func TestClientReconnects(t *testing.T) {
	first := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- first.Serve(t.Context(), l) }()
	client := newClient(t, addr)
	if _, err := client.Echo(t.Context(), []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	var transport *protocol.TransportError
	if _, err := client.Echo(t.Context(), []byte("two")); !errors.As(err, &transport) {
		t.Errorf("while the server is down: %v", err)
	}
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	startOn(t, newServer(t), l)
	if _, err := client.Echo(t.Context(), []byte("three")); err != nil {
		t.Errorf("after the server is back: %v", err)
	}
}

// A connection that the server closed while it was idle costs no error.
func TestClientRetriesOnAStaleConnection(t *testing.T) {
	s := newServer(t)
	s.Limits = shortLimits()
	client := newClient(t, start(t, s))
	for range 2 {
		ops := sampleOps(t)[:1]
		if err := client.Do(t.Context(), ops); err != nil || ops[0].Err != nil {
			t.Fatal(err, ops[0].Err)
		}
		eventually(t, "the idle connection is closed", func() bool { return s.Stats().Open == 0 })
	}
	if n := s.Stats().Accepted; n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestClientCancelled(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) {
		if mac.Amount.Bytes(op)[3] == 1 {
			<-release
		}
		copy(op.Answer[:], mac.Amount.Bytes(op))
	})
	client := newClient(t, start(t, s))
	defer close(release)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ops := []mac.Op{mac.Load{Amount: 1}.Op()}
	err := client.Do(ctx, ops)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(ops[0].Err, context.DeadlineExceeded) {
		t.Errorf("Do = %v, op %v; want the deadline of the context", err, ops[0].Err)
	}
	// The answer to the cancelled one is still to come; it must go to nobody.
	for i := range 20 {
		ops := []mac.Op{mac.Load{Amount: mac.Fen(2 + i)}.Op()}
		if err := client.Do(t.Context(), ops); err != nil || ops[0].Answer[3] != byte(2+i) {
			t.Fatalf("next call: %X, %v", ops[0].Answer, err)
		}
	}
	if n := s.Stats().Accepted; n != 2 {
		t.Errorf("%d connections, want 2: the cancelled one and another", n)
	}
}

func TestClientTimeout(t *testing.T) {
	l := fake(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	client := newClient(t, l)
	client.Timeout = 50 * time.Millisecond
	if _, err := client.Echo(t.Context(), nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a server that says nothing: %v", err)
	}
}

func TestClientPoolIsBounded(t *testing.T) {
	s := newServer(t)
	client := newClient(t, start(t, s))
	client.Conns = 3
	var calls sync.WaitGroup
	for range 32 {
		calls.Go(func() {
			for range 20 {
				if _, err := client.Echo(context.Background(), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	if n := s.Stats().Accepted; n > 3 {
		t.Errorf("%d connections, want at most 3", n)
	}
}

func TestClosedClient(t *testing.T) {
	client := newClient(t, start(t, newServer(t)))
	if _, err := client.Echo(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if _, err := client.Echo(t.Context(), nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// While nobody listens, calls fail, wait their turn, and end with their
// context.
func TestClientBacksOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	client := newClient(t, l.Addr().String())
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 3 {
				var transport *protocol.TransportError
				_, err := client.Echo(context.Background(), nil)
				if !errors.As(err, &transport) || transport.Doing != "dial" || !strings.Contains(err.Error(), transport.Addr) {
					t.Errorf("error %v, want one of dialing", err)
				}
			}
		})
	}
	calls.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Echo(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// A call that finds all connections in use waits for one no longer than its
// context lets it.
func TestClientWaitsForAConnection(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t)
	entered := make(chan struct{}, 1)
	s.HSM = hsmFunc(func(*mac.Op) {
		entered <- struct{}{}
		<-release
	})
	client := newClient(t, start(t, s))
	client.Conns = 1
	first := make(chan error, 1)
	go func() { first <- client.Do(context.Background(), []mac.Op{mac.Load{}.Op()}) }()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Echo(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline of the context", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if _, err := client.Echo(t.Context(), nil); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// A context that ends together with the answer leaves no connection behind that
// would fail the next call.
func TestContextEndsWithTheAnswer(t *testing.T) {
	var cancel context.CancelFunc
	s := newServer(t)
	s.HSM = hsmFunc(func(*mac.Op) { cancel() })
	client := newClient(t, start(t, s))
	for range 300 {
		ctx, stop := context.WithCancel(t.Context())
		cancel = stop
		ops := []mac.Op{mac.Load{}.Op()}
		if err := client.Do(ctx, ops); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the call: %v", err)
		}
		stop()
		if _, err := client.Echo(t.Context(), nil); err != nil {
			t.Fatalf("the next call: %v", err)
		}
	}
}
