package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// headEvery is how far the head file may be behind the log.
const headEvery = time.Second

// A headFile tells another file where the log ends. Without a name it is
// told and tells nothing.
type headFile struct {
	name    string
	log     *slog.Logger
	last    time.Time
	failing bool
}

func newHeadFile(name string, log *slog.Logger) *headFile { return &headFile{name: name, log: log} }

// read gives the head that was told last, or the zero one if none was.
func (h *headFile) read() (Head, error) {
	if h.name == "" {
		return Head{}, nil
	}
	text, err := os.ReadFile(h.name)
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("audit: head: %w", err)
	}
	return ParseHead(string(text))
}

// tell writes the head if it is time to. A head file that cannot be written
// stops nothing: the log itself is whole.
func (h *headFile) tell(head Head) {
	if h.name == "" || time.Since(h.last) < headEvery {
		return
	}
	h.last = time.Now()
	err := h.write(head)
	if err != nil && !h.failing {
		h.log.Error("audit: the head file cannot be written", "error", err)
	}
	h.failing = err != nil
}

// close writes the last head.
func (h *headFile) close(head Head) error {
	if h.name == "" || head.Seal == 0 {
		return nil
	}
	return h.write(head)
}

// write replaces the file, durably, so that it never holds half a head.
func (h *headFile) write(head Head) error {
	temp := h.name + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, head); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp, h.name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(h.name))
}
