package serial

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"pbochsm/mac"
)

const (
	recordSize = 16
	// ahead is how many serials of a terminal one write reserves.
	ahead = 256
	// MaxTerminals bounds the terminals of a file, whoever makes them up.
	MaxTerminals = 100_000
	// rewriteAbove is how many records a file may have, beyond one for each
	// terminal, before it is written anew when it is opened.
	rewriteAbove = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header stands in the place of the terminal in the first record, whose limit is
// the first serial of a terminal that has no record.
var header = mac.TerminalID([]byte("serial"))

// reserved is what is left of a terminal's reservation: serials from next up to,
// not including, limit.
type reserved struct{ next, limit uint32 }

// A File gives out serials. It is safe for concurrent use.
type File struct {
	mu        sync.Mutex
	file      *os.File
	lock      *flock.Flock
	first     uint32 // serial of a terminal that has had none
	terminals map[mac.TerminalID]reserved
	skipped   bool
	failed    error
}

// Open opens the file of that name, or makes it. Only one process may have it
// open.
func Open(name string) (_ *File, err error) {
	f := &File{lock: flock.New(name + ".lock"), terminals: make(map[mac.TerminalID]reserved)}
	if got, err := f.lock.TryLock(); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	} else if !got {
		return nil, fmt.Errorf("%w: %s", ErrInUse, name)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	records, err := f.read()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, name)
	}
	if records == 0 || f.skipped || records > len(f.terminals)+rewriteAbove {
		if err := f.rewrite(name); err != nil {
			return nil, fmt.Errorf("serial: %w", err)
		}
	}
	return f, syncDir(filepath.Dir(name))
}

// Skipped tells whether the end of the file was not whole when it was opened, so
// that every terminal has left serials out.
func (f *File) Skipped() bool { return f.skipped }

// read takes up what the file says, and counts the records, the header with them.
// It changes nothing: the file may be another one's.
func (f *File) read() (records int, err error) {
	text, err := io.ReadAll(f.file)
	if err != nil {
		return 0, fmt.Errorf("serial: %w", err)
	}
	f.first = 1
	if len(text) < recordSize && bytes.HasPrefix(appendRecord(nil, header, f.first), text) {
		return 0, nil // a new file, or one that was interrupted at once
	}
	for ; len(text) >= recordSize; text = text[recordSize:] {
		terminal, limit, ok := parseRecord([recordSize]byte(text))
		switch {
		case records == 0 && (!ok || terminal != header || limit < 1):
			return 0, fmt.Errorf("%w: it does not begin as a file of serials does", ErrDamaged)
		case !ok && len(text) >= 2*recordSize:
			return 0, fmt.Errorf("%w: record %d", ErrDamaged, records)
		case ok && limit < f.terminals[terminal].limit:
			return 0, fmt.Errorf("%w: record %d goes back", ErrDamaged, records)
		}
		if !ok {
			break
		}
		if records == 0 {
			f.first = limit
		} else {
			f.terminals[terminal] = reserved{limit, limit}
		}
		records++
	}
	if records == 0 {
		return 0, fmt.Errorf("%w: it does not begin as a file of serials does", ErrDamaged)
	}
	if len(text) > 0 {
		f.skip()
	}
	_, err = f.file.Seek(int64(records)*recordSize, io.SeekStart)
	return records, err
}

// skip leaves out what the record at the end can have reserved, of whichever
// terminal it was.
func (f *File) skip() {
	f.skipped = true
	f.first = beyond(f.first)
	for terminal, r := range f.terminals {
		limit := beyond(r.limit)
		f.terminals[terminal] = reserved{limit, limit}
	}
}

// beyond is the limit of the next reservation.
func beyond(limit uint32) uint32 { return uint32(min(uint64(limit)+ahead, math.MaxUint32)) }

// rewrite leaves one record for each terminal. The old file stays until the new
// one is on the disk.
func (f *File) rewrite(name string) error {
	text := appendRecord(nil, header, f.first)
	for terminal, r := range f.terminals {
		text = appendRecord(text, terminal, r.limit)
	}
	fresh, err := os.OpenFile(name+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fresh.Write(text)
	if err = errors.Join(err, fresh.Sync()); err == nil {
		err = os.Rename(name+".tmp", name)
	}
	if err != nil {
		return errors.Join(err, fresh.Close())
	}
	_ = f.file.Close()
	f.file = fresh
	return nil
}

// Assign gives each operation that asks for one the next serial of its terminal.
// What gets none has the reason in its Err.
func (f *File) Assign(ops []*mac.Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for rest := ops; len(rest) > 0; {
		n, err := f.reserve(rest)
		for _, op := range rest[:n] {
			f.take(op, err)
		}
		rest = rest[n:]
	}
}

// reserve makes sure, with one write, that the first n operations can have
// serials: as many as their terminals have reserved or now get.
func (f *File) reserve(ops []*mac.Op) (n int, err error) {
	if f.failed != nil {
		return len(ops), f.failed
	}
	var text []byte
	wanted := make(map[mac.TerminalID]uint32)
	fresh := make(map[mac.TerminalID]reserved)
	for _, op := range ops {
		terminal := mac.TerminalID(mac.Terminal.Bytes(op))
		r, known := f.terminals[terminal]
		if wanted[terminal] == ahead { // the rest in another write
			break
		}
		wanted[terminal]++
		n++
		_, done := fresh[terminal]
		enough := known && (r.limit-r.next >= wanted[terminal] || r.limit == math.MaxUint32)
		full := !known && len(f.terminals)+len(fresh) >= MaxTerminals
		if done || enough || full {
			continue
		}
		if !known {
			r = reserved{f.first, f.first}
		}
		r.limit = beyond(r.limit)
		fresh[terminal] = r
		text = appendRecord(text, terminal, r.limit)
	}
	if len(text) == 0 {
		return n, nil
	}
	_, err = f.file.Write(text)
	if err = errors.Join(err, f.file.Sync()); err != nil {
		f.failed = fmt.Errorf("%w: %w", ErrFailed, err)
		return len(ops), f.failed
	}
	for terminal, r := range fresh {
		f.terminals[terminal] = r
	}
	return n, nil
}

// take gives op the next serial that is reserved for its terminal.
func (f *File) take(op *mac.Op, err error) {
	terminal := mac.TerminalID(mac.Terminal.Bytes(op))
	r, known := f.terminals[terminal]
	switch {
	case err != nil:
		op.Err = err
	case !known:
		op.Err = ErrFull
	case r.next == r.limit:
		op.Err = ErrUsedUp
	default:
		binary.BigEndian.PutUint32(mac.TerminalSerial.Bytes(op), r.next)
		r.next++
		f.terminals[terminal] = r
		op.Err = nil
	}
}

// Terminals counts the terminals that have had a serial.
func (f *File) Terminals() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.terminals)
}

// Close lets go of the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = ErrFailed
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	return errors.Join(err, f.lock.Unlock())
}

func appendRecord(text []byte, terminal mac.TerminalID, limit uint32) []byte {
	start := len(text)
	text = append(text, terminal[:]...)
	text = binary.BigEndian.AppendUint32(text, limit)
	text = append(text, 0, 0)
	return binary.BigEndian.AppendUint32(text, crc32.Checksum(text[start:], castagnoli))
}

func parseRecord(r [recordSize]byte) (terminal mac.TerminalID, limit uint32, ok bool) {
	sum := binary.BigEndian.Uint32(r[12:])
	return mac.TerminalID(r[:6]), binary.BigEndian.Uint32(r[6:]), sum == crc32.Checksum(r[:12], castagnoli) && r[10]|r[11] == 0
}
