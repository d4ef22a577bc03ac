//go:build unix

package settlement

import (
	"errors"
	"os"
)

// syncFolder makes a renaming in a folder durable.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
