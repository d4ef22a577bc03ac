package protocol

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A loop of many connections reads and writes by calls of which the runtime does
// not know: they never block. Told, it would look every 20 µs whether to run
// another thread meanwhile, which costs a tenth of the time of a request. With
// one connection it is told, because then replies were found to come a third
// later without.

func (l *loop) readNow(fd int, b []byte) (int, error) {
	if !l.crowded {
		return syscall.Read(fd, b)
	}
	return rawCall(syscall.SYS_READ, fd, b)
}

func (l *loop) writeNow(fd int, b []byte) (int, error) {
	if !l.crowded {
		return syscall.Write(fd, b)
	}
	return rawCall(syscall.SYS_WRITE, fd, b)
}

// pollNow notes which connections have become ready, without waiting, and gives
// how many.
func (l *loop) pollNow() int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.poll), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)), 0, 0, 0) //nolint:gosec // the one use of it that package unsafe allows for
	if errno != 0 {
		return 0
	}
	return int(n)
}

// yieldNow lets other threads run that want this processor. The runtime knows: it
// may take a while.
func yieldNow() { _, _, _ = syscall.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

func rawCall(call uintptr, fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, syscall.EINVAL
	}
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))) //nolint:gosec // the one use of it that package unsafe allows for
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
