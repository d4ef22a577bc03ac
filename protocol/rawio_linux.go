package protocol

import (
	"syscall"
	"unsafe"
)

// readNow and writeNow are system calls on sockets that never block. So the
// runtime need not know of them: told, it would look every 20 µs whether it
// should run another thread meanwhile, which on a busy machine costs more than
// the call.

func readNow(fd int, b []byte) (int, error) { return ioNow(syscall.SYS_READ, fd, b) }

func writeNow(fd int, b []byte) (int, error) { return ioNow(syscall.SYS_WRITE, fd, b) }

func ioNow(call uintptr, fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, syscall.EINVAL
	}
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))) //nolint:gosec // the one use of it that package unsafe allows for
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
