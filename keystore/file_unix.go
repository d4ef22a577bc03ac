//go:build unix && !aix

package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockDir keeps other writers out of dir until unlock. The lock dies with the
// process, so that a crash leaves nothing to clear away.
func lockDir(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("keystore: lock %s: %w", f.Name(), err)
	}
	return f.Close, nil
}

// exposed tells whether everybody has any right on a file. The group's rights
// are left to the administrator: container platforms set them on volumes.
func exposed(mode fs.FileMode) bool { return mode.Perm()&0o007 != 0 }

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
