// Package sample makes settlement files to test with: as many records as one
// likes, with TACs that are right but for the errors that were asked for, and
// the list of these errors. The same seed makes the same file.
//
// The TACs are made with the published test keys and with nothing else, by the
// readable arithmetic: so a file that package settlement finds to be as the
// list says has been judged by two independent computations.
package sample

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/vectors"
)

// Options say what to make.
type Options struct {
	Records uint64
	Errors  uint64 // how many of them are wrong
	Seed    uint64
	Keys    []mac.KeyID // published TAC keys; all active ones if empty
	Writer  *settlement.Writer
	Workers int // at least 1
}

// blockSize is how many records are made at a time.
const blockSize = 2048

// Write writes the records to file and, as lines of a verdict file, what
// is wrong with the wrong ones to expect.
func Write(ctx context.Context, o Options, file, expect io.Writer) error {
	if o.Errors > o.Records {
		return fmt.Errorf("%d errors in %d records", o.Errors, o.Records)
	}
	m, err := newMaker(&o)
	if err != nil {
		return err
	}
	out, list := bufio.NewWriter(file), bufio.NewWriter(expect)
	_, _ = out.WriteString(o.Writer.Head())
	_, _ = list.WriteString(settlement.VerdictHeader)
	for b := range m.blocks(ctx) {
		if b.err != nil {
			return b.err
		}
		_, _ = out.Write(b.lines)
		if _, err := list.Write(b.planted); err != nil {
			return err
		}
	}
	return errors.Join(out.Flush(), list.Flush())
}

// A maker makes blocks of records.
type maker struct {
	*Options
	live   *keystore.Live
	active []keystore.Key
	idle   []keystore.Key // that exist and are not active
}

func newMaker(o *Options) (*maker, error) {
	snapshot, err := vectors.Snapshot()
	if err != nil {
		return nil, err
	}
	m := &maker{Options: o, live: keystore.NewLive(snapshot)}
	for _, k := range snapshot.Keys() {
		switch {
		case k.Usage != keystore.UsageTAC:
		case k.State != keystore.StateActive:
			m.idle = append(m.idle, k)
		case len(o.Keys) == 0:
			m.active = append(m.active, k)
		}
	}
	for _, id := range o.Keys {
		ref := keystore.Ref{Set: id.Set, Usage: keystore.UsageTAC, Version: id.Version, Algorithm: id.Algorithm}
		h, err := snapshot.Find(ref)
		if err != nil {
			return nil, fmt.Errorf("%s is no published TAC key: %w", id, err)
		}
		m.active = append(m.active, *snapshot.Key(h))
	}
	return m, nil
}

// A block is some records, as lines, and what is wrong with them.
type block struct {
	lines, planted []byte
	err            error
}

// blocks makes all blocks, several at a time, and gives them in order.
func (m *maker) blocks(ctx context.Context) func(func(*block) bool) {
	return func(yield func(*block) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		under := make(chan chan *block, m.Workers)
		go func() {
			defer close(under)
			for first := uint64(0); first < m.Records && ctx.Err() == nil; first += blockSize {
				done := make(chan *block, 1)
				select {
				case under <- done:
					go func() { done <- m.block(ctx, first) }()
				case <-ctx.Done():
				}
			}
		}()
		for done := range under {
			if !yield(<-done) {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(&block{err: err})
		}
	}
}

// planted tells whether record i is one of the wrong ones: there is one in
// each of as many stretches of the file as there are errors, at a place that
// the seed decides.
func (m *maker) planted(i uint64) bool {
	if m.Errors == 0 {
		return false
	}
	stretch := scale(i, m.Errors, m.Records)
	first, next := scaleUp(stretch, m.Records, m.Errors), scaleUp(stretch+1, m.Records, m.Errors)
	return i == first+mix(m.Seed, stretch)%(next-first)
}

// scale is a·b/c, for a < c.
func scale(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// scaleUp is a·b/c rounded up, for a at most c.
func scaleUp(a, b, c uint64) uint64 {
	if a == c {
		return b
	}
	hi, lo := bits.Mul64(a, b)
	q, rest := bits.Div64(hi, lo, c)
	return q + min(rest, 1)
}

// mix is a number that looks random and follows from the seed and n.
func mix(seed, n uint64) uint64 {
	hi, lo := bits.Mul64(seed^0x9E3779B97F4A7C15, n^0xD6E8FEB86659FD93)
	hi2, lo2 := bits.Mul64(hi^lo^0xA0761D6478BD642F, n+0xE7037ED1A0B428DB)
	return hi2 ^ lo2
}
