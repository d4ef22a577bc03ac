package protocol_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

// More load than there is time for: what has waited too long is refused and not
// computed, so that what is new is answered.

// A clock goes as the real one, and can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time             { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(long time.Duration) { c.ahead.Add(int64(long)) }

// gated is an HSM that tells what it is asked, and answers when it is let.
type gated struct {
	asked chan string // the random of the first load of a call
	let   chan struct{}
}

func newGated() gated { return gated{make(chan string, 10_000), make(chan struct{})} }

func (g gated) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		g.asked <- fmt.Sprintf("%X", mac.Random.Bytes(&ops[i]))
	}
	<-g.let
	return nil
}

// overloaded is a server with a gate behind it that has patience for 8 s.
func overloaded(t *testing.T, newServer maker) (*protocol.Server, gated, *clock) {
	g, now := newGated(), new(clock)
	s := newServer(t)
	s.HSM, s.Now = g, now.now
	s.Limits = protocol.Limits{Batch: 1, Wait: 8 * time.Second, Frame: time.Hour, Idle: time.Hour, Write: time.Hour}
	return s, g, now
}

func TestLateRequestsAreRefused(t *testing.T) { onBothPaths(t, testLateRequestsAreRefused) }

func testLateRequestsAreRefused(t *testing.T, newServer maker) {
	const late = 50
	s, g, now := overloaded(t, newServer)
	c := dial(t, start(t, s))
	_, _ = c.Write(frame("HEAD", named("A0000000")))
	asked := []string{<-g.asked}
	now.forward(2 * time.Second) // the HSM is slow, as the server sees now
	var run []byte
	run = append(run, frame("HEAD", named("A0000001"))...)
	for i := range late {
		run = append(run, frame(fmt.Sprintf("L%03d", i), named(fmt.Sprintf("BB%06X", i)), "\x19trail")...)
	}
	run = append(run, frame("DIAG", "B20002hi")...)
	_, _ = c.Write(run)
	g.let <- struct{}{}
	asked = append(asked, <-g.asked)
	now.forward(9 * time.Second) // with all of the run but the first in the queue
	_, _ = c.Write(append(frame("HEAD", named("A0000002")), frame("HEAD", named("A0000003"))...))
	for range 3 {
		g.let <- struct{}{}
	}
	asked = append(asked, <-g.asked, <-g.asked)
	var want []string
	want = append(want, "HEADWB0000000000", "HEADWB0000000000")
	for i := range late {
		want = append(want, fmt.Sprintf("L%03dWB16\x19trail", i))
	}
	want = append(want, "DIAGB300hi", "HEADWB0000000000", "HEADWB0000000000")
	for i, w := range want {
		if got := readFrame(t, c); got != w {
			t.Fatalf("reply %d: %q, want %q", i, got, w)
		}
	}
	if want := []string{"A0000000", "A0000001", "A0000002", "A0000003"}; !slices.Equal(asked, want) || len(g.asked) > 0 {
		t.Errorf("the HSM was asked %v and %d more, want %v", asked, len(g.asked), want)
	}
	counted := uint64(0)
	for _, r := range s.Stats().Requests {
		if r.Command == "WA" && r.Status == protocol.StatusOf(protocol.ErrBusy) {
			counted += r.Count
		}
	}
	if counted != late {
		t.Errorf("%d refusals counted, want %d", counted, late)
	}
}

// Whoever waits for less than the patience is answered, however slow the HSM is.
func TestPatienceIsKept(t *testing.T) { onBothPaths(t, testPatienceIsKept) }

func testPatienceIsKept(t *testing.T, newServer maker) {
	const requests = 20
	s, g, now := overloaded(t, newServer)
	c := dial(t, start(t, s))
	var run []byte
	for range requests {
		run = append(run, frame("HEAD", publishedLoad)...)
	}
	_, _ = c.Write(run)
	for range requests {
		<-g.asked
		now.forward(8 * time.Second / requests)
		g.let <- struct{}{}
		if got := readFrame(t, c); got != "HEADWB0000000000" {
			t.Fatalf("reply %q", got)
		}
	}
}

// The error of a server that is too busy is one that has others asked.
func TestBusyIsUnavailable(t *testing.T) {
	text := protocol.StatusError(protocol.StatusOf(protocol.ErrBusy)).Error()
	if !strings.HasPrefix(text, "protocol: status 16: too busy") {
		t.Errorf("text %q", text)
	}
	if got := protocol.StatusOf(mac.ErrUnavailable); got != 20 {
		t.Errorf("a token that does not answer is %s", got)
	}
}
