package protocol_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"pbochsm/protocol"
)

func TestPublishedLoad(t *testing.T) { onBothPaths(t, testPublishedLoad) }

func testPublishedLoad(t *testing.T, newServer maker) {
	c := dial(t, start(t, newServer(t)))
	if got, want := ask(t, c, "0001", publishedLoad), "0001WB003A845BF0"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	wrong := strings.Replace(publishedLoad, "2988AE5A", "2988AE5B", 1)
	if got, want := ask(t, c, "0002", wrong), "0002WB01"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
}

func TestPipelining(t *testing.T) { onBothPaths(t, testPipelining) }

func testPipelining(t *testing.T, newServer maker) {
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

func TestByteAtATime(t *testing.T) { onBothPaths(t, testByteAtATime) }

func testByteAtATime(t *testing.T, newServer maker) {
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

// Over TCP too: what one write brought is what one read gives.
func TestRepliesInOneSegment(t *testing.T) { onBothPaths(t, testRepliesInOneSegment) }

func testRepliesInOneSegment(t *testing.T, newServer maker) {
	c := dial(t, start(t, newServer(t)))
	for i := range 15 {
		if _, err := c.Write(bytes.Repeat(frame("HEAD", "B20005hello"), 1+i)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4096)
		n, err := c.Read(got)
		if want := strings.Repeat("\x00\x0dHEADB300hello", 1+i); err != nil || string(got[:n]) != want {
			t.Fatalf("first read gave %q, %v; want %q", got[:n], err, want)
		}
	}
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

func TestLogNamesFieldAndReason(t *testing.T) { onBothPaths(t, testLogNamesFieldAndReason) }

func testLogNamesFieldAndReason(t *testing.T, newServer maker) {
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

func TestStats(t *testing.T) { onBothPaths(t, testStats) }

func testStats(t *testing.T, newServer maker) {
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

// What the log says of a script, done or refused for whatever reason, has no PIN
// and no content in it.
func TestLogHasNoPIN(t *testing.T) { onBothPaths(t, testLogHasNoPIN) }

func testLogHasNoPIN(t *testing.T, newServer maker) {
	const pin, content = "9182736455", "C0FFEE5EC2E7"
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	c := dial(t, start(t, s))
	factor := "18000000123456789"
	for _, request := range []string{
		"YA020100" + factor + "00010441424344" + "05" + pin,
		"YA020100" + factor + "00010541424344" + "05" + pin,
		"YA770100" + factor + "00010441424344" + "05" + pin,
		"YC020100" + factor + "0005" + pin,
		"YC020100" + factor + "0005" + pin + "0",
		"YK020100" + factor + "85000441424344" + "00" + "06" + content,
		"YK020100" + factor + "85000441424344" + "02" + "06" + content,
		"YM030100" + factor + "85000441424344" + "00" + "06" + content,
	} {
		if reply := ask(t, c, "HEAD", request); len(reply) < 8 {
			t.Fatalf("reply %q", reply)
		}
	}
	text := log.String()
	if !strings.Contains(text, "request refused") {
		t.Error("nothing is logged of a refusal")
	}
	for _, secret := range []string{pin, content, strings.ToLower(content), string([]byte{0x91, 0x82, 0x73, 0x64, 0x55})} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
}
