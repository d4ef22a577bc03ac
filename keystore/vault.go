//go:build unix

package keystore

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const secretSize = len(Secret{})

// A vault holds key bytes in pages outside the Go heap: the collector never
// copies them, they are locked out of swap where the system allows it, and
// they are left out of core dumps.
type vault struct {
	pages  []byte
	locked bool
}

func newVault(n int) (*vault, error) {
	size := max(n, 1) * secretSize
	pages, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("keystore: memory for %d keys: %w", n, err)
	}
	excludeFromDump(pages)
	return &vault{pages: pages, locked: unix.Mlock(pages) == nil}, nil
}

func (v *vault) secret(h Handle) *Secret {
	return (*Secret)(v.pages[int(h)*secretSize:])
}

// destroy clears the keys and gives the pages back. A use after it faults, so
// it is called by the last holder only.
func (v *vault) destroy() {
	clear(v.pages)
	_ = unix.Munmap(v.pages)
	v.pages = nil
}
