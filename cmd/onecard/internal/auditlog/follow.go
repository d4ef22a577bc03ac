package auditlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Errors of reading a log.
var (
	// ErrNoLog is a file that no daemon has written as its audit log.
	ErrNoLog = errors.New("auditlog: not an audit log")
	// ErrShorter is a log that has lost what was read of it before.
	ErrShorter = errors.New("auditlog: the log is shorter than it was")
)

// maxLine is longer than any line of a log.
const maxLine = 4 << 10

// A Follower reads logs, each time from where it ended the time before. It is
// not safe for concurrent use.
type Follower struct {
	paths []string
	read  map[string]int64 // by file: bytes up to the last seal that was read
}

// Follow gives a Follower for logs: directories, or files of them.
func Follow(paths ...string) *Follower { return &Follower{paths: paths, read: map[string]int64{}} }

// Each visits every record that has come since the last call and was made
// after since. What an error keeps from being visited is visited by the next
// call, perhaps again.
func (f *Follower) Each(since time.Time, visit func(*Record) error) error {
	for _, path := range f.paths {
		files, err := segments(path)
		if err != nil {
			return err
		}
		for _, name := range files {
			if err := f.segment(name, since, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// segments gives the files of a log in their order: it is one of them, or the
// directory that has them.
func segments(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("auditlog: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "audit-*.jsonl"))
	if err == nil && len(files) == 0 {
		return nil, withoutSegments(path)
	}
	slices.Sort(files)
	return files, err
}

// withoutSegments tells what is wrong with a directory that has none. An empty
// one is the log of a daemon that has not made a MAC yet.
func withoutSegments(dir string) error {
	others, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("auditlog: %w", err)
	}
	if len(others) > 0 {
		return fmt.Errorf("%w: there is no audit-*.jsonl in %s", ErrNoLog, dir)
	}
	return nil
}

// segment visits the new records of one file.
func (f *Follower) segment(name string, since time.Time, visit func(*Record) error) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("auditlog: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("auditlog: %w", err)
	}
	begin := f.read[name]
	switch {
	case info.Size() < begin:
		return fmt.Errorf("%w: %s has %d bytes, and %d were read before", ErrShorter, name, info.Size(), begin)
	case info.Size() == begin || info.ModTime().Before(since):
		return nil
	}
	r := reader{since: since, visit: visit, end: begin}
	if _, err := file.Seek(begin, io.SeekStart); err != nil {
		return fmt.Errorf("auditlog: %w", err)
	}
	err = r.lines(bufio.NewReaderSize(file, 64<<10))
	f.read[name] = r.end
	if err != nil {
		return fmt.Errorf("auditlog: %s: behind byte %d: %w", name, r.end, err)
	}
	return nil
}

// A reader goes through a file seal by seal.
type reader struct {
	since time.Time
	visit func(*Record) error

	end     int64 // of the last seal
	at      int64
	pending []Record // since then
}

func (r *reader) lines(in *bufio.Reader) error {
	for r.at = r.end; ; {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil // what is begun here is not sealed
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		case err != nil || len(line) > maxLine:
			return fmt.Errorf("%w: a line of more than %d bytes", ErrNoLog, maxLine)
		}
		first := r.at == 0
		r.at += int64(len(line))
		if err := r.line(line, first); err != nil {
			return err
		}
	}
}

func (r *reader) line(line []byte, first bool) error {
	switch {
	case first:
		if !bytes.HasPrefix(line, []byte(`{"audit":"pbochsm 1"`)) {
			return ErrNoLog
		}
	case bytes.HasPrefix(line, []byte(`{"seal":`)):
		return r.seal()
	default:
		record, ok, err := parse(line)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNoLog, err)
		}
		if ok && !record.At.Before(r.since) {
			r.pending = append(r.pending, record)
		}
	}
	return nil
}

// seal passes on what is durable.
func (r *reader) seal() error {
	for i := range r.pending {
		if err := r.visit(&r.pending[i]); err != nil {
			return err
		}
	}
	r.pending, r.end = r.pending[:0], r.at
	return nil
}
