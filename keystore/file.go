package keystore

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	fileName = "keystore.age"
	tempName = fileName + ".tmp"
	lockName = "keystore.lock"

	// maxFile is far above a full key table. A larger file is none of ours.
	maxFile = 4 << 20
)

// readFile gives the whole file of a data directory.
func readFile(dir string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if exposed(info.Mode()) {
		return nil, fmt.Errorf("%w: %s has mode %#o", ErrExposed, f.Name(), info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: %s is larger than any store", ErrDamaged, f.Name())
	}
	return data, nil
}

// replaceFile puts data in the place of the file, all of it or nothing: a
// crash at any point leaves either the old file or the new one, complete. When
// it returns nil the new one is on the disk.
func replaceFile(dir string, data []byte) error {
	temp := filepath.Join(dir, tempName)
	if err := os.Remove(temp); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("keystore: leftover of an interrupted save: %w", err)
	}
	if err := writeSynced(temp, data); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("keystore: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(dir, fileName)); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("keystore: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("keystore: the save may not outlive a power cut: %w", err)
	}
	return nil
}

// writeSynced makes a new file and returns when the disk has it.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
