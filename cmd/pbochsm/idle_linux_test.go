package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

var idle = flag.Int("idle", 10_000, "how many idle connections TestIdleConnections opens, as far as descriptors allow")

// A daemon with ten thousand idle connections, each of which has asked
// something before, fits into 80 MB.
func TestIdleConnections(t *testing.T) {
	const most = 80 << 20
	n := *idle
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if n > int(limit.Max)-200 {
		n = int(limit.Max) - 200
		t.Logf("only %d connections: the limit of descriptors is %d", n, limit.Max)
	}
	cmd, addr := listening(t, "serve", "--dev", "--listen", "127.0.0.1:0")
	open := make([]net.Conn, n)
	request, reply := []byte("\x00\x0aHEADB20000"), make([]byte, 2+8)
	for i := range open {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, reply); err != nil || string(reply[2:]) != "HEADB300" {
			t.Fatalf("connection %d: reply %q, %v", i, reply, err)
		}
		open[i] = c
	}
	rss := residentOf(t, cmd.Process.Pid)
	t.Logf("%d connections: %d MiB resident, %d bytes each", n, rss>>20, rss/n)
	if rss > most && !raced {
		t.Errorf("%d bytes resident with %d idle connections, more than %d", rss, n, most)
	}
}

// residentOf is the memory of a process that is in memory.
func residentOf(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize()
}
