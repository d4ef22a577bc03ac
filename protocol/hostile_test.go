package protocol_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pbochsm/protocol"
)

func TestFramingErrors(t *testing.T) { onBothPaths(t, testFramingErrors) }

func testFramingErrors(t *testing.T, newServer maker) {
	long := strings.Repeat("x", 20000)
	for _, tc := range []struct {
		name   string
		header int
		send   string
		want   string // what follows the length of the only reply; empty: none
	}{
		{"no header", 4, "\x00\x03HEA", ""},
		{"empty", 4, "\x00\x00", ""},
		{"header alone", 4, "\x00\x04HEAD", "HEADZZ51"},
		{"half a command", 4, "\x00\x05HEADN", "HEADZZ51"},
		{"empty, no header configured", 0, "\x00\x00", "ZZ51"},
		{"half a command, no header configured", 0, "\x00\x01N", "ZZ51"},
		{"too long", 4, string(frame("HEAD", "B2", long)), "HEADB380"},
		{"too long and not there", 4, "\xff\xffHEADWA", "HEADWB80"},
		{"wide header", 12, "\x00\x0cHEADHEADHEAD", "HEADHEADHEADZZ51"},
		{"whatever follows is not read", 4, "\x00\x04HEAD" + string(frame("HEAD", "NC")), "HEADZZ51"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			s.Format = protocol.Format{Header: tc.header, Limit: 16 << 10}
			c := dial(t, start(t, s))
			_, _ = io.WriteString(c, tc.send)
			if tc.want != "" {
				if got := readFrame(t, c); got != tc.want {
					t.Errorf("reply %q, want %q", got, tc.want)
				}
			}
			mustClose(t, c)
		})
	}
}

func TestFrameOfTheLimit(t *testing.T) { onBothPaths(t, testFrameOfTheLimit) }

func testFrameOfTheLimit(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Format = protocol.Format{Header: 255, Limit: 65535}
	c := dial(t, start(t, s))
	header := strings.Repeat("\x00\xff\x19%;", 51)
	data := strings.Repeat("d", 65535-255-2-4)
	if got := ask(t, c, header, "B2", fmt.Sprintf("%04X", len(data)), data); got != header+"B300"+data {
		t.Errorf("echo of %d bytes came back as %d", len(data), len(got))
	}
}

func TestRepliesBeforeAFramingError(t *testing.T) { onBothPaths(t, testRepliesBeforeAFramingError) }

func testRepliesBeforeAFramingError(t *testing.T, newServer maker) {
	c := dial(t, start(t, newServer(t)))
	_, _ = c.Write(append(frame("0001", publishedLoad), "\x00\x01x"...))
	if got, want := readFrame(t, c), "0001WB003A845BF0"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	mustClose(t, c)
}

// shortLimits has deadlines that a test can wait for.
func shortLimits() protocol.Limits {
	return protocol.Limits{Frame: 150 * time.Millisecond, Idle: 400 * time.Millisecond, Write: 200 * time.Millisecond, Handshake: 200 * time.Millisecond}
}

func TestSlowSenderIsCut(t *testing.T) { onBothPaths(t, testSlowSenderIsCut) }

func testSlowSenderIsCut(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Limits = shortLimits()
	s.Limits.Idle = time.Minute
	c := dial(t, start(t, s))
	whole := frame("HEAD", publishedLoad)
	// A byte now and then does not move the deadline of the frame.
	for _, b := range whole[:len(whole)-1] {
		if _, err := c.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	mustClose(t, c)
	if n := s.Stats().Cut; n != 1 {
		t.Errorf("%d connections cut, want 1", n)
	}
}

func TestIdleIsClosed(t *testing.T) { onBothPaths(t, testIdleIsClosed) }

func testIdleIsClosed(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Limits = shortLimits()
	c := dial(t, start(t, s))
	if got := ask(t, c, "HEAD", "NO00"); !strings.HasPrefix(got, "HEADNP00") {
		t.Fatalf("reply %q", got)
	}
	mustClose(t, c)
}

func TestClientThatNeverReads(t *testing.T) { onBothPaths(t, testClientThatNeverReads) }

func testClientThatNeverReads(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Limits = shortLimits()
	s.Limits.Frame, s.Limits.Idle = time.Minute, time.Minute
	addr := start(t, s)
	c := dial(t, addr)
	flood := bytes.Repeat(frame("HEAD", "N0999"), 1000)
	for {
		if _, err := c.Write(flood); err != nil {
			break
		}
	}
	eventually(t, "the connection is closed", func() bool { return s.Stats().Open == 0 })
	if got := ask(t, dial(t, addr), "0001", publishedLoad); got != "0001WB003A845BF0" {
		t.Errorf("another client got %q", got)
	}
}

func TestCaps(t *testing.T) { onBothPaths(t, testCaps) }

func testCaps(t *testing.T, newServer maker) {
	for _, tc := range []struct {
		name   string
		limits protocol.Limits
	}{
		{"in all", protocol.Limits{Connections: 3, PerClient: 9}},
		{"per client", protocol.Limits{Connections: 9, PerClient: 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			s.Limits = tc.limits
			addr := start(t, s)
			var open []net.Conn
			for i := range 3 {
				c := dial(t, addr)
				if got := ask(t, c, "HEAD", "B20000"); got != "HEADB300" {
					t.Fatalf("connection %d: %q", i, got)
				}
				open = append(open, c)
			}
			mustClose(t, dial(t, addr))
			if n := s.Stats().Refused; n != 1 {
				t.Errorf("%d refused, want 1", n)
			}
			_ = open[0].Close()
			eventually(t, "a place is free", func() bool { return s.Stats().Open == 2 })
			if got := ask(t, dial(t, addr), "HEAD", "B20000"); got != "HEADB300" {
				t.Errorf("after one has left: %q", got)
			}
		})
	}
}

// Whoever makes the server refuse a lot does not make it log a lot.
func TestLogIsRateLimited(t *testing.T) { onBothPaths(t, testLogIsRateLimited) }

func testLogIsRateLimited(t *testing.T, newServer maker) {
	const refusals = 5000
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	c := dial(t, start(t, s))
	_, _ = c.Write(bytes.Repeat(frame("HEAD", "QQ"), refusals))
	for range refusals {
		if got := readFrame(t, c); got != "HEADQR68" {
			t.Fatalf("reply %q", got)
		}
	}
	if n := strings.Count(log.String(), "request refused"); n == 0 || n > refusals/10 {
		t.Errorf("%d lines of log for %d refusals", n, refusals)
	}
}

// The clock of a frame starts with its first byte, not with the connection or
// with the frame before it.
func TestPauses(t *testing.T) { onBothPaths(t, testPauses) }

func testPauses(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Limits = protocol.Limits{Frame: 300 * time.Millisecond, Idle: time.Minute}
	c := dial(t, start(t, s))
	for range 2 {
		time.Sleep(400 * time.Millisecond)
		whole := frame("HEAD", publishedLoad)
		_, _ = c.Write(whole[:1])
		time.Sleep(50 * time.Millisecond)
		_, _ = c.Write(whole[1:10])
		time.Sleep(50 * time.Millisecond)
		_, _ = c.Write(whole[10:])
		if got, want := readFrame(t, c), "HEADWB003A845BF0"; got != want {
			t.Fatalf("reply %q, want %q", got, want)
		}
	}
}
