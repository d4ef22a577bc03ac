package protocol_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Of more slow connections than are asked at once, the newest goes first, and
// those that have waited too long are refused.
func TestNewestFirst(t *testing.T) {
	const atOnce, waiting = 256, 40
	s, g, now := overloaded(t, newServer)
	s.Loops = 1
	addr := start(t, s)
	var conns []net.Conn
	for i := range atOnce + waiting {
		c := dial(t, addr)
		_, _ = c.Write(frame("SLOW", named(fmt.Sprintf("A0%06X", i))))
		<-g.asked
		conns = append(conns, c)
	}
	now.forward(time.Second)
	for range conns {
		g.let <- struct{}{}
	}
	for i, c := range conns {
		expect(t, c, "SLOWWB0000000000")
		before := s.Stats().BytesIn
		_, _ = c.Write(frame("SLOW", named(fmt.Sprintf("B0%06X", i))))
		eventually(t, "the request is read", func() bool { return s.Stats().BytesIn > before })
	}
	for range atOnce {
		if got := <-g.asked; got >= fmt.Sprintf("B0%06X", atOnce) {
			t.Errorf("asked %s, which is one too many", got)
		}
	}
	for i := range 3 {
		g.let <- struct{}{}
		if got, want := <-g.asked, fmt.Sprintf("B0%06X", len(conns)-1-i); got != want {
			t.Errorf("asked %s next, want the newest, %s", got, want)
		}
	}
	now.forward(9 * time.Second)
	expect(t, dial(t, addr), "HEADB300", "HEAD", "B20000") // which has the loop look at its clock
	for _, c := range conns[atOnce : atOnce+waiting-3] {
		expect(t, c, "SLOWWB16")
	}
	// After the refusal they are clients as before.
	c := conns[atOnce]
	_, _ = c.Write(frame("SLOW", named("C0000000")))
	var asked []string
	go func() {
		for range atOnce + 1 {
			g.let <- struct{}{}
		}
	}()
	expect(t, c, "SLOWWB0000000000")
	for len(g.asked) > 0 {
		asked = append(asked, <-g.asked)
	}
	if !slices.Equal(asked, []string{"C0000000"}) {
		t.Errorf("asked %v since, want C0000000 alone", asked)
	}
	for _, c := range slices.Concat(conns[:atOnce], conns[atOnce+waiting-3:]) {
		expect(t, c, "SLOWWB0000000000")
	}
}

// expect has a client send a request, unless it has, and get that reply.
func expect(t *testing.T, c net.Conn, want string, request ...string) {
	t.Helper()
	if len(request) > 0 {
		_, _ = c.Write(frame(request...))
	}
	if got := readFrame(t, c); got != want {
		t.Fatalf("reply %q, want %q", got, want)
	}
}

// However much a client has sent at full speed before, the server's system keeps
// little of what it sends while nobody reads.
func TestStuckServerKeepsLittle(t *testing.T) { onBothPaths(t, testStuckServerKeepsLittle) }

func testStuckServerKeepsLittle(t *testing.T, newServer maker) {
	const rounds, most = 50, 512 << 10
	s := newServer(t)
	h := slowFor{entered: make(chan struct{}, 1), release: make(chan struct{})}
	s.HSM = h
	c := dial(t, start(t, s))
	data := make([]byte, 16000)
	echo := frame("HEAD", "B2", fmt.Sprintf("%04X", len(data)), string(data))
	reply := frame("HEAD", "B300", string(data))
	run := bytes.Repeat(echo, 60)
	go func() {
		for range rounds {
			_, _ = c.Write(run)
		}
	}()
	if _, err := io.CopyN(io.Discard, c, int64(60*rounds*len(reply))); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write(frame("STOP", named("FF000000")))
	<-h.entered
	defer close(h.release)
	sent := 0
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	for err := error(nil); err == nil; {
		var n int
		n, err = c.Write(run)
		sent += n
	}
	if kept := sent - unsentBy(t, c); kept > most {
		t.Errorf("%d KiB were taken of a client that nobody read, want at most %d", kept>>10, most>>10)
	}
}

// unsentBy is what the client's own system has of what it sent.
func unsentBy(t *testing.T, c net.Conn) (n int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}
