//go:build !unix || aix

package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// lockDir keeps other writers out of dir until unlock, by a file that exists
// for as long. A crash leaves it behind, to be deleted by hand.
func lockDir(dir string) (unlock func() error, err error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w, or one that did has crashed and left %s", ErrLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	_ = f.Close()
	return func() error { return os.Remove(path) }, nil
}

// exposed has no answer here: permission bits do not say who may read.
func exposed(fs.FileMode) bool { return false }

// syncDir does nothing where directories cannot be synced.
func syncDir(string) error { return nil }
