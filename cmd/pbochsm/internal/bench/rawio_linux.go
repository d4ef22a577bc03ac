package bench

import (
	"syscall"
	"unsafe"
)

// The load generator reads and writes by calls of which the runtime does not
// know, as they never block: told, it would look every 20 µs whether to run
// another thread meanwhile, on a core that the server may have.

func readNow(fd int, b []byte) (int, error) { return rawCall(syscall.SYS_READ, fd, b) }

func writeNow(fd int, b []byte) (int, error) { return rawCall(syscall.SYS_WRITE, fd, b) }

// rawCall takes at least one byte.
func rawCall(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))) //nolint:gosec // the one use of it that package unsafe allows for
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
