//go:build !unix

package keystore

// Systems without mmap and mlock keep secrets on the heap.
func allocate(size int) (pages []byte, locked bool, err error) {
	return make([]byte, size), false, nil
}

func release([]byte) {}
