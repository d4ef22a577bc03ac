package settlement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"pbochsm/mac"
)

// Options say what a run verifies, with what, and where it writes.
type Options struct {
	Files   []string // one after another; Stdin among them at most once
	Stdin   io.Reader
	Format  Format
	HSM     mac.HSM
	Workers int // how many chunks are asked about at the same time; at least 1
	Chunk   int // bytes of a chunk, at least twice as long as a line should be; 256 KiB if 0

	Out   string // the verdict file; none if empty
	State string // the state file; none if empty
	Keys  string // tells one set of keys from another, for the state file

	Now      func() time.Time    // the clock of checkpoints
	Interval time.Duration       // between two of them
	Progress func(done Progress) // called after every chunk; may be nil
}

// Progress is how far a run has come.
type Progress struct {
	Records uint64
	Read    int64 // bytes of the files as they are stored
	Size    int64 // of all files; 0 if unknown
}

const defaultChunk = 256 << 10

// A run is the pipeline and the place that it has come to.
type run struct {
	Options
	needs  *kindNeeds
	lines  *verdictLine
	state  state
	totals *totals
	out    *os.File
	saved  time.Time

	read atomic.Int64 // bytes of the files
	size int64

	free    chan *chunk
	order   chan *chunk // every chunk, as it was cut
	working gate        // of the workers that have a chunk
}

// Run verifies files to their end and sums up. An error means that it did not
// come to the end, or that it could not write down what it found; wrong TACs
// and wrong lines are no errors here but in the summary.
func Run(ctx context.Context, o Options) (*Summary, error) {
	r := &run{Options: o, needs: newKindNeeds(), lines: newVerdictLine(), totals: newTotals()}
	if r.Chunk == 0 {
		r.Chunk = defaultChunk
	}
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	err := r.pipeline(ctx)
	if err := errors.Join(err, r.save(), r.close()); err != nil {
		return nil, err
	}
	return r.totals.summary(), nil
}

// begin finds where to begin, opens the verdict file there, and writes a first
// state, so that from now on there is always one to go with the verdict file.
func (r *run) begin() error {
	if err := r.spareInputs(); err != nil {
		return err
	}
	r.measure()
	r.state = state{Format: stateFormat, File: 1, Line: 1}
	if r.State != "" {
		if err := r.resume(); err != nil {
			return err
		}
	}
	if r.Out != "" {
		if err := r.openOut(); err != nil {
			return err
		}
	}
	return r.save()
}

func (r *run) close() error {
	if r.out == nil {
		return nil
	}
	return r.out.Close()
}

// measure adds up the sizes of the files, if all of them have one.
func (r *run) measure() {
	for _, name := range r.Files {
		info, err := os.Stat(name)
		if name == Stdin || err != nil || !info.Mode().IsRegular() {
			r.size = 0
			return
		}
		r.size += info.Size()
	}
}

// resume takes up the state file, if there is one.
func (r *run) resume() error {
	id, err := r.identities()
	if err != nil {
		return err
	}
	old, found, err := readState(r.State)
	if err != nil {
		return err
	}
	if found {
		if err := id.differs(&old.Run); err != nil {
			return err
		}
		r.state = *old
		err = old.restore(r.totals)
	}
	r.state.Run = id
	return err
}

// spareInputs refuses to write over what is to be read.
func (r *run) spareInputs() error {
	for _, written := range []string{r.Out, r.State} {
		to, err := os.Stat(written)
		if err != nil {
			continue
		}
		for _, name := range r.Files {
			if from, err := os.Stat(name); err == nil && os.SameFile(from, to) {
				return fmt.Errorf("settlement: %s would be read and written", name)
			}
		}
	}
	return nil
}

// openOut begins the verdict file, or cuts it where the state says.
func (r *run) openOut() (err error) {
	if r.state.Verdicts == 0 {
		if r.out, err = os.Create(r.Out); err != nil {
			return err
		}
		return r.append([]byte(VerdictHeader))
	}
	if r.out, err = os.OpenFile(r.Out, os.O_WRONLY, 0); err != nil {
		return err
	}
	end, err := r.out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end < r.state.Verdicts {
		return fmt.Errorf("%w: %s has been shortened", ErrChanged, r.Out)
	}
	if err := r.out.Truncate(r.state.Verdicts); err != nil {
		return err
	}
	_, err = r.out.Seek(r.state.Verdicts, io.SeekStart)
	return err
}

func (r *run) append(verdicts []byte) error {
	if _, err := r.out.Write(verdicts); err != nil {
		return err
	}
	r.state.Verdicts += int64(len(verdicts))
	return nil
}

// save makes everything up to here durable, if there is a state file: first the
// verdicts, then the state that counts on them.
func (r *run) save() error {
	if r.State == "" {
		return nil
	}
	if r.out != nil {
		if err := r.out.Sync(); err != nil {
			return err
		}
	}
	r.state.keep(r.totals)
	return r.state.write(r.State)
}
