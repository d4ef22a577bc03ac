package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

func newClient(t testing.TB, addr string) *protocol.Client {
	t.Helper()
	c := &protocol.Client{Addr: addr}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestClientAsksEveryKind(t *testing.T) {
	client := newClient(t, start(t, newServer(t)))
	ops := sampleOps(t)
	local := sampleOps(t)
	if err := mac.NewEngine(newLive(t), new(spy)).Do(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if ops[i].Answer != local[i].Answer || ops[i].Err != nil || local[i].Err != nil {
			t.Errorf("%v over the wire: %+v, in process: %+v", ops[i].Kind, ops[i], local[i])
		}
	}
}

// What a client encodes is what the server's HSM gets.
func TestOpsArriveAsTheyWere(t *testing.T) {
	var mu sync.Mutex
	var got []mac.Op
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, *op)
	})
	client := newClient(t, start(t, s))
	want := sampleOps(t)
	for i := range want { // with an authentication code, which one byte counts
		if want[i].Kind == mac.KindPurchase {
			mac.AuthCode.SetLen(&want[i], 9)
			copy(mac.AuthCode.Bytes(&want[i]), "\x00\x01\xfe\xff12345")
		}
	}
	if err := client.Do(t.Context(), append([]mac.Op(nil), want...)); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v: got %+v, want %+v", want[i].Kind, got[i], want[i])
		}
	}
}

func TestClientSplitsABigBatch(t *testing.T) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { copy(op.Answer[:], mac.Random.Bytes(op)) })
	client := newClient(t, start(t, s))
	ops := make([]mac.Op, 10000)
	for i := range ops {
		ops[i] = mac.Load{Random: [4]byte{0, 1, byte(i >> 8), byte(i)}}.Op()
		if i%1000 == 7 {
			ops[i].Kind = 99
		}
	}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		want := [4]byte{0, 1, byte(i >> 8), byte(i)}
		if i%1000 == 7 {
			if !errors.Is(ops[i].Err, mac.ErrUnsupported) {
				t.Fatalf("op %d of no kind: %v", i, ops[i].Err)
			}
			continue
		}
		if ops[i].Err != nil || ops[i].Answer != want {
			t.Fatalf("op %d: %X, %v", i, ops[i].Answer, ops[i].Err)
		}
	}
}

func TestClientRefusesWhatItCannotSpell(t *testing.T) {
	client := newClient(t, start(t, newServer(t)))
	ops := []mac.Op{{Kind: 99}, mac.Load{}.Op(), sampleOps(t)[0]}
	ops[1].Levels = 5
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(ops[0].Err, mac.ErrUnsupported) || !errors.Is(ops[1].Err, mac.ErrInvalid) || ops[2].Err != nil {
		t.Errorf("errors %v, %v, %v", ops[0].Err, ops[1].Err, ops[2].Err)
	}
	if err := client.Do(t.Context(), nil); err != nil {
		t.Errorf("no ops: %v", err)
	}
}

func TestCommonCommandsByClient(t *testing.T) {
	for _, header := range []int{0, 1, 4, 12} {
		s := newServer(t)
		s.Format = protocol.Format{Header: header, Limit: 40000}
		client := newClient(t, start(t, s))
		client.Format = s.Format
		ctx := t.Context()

		data := bytes.Repeat([]byte("\x00\x19%"), 10000)
		if got, err := client.Echo(ctx, data); err != nil || !bytes.Equal(got, data) {
			t.Errorf("Echo: %d bytes, %v", len(got), err)
		}
		if _, err := client.Echo(ctx, make([]byte, 40000)); !errors.Is(err, protocol.ErrLength) {
			t.Errorf("Echo of too much: %v", err)
		}
		if got, err := client.Random(ctx, 16); err != nil || len(got) != 16 || bytes.Equal(got, make([]byte, 16)) {
			t.Errorf("Random: %X, %v", got, err)
		}
		if _, err := client.Random(ctx, 1000); !errors.Is(err, mac.ErrInvalid) {
			t.Errorf("Random of too much: %v", err)
		}
		if got, err := client.Diagnostics(ctx); err != nil || got.Check != (keystore.KCV{0x26, 0x86, 0x04}) || got.Firmware != "0007-E000" {
			t.Errorf("Diagnostics: %+v, %v", got, err)
		}
		if got, err := client.Status(ctx); err != nil || got != (protocol.Condition{Buffer: 32 << 10, Sockets: 99, Firmware: "0007-E000"}) {
			t.Errorf("Status: %+v, %v", got, err)
		}
		if got, err := client.KCV(ctx, 1); err != nil || got != testKeys()[1].KCV {
			t.Errorf("KCV: %v, %v", got, err)
		}
		for index, want := range map[uint16]error{5: keystore.ErrNotFound, 6: keystore.ErrRetired, 7: protocol.ErrIndex, 0x1000: protocol.ErrIndex} {
			if _, err := client.KCV(ctx, index); !errors.Is(err, want) {
				t.Errorf("KCV(%d): %v, want %v", index, err, want)
			}
		}
	}
}

func TestSealedServer(t *testing.T) {
	s := newServer(t)
	s.Keys = nil
	client := newClient(t, start(t, s))
	if _, err := client.Diagnostics(t.Context()); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("Diagnostics: %v", err)
	}
	if _, err := client.KCV(t.Context(), 1); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("KCV: %v", err)
	}
}

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

// fake is a server that is none.
func fake(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// A reply that does not belong to the request is never taken for its answer.
func TestWrongReplies(t *testing.T) {
	const ok = "\x00\x00\x00\x00WB003A845BF0"
	for _, tc := range []struct {
		name, reply string
		want        error
	}{
		{"right", ok, nil},
		{"header of another", "\x00\x00\x00\x01" + ok[4:], protocol.ErrReply},
		{"code of another", strings.Replace(ok, "WB", "WD", 1), protocol.ErrReply},
		{"too short for a status", ok[:7], protocol.ErrReply},
		{"status in letters", strings.Replace(ok, "WB00", "WB0x", 1), protocol.ErrReply},
		{"no MAC2", ok[:8], protocol.ErrReply},
		{"half a MAC2", ok[:12], protocol.ErrReply},
		{"MAC2 in no digits", strings.Replace(ok, "3A84", "3G84", 1), protocol.ErrReply},
		{"more than MAC2", ok + "0", protocol.ErrReply},
		{"MAC2 after a refusal", strings.Replace(ok, "WB00", "WB01", 1), protocol.ErrReply},
		{"refusal", ok[:6] + "01", mac.ErrMAC1},
		{"framing error", ok[:4] + "ZZ51", protocol.ErrHeader},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := newClient(t, fake(t, func(c net.Conn) {
				if _, err := nextFrame(c); err == nil {
					_, _ = c.Write(frame(tc.reply))
				}
				_, _ = io.Copy(io.Discard, c)
			}))
			ops := []mac.Op{mac.Load{}.Op()}
			_ = client.Do(t.Context(), ops)
			if !errors.Is(ops[0].Err, tc.want) {
				t.Errorf("error %v, want %v", ops[0].Err, tc.want)
			}
			if tc.want != nil && ops[0].Answer != [4]byte{} {
				t.Errorf("answer %X from a wrong reply", ops[0].Answer)
			}
		})
	}
}

// If the connection breaks in between, what was answered stays answered.
func TestConnectionBreaksInBetween(t *testing.T) {
	client := newClient(t, fake(t, func(c net.Conn) {
		f, err := nextFrame(c)
		if err == nil {
			_, _ = c.Write(frame(f[:4], "WB0011223344"))
		}
	}))
	ops := []mac.Op{mac.Load{}.Op(), mac.Load{}.Op()}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Errorf("Do = %v, though one is answered", err)
	}
	var transport *protocol.TransportError
	if ops[0].Err != nil || !errors.As(ops[1].Err, &transport) {
		t.Errorf("errors %v, %v", ops[0].Err, ops[1].Err)
	}
}

func TestClientConfiguration(t *testing.T) {
	for name, c := range map[string]*protocol.Client{
		"address": {Addr: "localhost"},
		"header":  {Addr: "localhost:1500", Format: protocol.Format{Header: -1, Limit: 100}},
		"conns":   {Addr: "localhost:1500", Conns: -1},
	} {
		ops := []mac.Op{mac.Load{}.Op()}
		if err := c.Do(t.Context(), ops); err == nil || ops[0].Err == nil {
			t.Errorf("%s: Do = %v, op %v", name, err, ops[0].Err)
		}
	}
}
