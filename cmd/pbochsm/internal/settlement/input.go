package settlement

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Stdin is the name of the standard input among files.
const Stdin = "-"

// An input is one file of a run, plain or compressed.
type input struct {
	file  io.Reader
	seek  io.Seeker // nil where the content is not the file's own bytes
	text  io.Reader // what the file says
	close []func()
}

// openInput opens a file by its name. What is read of it, as it is stored, is
// counted in read.
func openInput(name string, stdin io.Reader, read *atomic.Int64) (in *input, err error) {
	in = new(input)
	defer func() {
		if err != nil {
			in.Close()
		}
	}()
	if name == Stdin {
		in.file = stdin
	} else {
		f, err := os.Open(name)
		if err != nil {
			return in, err
		}
		in.file, in.seek = f, f
		in.close = append(in.close, func() { _ = f.Close() })
	}
	return in, in.decompress(read)
}

// decompress looks at the first bytes, whatever the file is called.
func (in *input) decompress(read *atomic.Int64) error {
	var magic [4]byte
	n, err := io.ReadFull(in.file, magic[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	whole := io.MultiReader(bytes.NewReader(magic[:n]), in.file)
	counted := &countingReader{whole, read}
	switch {
	case bytes.HasPrefix(magic[:n], []byte{0x1F, 0x8B}):
		z, err := gzip.NewReader(bufio.NewReaderSize(counted, 256<<10))
		if err != nil {
			return err
		}
		in.text, in.seek = z, nil
	case bytes.HasPrefix(magic[:n], []byte{0x28, 0xB5, 0x2F, 0xFD}):
		// A larger window would let a small file claim a large memory.
		z, err := zstd.NewReader(counted, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(2))
		if err != nil {
			return err
		}
		in.text, in.seek = z, nil
		in.close = append([]func(){z.Close}, in.close...)
	default:
		in.text = counted
	}
	return nil
}

// skip passes over the first n bytes of the text. done says how many have
// been read already.
func (in *input) skip(r *bufio.Reader, done, n int64, read *atomic.Int64) error {
	if in.seek == nil {
		_, err := io.CopyN(io.Discard, r, n-done)
		return err
	}
	if _, err := in.seek.Seek(n, io.SeekStart); err != nil {
		return err
	}
	read.Add(n - done)
	r.Reset(&countingReader{in.file, read})
	return nil
}

// Close closes the file.
func (in *input) Close() {
	for _, f := range in.close {
		f()
	}
}

type countingReader struct {
	io.Reader
	n *atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// A fingerprint tells whether a file is still the one that it was: by its
// size, the time of its last change, and how it begins.
type fingerprint struct {
	Size    int64  `json:"size"`
	Changed int64  `json:"changed"`
	Head    string `json:"head"`
}

func fingerprintOf(name string) (fingerprint, error) {
	f, err := os.Open(name)
	if err != nil {
		return fingerprint{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fingerprint{}, err
	}
	if !info.Mode().IsRegular() {
		return fingerprint{}, fmt.Errorf("%s is no regular file, so that nothing can be taken up again", name)
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, f, 64<<10); err != nil && !errors.Is(err, io.EOF) {
		return fingerprint{}, err
	}
	return fingerprint{info.Size(), info.ModTime().UnixNano(), hex.EncodeToString(hash.Sum(nil))}, nil
}
