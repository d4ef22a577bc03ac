package keystore

import (
	"fmt"
	"io"
)

const secretSize = len(Secret{})

// A vault holds secret bytes apart from everything else. On unix these are
// pages outside the Go heap: the collector never copies them, they are locked
// out of swap where the system allows it, and on Linux they are left out of
// core dumps.
type vault struct {
	pages  []byte
	locked bool
}

// newVault gives size zeros.
func newVault(size int) (*vault, error) {
	pages, locked, err := allocate(max(size, 1))
	if err != nil {
		return nil, fmt.Errorf("keystore: %d bytes of memory for secrets: %w", size, err)
	}
	return &vault{pages: pages[:size], locked: locked}, nil
}

func (v *vault) secret(h Handle) *Secret {
	return (*Secret)(v.pages[int(h)*secretSize:])
}

// destroy clears the secrets and gives the pages back. A use after it faults,
// so it is called by the last holder only.
func (v *vault) destroy() {
	clear(v.pages)
	release(v.pages[:max(len(v.pages), 1)])
	v.pages = nil
}

// Format writes a placeholder whatever the verb.
func (*vault) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "<vault>") }
