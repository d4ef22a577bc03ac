package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/gofrs/flock"
)

// DefaultSegment is how large a segment grows, in bytes.
const DefaultSegment = 256 << 20

// Options say where a log is and what it is sealed with.
type Options struct {
	Directory string
	Key       []byte // of the tags; see keystore.Store.AuditKey
	Store     string // check value of the storage master key, for the reader
	Segment   int64  // a larger segment is followed by a new one; 0: DefaultSegment
	HeadFile  string // "", or where the head is kept, on another disk at best
	Logger    *slog.Logger
}

// A Log is written by one process. Append may be called concurrently.
type Log struct {
	o    Options
	lock *flock.Flock

	mu      sync.Mutex
	changed *sync.Cond
	next    *commit // collects what the next write will take
	busy    bool    // a write is under way, by the caller that leads it
	spare   []byte
	closed  bool

	// Of whoever leads, and of Close.
	file    *os.File
	size    int64
	number  uint64 // of the segment
	head    Head
	heads   *headFile
	failing bool
}

// A commit is what goes to the disk in one write.
type commit struct {
	lines   []byte
	records int
	done    bool
	err     error
}

// Append makes lines, which hold n records, durable. Callers that come while
// a write is under way share the next one.
func (l *Log) Append(lines []byte, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return os.ErrClosed
	}
	c := l.next
	c.lines = append(c.lines, lines...)
	c.records += n
	for !c.done {
		if l.busy {
			l.changed.Wait()
			continue
		}
		l.lead(c)
	}
	return c.err
}

// lead writes c, which is next, without the lock.
func (l *Log) lead(c *commit) {
	l.busy = true
	l.next, l.spare = &commit{lines: l.spare[:0]}, nil
	l.mu.Unlock()
	err := l.write(c)
	l.mu.Lock()
	c.err, c.done, l.busy, l.spare = err, true, false, c.lines
	l.changed.Broadcast()
}

// write seals c and waits for the disk. If it fails the log is as it was
// before, and the next one tries again.
func (l *Log) write(c *commit) error {
	err := l.tryWrite(c)
	switch {
	case err != nil && !l.failing:
		l.o.Logger.Error("audit: no MAC is answered until records can be written", "error", err)
	case err == nil && l.failing:
		l.o.Logger.Warn("audit: records are written again")
	}
	l.failing = err != nil
	return err
}

func (l *Log) tryWrite(c *commit) error {
	if l.file == nil || l.size >= l.o.Segment {
		if err := l.begin(); err != nil {
			return err
		}
	}
	// The opening of a segment is sealed together with the first records.
	prefix := []byte(nil)
	if l.size == 0 {
		prefix = l.opening().line()
	}
	lines, head := appendSeal(append(prefix, c.lines...), l.head, c.records, l.o.Key)
	if _, err := l.file.WriteAt(lines, l.size); err != nil {
		return l.undo(err)
	}
	if err := l.file.Sync(); err != nil {
		return l.undo(err)
	}
	l.size += int64(len(lines))
	l.head = head
	l.heads.tell(head)
	return nil
}

// undo takes back what a failed write may have left.
func (l *Log) undo(err error) error {
	return errors.Join(err, l.file.Truncate(l.size))
}

func (l *Log) opening() opening {
	return opening{
		Audit: formatName, Store: l.o.Store, Segment: l.number,
		Seal: l.head.Seal, Records: l.head.Records, Previous: fmt.Sprintf("%X", l.head.Hash),
	}
}

// begin starts the next segment: an empty file, until the first write.
func (l *Log) begin() error {
	f, err := os.OpenFile(segmentName(l.o.Directory, l.number+1), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(l.o.Directory); err != nil {
		_ = f.Close()
		return errors.Join(err, os.Remove(f.Name()))
	}
	if l.file != nil {
		_ = l.file.Close() // synced at its last write
	}
	l.file, l.size = f, 0
	l.number++
	return nil
}

// Head is where the log ends.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.busy {
		l.changed.Wait()
	}
	return l.head
}

// Close writes the head file and lets go of the log. No Append may follow.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.busy {
		l.changed.Wait()
	}
	if l.closed {
		return nil
	}
	l.closed = true
	err := l.heads.close(l.head)
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return errors.Join(err, l.lock.Unlock())
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
