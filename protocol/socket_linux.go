package protocol

import (
	"net"

	"golang.org/x/sys/unix"
)

// unread is how many bytes have arrived and were not read yet.
func unread(nc net.Conn) int { return queued(nc, unix.SIOCINQ) }

// unsent tells whether the peer's system has yet to take some of what was
// written, the end of the stream included.
func unsent(nc net.Conn) bool { return queued(nc, unix.SIOCOUTQ) > 0 }

func queued(nc net.Conn, request uint) int {
	tcp, ok := plain(nc).(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	if err := raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), request) }); err != nil {
		return 0
	}
	return n
}
