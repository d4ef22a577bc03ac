package protocol_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// script is a connection whose other end is written down: what it sends, in
// which portions, and what it got.
type script struct {
	in       []byte
	portions []byte // sizes of the reads, again and again
	reads    int
	out      bytes.Buffer
	closed   chan struct{}
	once     sync.Once
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := len(p)
	if len(s.portions) > 0 {
		n = 1 + int(s.portions[s.reads%len(s.portions)])
		s.reads++
	}
	n = copy(p, s.in[:min(n, len(s.in))])
	s.in = s.in[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *script) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
func (*script) LocalAddr() net.Addr              { return pipeAddr{} }
func (*script) RemoteAddr() net.Addr             { return pipeAddr{} }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

// streams hands scripts to a server that serves all of a fuzzing process.
type streams struct{ next chan net.Conn }

func (l *streams) Accept() (net.Conn, error) {
	c, ok := <-l.next
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l *streams) Close() error { return nil }
func (*streams) Addr() net.Addr { return pipeAddr{} }

// FuzzFrames sends any bytes in any portions. The server must end, having
// answered exactly the frames that were there, in order, with well-formed
// replies that echo header and trailer and, where they refuse, say no more.
func FuzzFrames(f *testing.F) {
	for _, tc := range [][]byte{
		frame("HEAD", publishedLoad),
		append(frame("HEAD", publishedLoad, "\x19t"), frame("0001", "NC")...),
		frame("HEAD", "B20003\x00\x19%", "%00\x19tail"),
		frame("HEAD", "BUFF1UK001;002;001"),
		append(frame("HEAD", "N0999"), 0, 3, 'x', 'y', 'z'),
		[]byte("\xff\xffHEADB2"),
		[]byte("\x00\x05HEADN"),
		append(bytes.Repeat(frame("HEAD", "NO00"), 50), 0x40),
	} {
		f.Add(tc, []byte{})
		f.Add(tc, []byte{0})
		f.Add(tc, []byte{6, 0, 200})
	}
	keys := newLive(f)
	server := &protocol.Server{
		HSM: mac.NewEngine(keys, zeros{}), Keys: keys, Rand: new(counter), Now: time.Now,
		Format: protocol.Format{Header: 4, Limit: 2000}, Limits: protocol.Limits{Batch: 16},
	}
	l := &streams{next: make(chan net.Conn)}
	go func() { _ = server.Serve(context.Background(), l) }()
	f.Cleanup(func() {
		close(l.next)
		_ = server.Shutdown(context.Background())
	})
	f.Fuzz(func(t *testing.T, in, portions []byte) {
		s := &script{in: in, portions: portions, closed: make(chan struct{})}
		l.next <- s
		select {
		case <-s.closed:
		case <-time.After(10 * time.Second):
			t.Fatal("the server hangs")
		}
		checkReplies(t, in, s.out.Bytes(), 4, 2000)
		if n := server.Stats().Panics; n > 0 {
			t.Fatalf("%d panics", n)
		}
	})
}

// zeros answers every chain with zeros, fast.
type zeros struct{}

func (zeros) Run(_ context.Context, _ *keystore.Snapshot, chains []mac.Chain) error {
	for i := range chains {
		chains[i].MAC = [2][8]byte{}
	}
	return nil
}

// checkReplies holds the replies in out against a second, naive reading of the
// requests in in.
func checkReplies(t *testing.T, in, out []byte, header, limit int) {
	t.Helper()
	replies := bytes.NewReader(out)
	for {
		request, more := nextRequest(in, header, limit)
		if request == nil {
			break
		}
		in = more
		reply, err := nextFrame(replies)
		if err != nil {
			t.Fatalf("no whole reply to %q: %v", request, err)
		}
		checkReply(t, string(request), reply, header)
	}
	if replies.Len() > 0 {
		t.Fatalf("%d bytes answer nothing", replies.Len())
	}
}

// nextRequest gives what there is of the next frame that must be answered.
func nextRequest(in []byte, header, limit int) (request, more []byte) {
	if len(in) < 2 {
		return nil, nil
	}
	n := int(binary.BigEndian.Uint16(in))
	in = in[2:]
	if len(in) >= header+2 && string(in[header:header+2]) == "WS" {
		limit = 65535
	}
	switch {
	case n > limit && len(in) >= header+2:
		return in[:header+2], nil
	case n > limit || len(in) < n || n < header:
		return nil, nil
	case n < header+2:
		return in[:n], nil
	}
	return in[:n], in[n:]
}

func checkReply(t *testing.T, request, reply string, header int) {
	t.Helper()
	if len(reply) < header+4 || reply[:header] != request[:header] {
		t.Fatalf("reply %q to %q: header", reply, request)
	}
	code, status, rest := reply[header:header+2], reply[header+2:header+4], reply[header+4:]
	want := "ZZ"
	if len(request) >= header+2 {
		want = string([]byte{request[header], request[header+1] + 1})
	}
	if code != want {
		t.Fatalf("reply %q to %q: code", reply, request)
	}
	known := false
	for _, line := range protocol.Statuses() {
		known = known || line.Status.String() == status
	}
	if !known {
		t.Fatalf("reply %q to %q: status", reply, request)
	}
	if status != "00" && !plainRefusal(request, "HEADxx"+status+rest) {
		t.Fatalf("reply %q to %q: too much for a refusal", reply, request)
	}
	if len(reply) > len(request)+1000 {
		t.Fatalf("reply of %d bytes to a request of %d", len(reply), len(request))
	}
}

// FuzzOps makes an operation of any bytes, asks it over a wire, and wants the
// HSM at the far end to see the same.
func FuzzOps(f *testing.F) {
	for _, op := range sampleOps(f) {
		raw := []byte{byte(op.Kind), op.Levels, op.Key.Set, op.Key.Version, op.Key.Algorithm}
		for _, field := range op.Kind.Inputs() {
			raw = append(raw, field.Bytes(&op)...)
		}
		f.Add(raw)
	}
	var got mac.Op
	server := newServer(f)
	server.HSM = hsmFunc(func(op *mac.Op) {
		got = *op
		op.Err = mac.ErrBudget
	})
	client := newClient(f, start(f, server))
	f.Fuzz(func(t *testing.T, raw []byte) {
		op := opOf(raw)
		ops := []mac.Op{op}
		if err := client.Do(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(ops[0].Err, mac.ErrBudget) {
			t.Fatalf("the HSM was not asked: %v", ops[0].Err)
		}
		if body(got) != body(op) || got.Levels != op.Levels {
			t.Fatalf("sent %s, arrived %s", body(op), body(got))
		}
	})
}

// opOf fills an operation of some kind with the bytes of raw.
func opOf(raw []byte) mac.Op {
	take := func(p []byte) { raw = raw[copy(p, raw):] }
	var head [5]byte
	take(head[:])
	kinds := mac.Kinds()
	op := mac.Op{Kind: kinds[int(head[0])%len(kinds)], Levels: head[1] % 5, Key: mac.KeyID{Set: head[2], Version: head[3], Algorithm: head[4]}}
	for i := range op.Levels {
		take(op.Factors[i][:])
	}
	for _, f := range op.Kind.Inputs() {
		if f.Counted() {
			f.SetLen(&op, len(raw)%(f.Width()+1))
		}
		take(f.Bytes(&op))
	}
	return op
}
