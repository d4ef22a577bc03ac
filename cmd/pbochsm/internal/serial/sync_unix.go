//go:build unix

package serial

import "os"

// syncDir makes the name of a file in the directory durable.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
