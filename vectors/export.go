package vectors

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Export writes the files of all families, the primitives and the schema into
// a directory, which it makes. A file that is there already is not replaced.
func Export(dir string) (written []string, err error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // what is written is published
		return nil, fmt.Errorf("vectors: %w", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return written, fmt.Errorf("vectors: %w", err)
		}
		if err := writeNew(filepath.Join(dir, name), text); err != nil {
			return written, fmt.Errorf("vectors: %w", err)
		}
		written = append(written, name)
	}
	return written, nil
}

func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // what is written is published
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
