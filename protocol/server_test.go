package protocol_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

func TestPublishedLoad(t *testing.T) {
	c := dial(t, start(t, newServer(t)))
	if got, want := ask(t, c, "0001", publishedLoad), "0001WB003A845BF0"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	wrong := strings.Replace(publishedLoad, "2988AE5A", "2988AE5B", 1)
	if got, want := ask(t, c, "0002", wrong), "0002WB01"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
}

func TestPipelining(t *testing.T) {
	const depth = 1000
	s := newServer(t)
	c := dial(t, start(t, s))
	var all bytes.Buffer
	for i := range depth {
		load := publishedLoad
		if i%3 == 1 {
			load = strings.Replace(load, "2988AE5A", "00000000", 1)
		}
		all.Write(frame(fmt.Sprintf("%04X", i), load))
	}
	if _, err := c.Write(all.Bytes()); err != nil {
		t.Fatal(err)
	}
	for i := range depth {
		want := fmt.Sprintf("%04XWB003A845BF0", i)
		if i%3 == 1 {
			want = fmt.Sprintf("%04XWB01", i)
		}
		if got := readFrame(t, c); got != want {
			t.Fatalf("reply %d: %q, want %q", i, got, want)
		}
	}
	if n := s.Stats().Batches; n > depth/4 {
		t.Errorf("%d requests took %d batches", depth, n)
	}
}

func TestByteAtATime(t *testing.T) {
	c := dial(t, start(t, newServer(t)))
	for range 2 {
		for _, b := range frame("HEAD", publishedLoad) {
			if _, err := c.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := readFrame(t, c), "HEADWB003A845BF0"; got != want {
			t.Fatalf("reply %q, want %q", got, want)
		}
	}
}

// Many clients read a reply with one recv, so a run of replies is one write.
func TestRepliesInOneWrite(t *testing.T) {
	ours, theirs := net.Pipe() // each Read of a pipe sees one Write, or a part
	startOn(t, newServer(t), newOnce(theirs))
	var requests []byte
	for range 2 {
		requests = append(requests, frame("HEAD", "B20005hello")...)
	}
	if _, err := ours.Write(requests); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4096)
	n, err := ours.Read(got)
	want := strings.Repeat("\x00\x0dHEADB300hello", 2)
	if err != nil || string(got[:n]) != want {
		t.Errorf("first read gave %q, %v; want %q", got[:n], err, want)
	}
	_ = ours.Close()
}

// once is a listener with one connection to accept.
type once struct {
	conn   chan net.Conn
	closed chan struct{}
}

func newOnce(c net.Conn) *once {
	l := &once{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- c
	return l
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *once) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *once) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func TestFramingErrors(t *testing.T) {
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

func TestFrameOfTheLimit(t *testing.T) {
	s := newServer(t)
	s.Format = protocol.Format{Header: 255, Limit: 65535}
	c := dial(t, start(t, s))
	header := strings.Repeat("\x00\xff\x19%;", 51)
	data := strings.Repeat("d", 65535-255-2-4)
	if got := ask(t, c, header, "B2", fmt.Sprintf("%04X", len(data)), data); got != header+"B300"+data {
		t.Errorf("echo of %d bytes came back as %d", len(data), len(got))
	}
}

func TestRepliesBeforeAFramingError(t *testing.T) {
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

func TestSlowSenderIsCut(t *testing.T) {
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

func TestIdleIsClosed(t *testing.T) {
	s := newServer(t)
	s.Limits = shortLimits()
	c := dial(t, start(t, s))
	if got := ask(t, c, "HEAD", "NO00"); !strings.HasPrefix(got, "HEADNP00") {
		t.Fatalf("reply %q", got)
	}
	mustClose(t, c)
}

func TestClientThatNeverReads(t *testing.T) {
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

func TestCaps(t *testing.T) {
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

func TestPanicIsAnsweredAndLoggedWithoutTheRequest(t *testing.T) {
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	s.HSM = hsmFunc(func(op *mac.Op) { panic(fmt.Sprintf("amount %x", mac.Amount.Bytes(op))) })
	addr := start(t, s)
	c := dial(t, addr)
	_, _ = c.Write(append(frame("0001", publishedLoad, "\x19tail"), frame("0002", "B20002hi")...))
	for _, want := range []string{"0001WB41\x19tail", "0002B341"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	mustClose(t, c)
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
	if got := ask(t, dial(t, addr), "HEAD", "B20002hi"); got != "HEADB300hi" {
		t.Errorf("another connection: %q", got)
	}
	if text := log.String(); !strings.Contains(text, "panic in a request") || strings.Contains(text, "1000") {
		t.Errorf("log: %s", text)
	}
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("no entropy") }

func TestPanicOfACommonCommand(t *testing.T) {
	s := newServer(t)
	s.Rand = panicReader{}
	c := dial(t, start(t, s))
	_, _ = c.Write(append(frame("0001", "B20002hi"), frame("0002", "N0008")...))
	for _, want := range []string{"0001B341", "0002N141"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	mustClose(t, c)
}

func TestServeRefusesBadConfiguration(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*protocol.Server)
	}{
		{"no HSM", func(s *protocol.Server) { s.HSM = nil }},
		{"no randomness", func(s *protocol.Server) { s.Rand = nil }},
		{"no clock", func(s *protocol.Server) { s.Now = nil }},
		{"firmware", func(s *protocol.Server) { s.Firmware = "1.0" }},
		{"header", func(s *protocol.Server) { s.Format = protocol.Format{Header: 256, Limit: 1000} }},
		{"limit below a command", func(s *protocol.Server) { s.Format = protocol.Format{Header: 4, Limit: 5} }},
		{"limit above a length", func(s *protocol.Server) { s.Format = protocol.Format{Header: 4, Limit: 65536} }},
		{"deadline", func(s *protocol.Server) { s.Limits.Idle = -1 }},
		{"cap", func(s *protocol.Server) { s.Limits.Connections = -1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			tc.edit(s)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Serve(t.Context(), l); err == nil {
				t.Error("Serve took it")
			}
			if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
				t.Error("the listener is still open")
			}
		})
	}
}

func TestLogNamesFieldAndReason(t *testing.T) {
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	c := dial(t, start(t, s))
	ask(t, c, "HEAD", strings.Replace(publishedLoad, "20111221", "20110230", 1))
	ask(t, c, "HEAD", strings.Replace(publishedLoad, "001122334455", "00112233445x", 1))
	eventually(t, "both are logged", func() bool { return strings.Count(log.String(), "request refused") == 2 })
	text := log.String()
	for _, want := range []string{"command=WA", "status=15", "invalid date", "malformed terminal"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the log:\n%s", want, text)
		}
	}
	for _, value := range []string{"20110230", "00112233445", "2988", "11223344"} {
		if strings.Contains(text, value) {
			t.Errorf("the log has the value %s:\n%s", value, text)
		}
	}
}

func TestStats(t *testing.T) {
	s := newServer(t)
	c := dial(t, start(t, s))
	ask(t, c, "HEAD", publishedLoad)
	ask(t, c, "HEAD", publishedLoad)
	ask(t, c, "HEAD", strings.Replace(publishedLoad, "2988AE5A", "00000000", 1))
	ask(t, c, "HEAD", "QQ")
	got := s.Stats()
	want := []protocol.RequestCount{{Command: "", Status: 68, Count: 1}, {Command: "WA", Status: 0, Count: 2}, {Command: "WA", Status: 1, Count: 1}}
	if fmt.Sprint(got.Requests) != fmt.Sprint(want) || got.Open != 1 || got.Accepted != 1 || got.BytesIn == 0 || got.BytesOut == 0 {
		t.Errorf("stats %+v, want requests %v", got, want)
	}
}
