//go:build unix

package keystore

import "golang.org/x/sys/unix"

func allocate(size int) (pages []byte, locked bool, err error) {
	pages, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, false, err
	}
	excludeFromDump(pages)
	return pages, unix.Mlock(pages) == nil, nil
}

func release(pages []byte) { _ = unix.Munmap(pages) }
