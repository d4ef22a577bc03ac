package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const lockName = "audit.lock"

// Open opens the log for writing, and makes it if there is none. The last
// segment must be whole, up to an interrupted write at its end, which is cut
// off; and the log must reach as far as the head file says. visit, if not nil,
// is given the records of every segment that was changed since the given time.
func Open(o Options, since time.Time, visit func(record []byte) error) (_ *Log, err error) {
	if o.Segment == 0 {
		o.Segment = DefaultSegment
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Directory, 0o750); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	lock := flock.New(filepath.Join(o.Directory, lockName))
	if got, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	} else if !got {
		return nil, fmt.Errorf("%w: %s", ErrInUse, o.Directory)
	}
	l := &Log{o: o, lock: lock, next: new(commit), heads: newHeadFile(o.HeadFile, o.Logger)}
	l.changed = sync.NewCond(&l.mu)
	defer func() {
		if err != nil {
			if l.file != nil {
				_ = l.file.Close()
			}
			_ = lock.Unlock()
		}
	}()
	if err := l.resume(since, visit); err != nil {
		return nil, err
	}
	return l, nil
}

// resume finds the end of the log.
func (l *Log) resume(since time.Time, visit func([]byte) error) error {
	numbers, err := segments(l.o.Directory)
	if err != nil {
		return err
	}
	known, err := l.heads.read()
	if err != nil {
		return err
	}
	met := known.Seal == 0
	sealed := func(h Head) { met = met || h.Seal == known.Seal && h.Hash == known.Hash }
	for i, n := range numbers {
		r := reader{key: l.o.Key, record: visit, sealed: sealed}
		if i == len(numbers)-1 {
			err = l.takeLast(n, &r)
		} else {
			err = l.skim(n, since, &r)
		}
		if err != nil {
			return err
		}
		met = met || known.Seal <= l.head.Seal && known.Seal <= r.opening.Seal
	}
	if !met {
		return fmt.Errorf("%w: %s has the head %s, and the log ends at %s", ErrCut, l.heads.name, known, l.head)
	}
	return nil
}

// skim reads a segment that others follow, if it was changed since then.
func (l *Log) skim(n uint64, since time.Time, r *reader) error {
	name := segmentName(l.o.Directory, n)
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	l.number = n
	if info.ModTime().Before(since) {
		return nil
	}
	if err := whole(name, r.read(name)); err != nil {
		return err
	}
	l.head = r.head
	return nil
}

// takeLast goes on with the last segment, without what an interrupted write
// has left. One that was never sealed goes away.
func (l *Log) takeLast(n uint64, r *reader) error {
	name := segmentName(l.o.Directory, n)
	err := r.read(name)
	torn := errors.Is(err, errTorn)
	if err != nil && !torn {
		return err
	}
	if torn {
		l.o.Logger.Warn("audit: cutting off an interrupted write", "segment", n)
	}
	if r.size == 0 {
		return l.dropLast(n)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	l.file, l.size, l.number, l.head = f, r.size, n, r.head
	if err := f.Truncate(r.size); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// dropLast removes a segment that was begun and never sealed. The one before
// it says where the log ends.
func (l *Log) dropLast(n uint64) error {
	if n > 1 && l.number != n-1 {
		return fmt.Errorf("%w: %s was never sealed, and the segment before it is not here", ErrDamaged, filepath.Base(segmentName(l.o.Directory, n)))
	}
	if n > 1 {
		r := reader{key: l.o.Key}
		name := segmentName(l.o.Directory, n-1)
		if err := whole(name, r.read(name)); err != nil {
			return err
		}
		l.head = r.head
	}
	if err := os.Remove(segmentName(l.o.Directory, n)); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return syncDir(l.o.Directory)
}

// whole makes an end without a seal an error like the others.
func whole(name string, err error) error {
	if errors.Is(err, errTorn) {
		return fmt.Errorf("%w: %s: no seal at the end", ErrDamaged, filepath.Base(name))
	}
	return err
}
