package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	segmentPrefix = "audit-"
	segmentSuffix = ".jsonl"
	segmentDigits = 8

	// maxLine is longer than any line of a log.
	maxLine = 4 << 10
)

func segmentName(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%0*d%s", segmentPrefix, segmentDigits, number, segmentSuffix))
}

// segments lists the numbers of the segments in dir, in order. A log may have
// been begun before the first of them: old segments are moved to an archive.
func segments(dir string) (numbers []uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	for _, e := range entries {
		var n uint64
		name := e.Name()
		if !strings.HasPrefix(name, segmentPrefix) || !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		if _, err := fmt.Sscanf(name, segmentPrefix+"%d"+segmentSuffix, &n); err != nil || segmentName(dir, n) != filepath.Join(dir, name) {
			return nil, fmt.Errorf("%w: %s is no name of a segment", ErrDamaged, name)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, nil
}

// A reader goes through one segment and holds every byte against the seals.
type reader struct {
	key    []byte             // nil: tags are not checked
	record func([]byte) error // nil, or given every sealed record
	sealed func(Head)         // nil, or told every seal

	opening opening
	head    Head  // of the last seal, or the one before the segment
	size    int64 // bytes up to the last seal
	line    int
	sum     hash.Hash
	pending [][]byte // records since the last seal
}

// errTorn is what follows the last seal of a segment and has none: a write
// that was interrupted. Nobody was answered on its account.
var errTorn = errors.New("audit: unsealed lines at the end")

// read reads the file. A torn end gives errTorn, with everything before it
// read.
func (r *reader) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxLine)
	at := int64(0)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && len(line) == 0 && at == r.size && r.line > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errTorn
		case errors.Is(err, bufio.ErrBufferFull):
			return r.damaged(name, errors.New("line too long"))
		default:
			return fmt.Errorf("audit: %w", err)
		}
		r.line++
		at += int64(len(line))
		if err := r.take(line, at); err != nil {
			return r.damaged(name, err)
		}
	}
}

func (r *reader) damaged(name string, err error) error {
	return fmt.Errorf("%w: %s: line %d: %w", ErrDamaged, filepath.Base(name), r.line, err)
}

// take takes one line, which ends at the given place.
func (r *reader) take(line []byte, at int64) error {
	switch {
	case r.line == 1:
		return r.open(line)
	case isSeal(line):
		return r.seal(line, at)
	}
	r.sum.Write(line)
	if r.record != nil {
		r.pending = append(r.pending, bytes.Clone(line))
	} else {
		r.pending = append(r.pending, nil)
	}
	return nil
}

func (r *reader) open(line []byte) error {
	if err := json.Unmarshal(line, &r.opening); err != nil {
		return err
	}
	if r.opening.Audit != formatName || !bytes.Equal(r.opening.line(), line) {
		return errors.New("not the first line of a segment")
	}
	var err error
	if r.head, err = r.opening.head(); err != nil {
		return err
	}
	r.sum = sha256.New()
	r.sum.Write(r.head.Hash[:])
	r.sum.Write(line)
	return nil
}

// seal checks a seal against all that was read, and passes the records on.
func (r *reader) seal(line []byte, at int64) error {
	var s sealLine
	if err := json.Unmarshal(line, &s); err != nil {
		return err
	}
	next := Head{Seal: r.head.Seal + 1, Records: r.head.Records + uint64(len(r.pending))}
	r.sum.Write(firstMembers(nil, next.Seal, next.Records))
	r.sum.Sum(next.Hash[:0])
	written := s.line(next)
	switch {
	case s.Seal != next.Seal || s.Records != next.Records:
		return fmt.Errorf("seal %d of %d records, where %d of %d is due", s.Seal, s.Records, next.Seal, next.Records)
	case !bytes.Equal(written, line):
		return errors.New("the hash is another")
	case r.key != nil && !hmac.Equal(appendHex(nil, tagOf(r.key, next.Hash)...), []byte(s.Tag)):
		return errors.New("the tag is another: altered, or sealed for another keystore")
	}
	for _, record := range r.pending {
		if r.record == nil {
			break
		}
		if err := r.record(record); err != nil {
			return err
		}
	}
	r.head, r.size, r.pending = next, at, r.pending[:0]
	r.sum.Reset()
	r.sum.Write(next.Hash[:])
	if r.sealed != nil {
		r.sealed(next)
	}
	return nil
}
