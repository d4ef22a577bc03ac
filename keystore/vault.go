package keystore

import (
	"fmt"
	"sync/atomic"
)

const secretSize = len(Secret{})

// A vault holds secret bytes apart from everything else. On unix these are
// pages outside the Go heap: the collector never copies them, they are locked
// out of swap where the system allows it, and on Linux they are left out of
// core dumps.
//
// The pointer is an atomic one because no printer can follow it. Package fmt
// prints what an ordinary pointer in a struct leads to when the verb does not
// fit, whatever methods there are.
type vault struct {
	pages  atomic.Pointer[[]byte] // nil: destroyed
	locked bool
}

// newVault gives size zeros.
func newVault(size int) (*vault, error) {
	pages, locked, err := allocate(max(size, 1))
	if err != nil {
		return nil, fmt.Errorf("keystore: %d bytes of memory for secrets: %w", size, err)
	}
	pages = pages[:size]
	v := &vault{locked: locked}
	v.pages.Store(&pages)
	return v, nil
}

func (v *vault) bytes() []byte { return *v.pages.Load() }

func (v *vault) secret(h Handle) *Secret {
	return (*Secret)(v.bytes()[int(h)*secretSize:])
}

// destroy clears the secrets and gives the pages back. A use after it is a
// crash, so it is called by the last holder only.
func (v *vault) destroy() {
	pages := v.bytes()
	clear(pages)
	v.pages.Store(nil)
	release(pages[:cap(pages)])
}
