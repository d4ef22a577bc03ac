package protocol_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/mac"
)

// What one client does must not be felt by its neighbours.

// named is the published load with another random.
func named(random string) string { return strings.Replace(publishedLoad, "11223344", random, 1) }

// isNamed tells whether op is the load that named gives.
func isNamed(op *mac.Op, random ...byte) bool {
	return bytes.Equal(mac.Random.Bytes(op), random)
}

// slowFor is an HSM that takes its time as soon as one operation asks for it,
// as a token does.
type slowFor struct {
	entered chan struct{}
	release chan struct{}
}

func (h slowFor) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		if isNamed(&ops[i], 0xFF, 0, 0, 0) {
			h.entered <- struct{}{}
			<-h.release
		}
	}
	return nil
}

// Batches that are stuck in the backend keep nobody waiting but those who are
// in them.
func TestSlowBackendStopsNobody(t *testing.T) { onBothPaths(t, testSlowBackendStopsNobody) }

func testSlowBackendStopsNobody(t *testing.T, newServer maker) {
	const stuck = 10
	h := slowFor{entered: make(chan struct{}, stuck), release: make(chan struct{})}
	s := newServer(t)
	s.HSM = h
	addr := start(t, s)
	quick := dial(t, addr)
	var slow []io.Reader
	for range stuck {
		c := dial(t, addr)
		_, _ = c.Write(append(frame("SLOW", named("FF000000")), frame("SLOW", "B20000")...))
		<-h.entered
		slow = append(slow, c)
		for range 20 {
			if got := ask(t, quick, "FAST", publishedLoad); got != "FASTWB0000000000" {
				t.Fatalf("a quick one got %q", got)
			}
		}
	}
	close(h.release)
	for _, c := range slow {
		for _, want := range []string{"SLOWWB0000000000", "SLOWB300"} {
			if got := readFrame(t, c); got != want {
				t.Errorf("reply %q, want %q", got, want)
			}
		}
	}
}

// A request that makes the HSM panic is refused, and its connection closed,
// while those of others that were asked together with it are answered.
func TestPanicRefusesOnlyItsClient(t *testing.T) { onBothPaths(t, testPanicRefusesOnlyItsClient) }

func testPanicRefusesOnlyItsClient(t *testing.T, newServer maker) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) {
		if isNamed(op, 0xFF, 0, 0, 0) {
			panic("poison")
		}
		copy(op.Answer[:], mac.Random.Bytes(op))
	})
	addr := start(t, s)
	var poisoned atomic.Int64
	var all sync.WaitGroup
	done := make(chan struct{})
	for id := range 8 {
		c := dial(t, addr)
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				random := fmt.Sprintf("%02X%06X", id, i)
				_, _ = c.Write(frame("GOOD", named(random)))
				if f, err := nextFrame(c); err != nil || f != "GOODWB00"+random {
					t.Errorf("a good request was answered with %q, %v", f, err)
					return
				}
			}
		})
	}
	for range 50 {
		c := dial(t, addr)
		_, _ = c.Write(append(frame("0001", named("FF000000")), frame("0002", "B20000")...))
		for _, want := range []string{"0001WB41", "0002B341"} {
			if got := readFrame(t, c); got == want {
				poisoned.Add(1)
			} else {
				t.Errorf("reply %q, want %q", got, want)
			}
		}
		mustClose(t, c)
	}
	close(done)
	all.Wait()
	if n := s.Stats().Panics; n < 50 {
		t.Errorf("%d panics counted for 50", n)
	}
}

// Replies that a client does not fetch at once wait for it, in order, and it
// may go on afterwards.
func TestLateReaderGetsEverything(t *testing.T) { onBothPaths(t, testLateReaderGetsEverything) }

func testLateReaderGetsEverything(t *testing.T, newServer maker) {
	const requests, size = 2000, 8000
	data := strings.Repeat("d", size)
	s := newServer(t)
	s.Limits.Write = time.Minute
	addr := start(t, s)
	c := dial(t, addr)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range requests {
			_, _ = c.Write(frame(fmt.Sprintf("%04X", i), "B2", fmt.Sprintf("%04X", size), data))
		}
	}()
	before := uint64(0)
	eventually(t, "the server does not read on while nobody reads", func() bool {
		stats := s.Stats()
		stalled := stats.BytesIn > 0 && stats.BytesIn == before
		before = stats.BytesIn
		return stalled
	})
	if got := ask(t, dial(t, addr), "HEAD", "B20000"); got != "HEADB300" {
		t.Errorf("another client got %q", got)
	}
	for i := range requests {
		if got, want := readFrame(t, c), fmt.Sprintf("%04XB300%s", i, data); got != want {
			t.Fatalf("reply %d: %d bytes that begin %.12q, want %.12q", i, len(got), got, want)
		}
	}
	<-sent
	if got := ask(t, c, "HEAD", "B20000"); got != "HEADB300" {
		t.Errorf("and then %q", got)
	}
}

// Clients that send all they can leave room for one that asks now and then.
func TestFloodLeavesRoomForOthers(t *testing.T) { onBothPaths(t, testFloodLeavesRoomForOthers) }

func testFloodLeavesRoomForOthers(t *testing.T, newServer maker) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { copy(op.Answer[:], mac.Random.Bytes(op)) })
	addr := start(t, s)
	var floods sync.WaitGroup
	for range 4 {
		c := dial(t, addr)
		load := bytes.Repeat(frame("HEAD", publishedLoad), 500)
		floods.Go(func() {
			for {
				if _, err := c.Write(load); err != nil {
					return
				}
			}
		})
		floods.Go(func() { _, _ = io.Copy(io.Discard, c) })
		t.Cleanup(func() { _ = c.Close() })
	}
	modest := dial(t, addr)
	for i := range 20 {
		random := fmt.Sprintf("%08X", i)
		if got := ask(t, modest, "HEAD", named(random)); got != "HEADWB00"+random {
			t.Fatalf("reply %q", got)
		}
	}
}

// A frame of the longest kind that comes in small pieces is put together, and
// what follows it in the last piece is not lost.
func TestLongFrameInPieces(t *testing.T) { onBothPaths(t, testLongFrameInPieces) }

func testLongFrameInPieces(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Format.Header, s.Format.Limit = 4, 65535
	s.Limits.Frame = time.Minute
	c := dial(t, start(t, s))
	data := strings.Repeat("0123456789", 6550)
	for range 2 {
		in := frame("LONG", "B2", fmt.Sprintf("%04X", len(data)), data)
		for range 3 {
			in = append(in, frame("SHOR", "B20002hi")...)
		}
		for len(in) > 0 {
			n := min(len(in), 977)
			if _, err := c.Write(in[:n]); err != nil {
				t.Fatal(err)
			}
			in = in[n:]
		}
		if got := readFrame(t, c); got != "LONGB300"+data {
			t.Fatalf("echo of %d bytes came back as %d", len(data), len(got))
		}
		for range 3 {
			if got := readFrame(t, c); got != "SHORB300hi" {
				t.Fatalf("reply %q", got)
			}
		}
	}
}
