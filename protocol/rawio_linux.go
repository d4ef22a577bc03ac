package protocol

import (
	"syscall"
	"unsafe"
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
