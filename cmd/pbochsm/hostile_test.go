package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	hostileFrames = flag.Int("hostile-frames", 40_000, "frames that TestHostileFrames sends")
	hostileSeed   = flag.Uint64("hostile-seed", 1, "what its frames follow from")
)

// TestHostileFrames sends a daemon what no client would: frames with bits
// flipped, cut, grown, glued together and made up. Each must be answered under
// its own header or cost the connection, at once; and in the end the daemon
// must be as it was: alive, right, and no larger.
func TestHostileFrames(t *testing.T) {
	cmd, addr := listening(t, "serve", "--dev", "--listen", "127.0.0.1:0", "--log-level", "error")
	const hostiles = 4
	rss := make(map[string]int)
	for _, part := range []string{"first tenth", "all"} {
		frames := *hostileFrames / 10
		if part == "all" {
			frames = *hostileFrames - frames
		}
		var wg sync.WaitGroup
		for i := range hostiles {
			wg.Go(func() {
				h := hostile{addr: addr, rand: rand.New(rand.NewPCG(*hostileSeed, uint64(i+len(part))))}
				if err := h.send(frames / hostiles); err != nil {
					t.Errorf("hostile %d, seed %d: %v", i, *hostileSeed, err)
				}
			})
		}
		wg.Wait()
		rss[part] = residentKiB(t, cmd.Process.Pid)
	}
	if before, after := rss["first tenth"], rss["all"]; after > before+before/4+8<<10 {
		t.Errorf("the daemon grew from %d KiB to %d KiB", before, after)
	}
	h := hostile{addr: addr}
	reply, err := h.exchange([]byte(publishedLoad))
	if err != nil || string(reply) != "HEADWB003A845BF0" {
		t.Errorf("the published load is answered %q, %v", reply, err)
	}
}

const publishedLoad = "HEADWA0101000112233440000000000000000100001001122334455201112212148222988AE5A"

// A hostile is one client that makes up frames.
type hostile struct {
	addr string
	rand *rand.Rand
	conn net.Conn
}

// send makes up n frames and sends them in bursts.
func (h *hostile) send(n int) error {
	for sent := 0; sent < n; {
		burst := 1 + h.rand.IntN(64)
		if err := h.burst(burst); err != nil {
			return err
		}
		sent += burst
	}
	if h.conn != nil {
		return h.conn.Close()
	}
	return nil
}

// burst sends frames in one write and reads what comes back: a reply to each,
// in order, up to a frame that breaks the stream.
func (h *hostile) burst(n int) error {
	if err := h.connect(); err != nil {
		return err
	}
	var out []byte
	var headers []string
	broken := false
	for range n {
		frame := h.frame(len(headers))
		out = append(out, frame...)
		if broken = !sound(frame); broken {
			break
		}
		headers = append(headers, string(frame[2:6]))
	}
	if broken {
		out = append(out, bytes.Repeat([]byte{'x'}, h.rand.IntN(100))...)
	}
	if _, err := h.conn.Write(out); err != nil {
		return h.lost(broken, err)
	}
	for _, header := range headers {
		reply, err := h.read()
		if err != nil {
			return h.lost(broken, err)
		}
		if len(reply) < 8 || string(reply[:4]) != header {
			return fmt.Errorf("reply %q is not one to %q", reply, header)
		}
	}
	if !broken {
		return nil
	}
	for { // at most a refusal, then the end
		if _, err := h.read(); err != nil {
			return h.lost(true, err)
		}
	}
}

// lost is what becomes of an error: a connection that the daemon was bound to
// close is replaced. Silence is never right.
func (h *hostile) lost(expected bool, err error) error {
	var n net.Error
	if !expected || errors.As(err, &n) && n.Timeout() {
		return err
	}
	_ = h.conn.Close()
	h.conn = nil
	return nil
}

func (h *hostile) connect() (err error) {
	if h.conn != nil {
		return h.conn.SetDeadline(time.Now().Add(time.Minute))
	}
	if h.conn, err = net.Dial("tcp", h.addr); err != nil {
		return err
	}
	return h.conn.SetDeadline(time.Now().Add(time.Minute))
}

func (h *hostile) exchange(payload []byte) ([]byte, error) {
	if err := h.connect(); err != nil {
		return nil, err
	}
	defer h.conn.Close()
	if _, err := h.conn.Write(framed(payload)); err != nil {
		return nil, err
	}
	return h.read()
}

func (h *hostile) read() ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(h.conn, length[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(h.conn, reply)
	return reply, err
}

// frame makes one up: a well-formed request in most cases, with something done
// to it.
func (h *hostile) frame(number int) []byte {
	codes := []string{"NC", "NO00", "B20004PING", "N0016", "BUFF1K001;FFF;001", "WC", "WE", "WG", "WI", "WK", "WM", "X?", "\x00\xff"}
	payload := []byte(publishedLoad)
	if h.rand.IntN(2) == 0 {
		payload = append([]byte("HEAD"), codes[h.rand.IntN(len(codes))]...)
		for h.rand.IntN(8) != 0 {
			payload = append(payload, "0123456789ABCDEF\x19%"[h.rand.IntN(18)])
		}
	}
	binary.BigEndian.PutUint32(payload, uint32(number))
	for h.rand.IntN(3) == 0 {
		at := 4 + h.rand.IntN(len(payload)-4)
		switch h.rand.IntN(3) {
		case 0:
			payload[at] ^= 1 << h.rand.IntN(8)
		case 1:
			payload = payload[:max(at, 6)]
		case 2:
			payload = append(payload, payload[at:]...)
		}
	}
	frame := framed(payload)
	if h.rand.IntN(200) == 0 {
		binary.BigEndian.PutUint16(frame, uint16(h.rand.Uint32())|0x8000)
	}
	if h.rand.IntN(200) == 0 {
		return []byte{0, byte(h.rand.IntN(6)), 'a', 'b', 'c', 'd', 'e', 'f'}
	}
	return frame
}

// sound tells whether a frame leaves the stream in step.
func sound(frame []byte) bool {
	n := int(binary.BigEndian.Uint16(frame))
	return n >= 6 && n <= 16<<10 && n == len(frame)-2
}

func framed(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(payload))), payload...)
}

// residentKiB is the resident memory of a process.
func residentKiB(t *testing.T, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc to read the memory of the daemon from")
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
