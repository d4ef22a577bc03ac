package sample

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A scribe runs chains with the readable arithmetic and notes the MAC of the
// last. This is how the TACs are made: no operation of the module makes one.
type scribe struct{ made mac.TransactionMAC }

// Run fills in the MACs of chains and notes the last.
func (s *scribe) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	err := reference.Backend{}.Run(ctx, keys, chains)
	s.made = mac.TransactionMAC(chains[len(chains)-1].MAC[0][:4])
	return err
}

// sign asks about each of ops alone, so that what is noted is its TAC, and writes
// that down. What the operation claimed before does not matter.
func (s *scribe) sign(ctx context.Context, live *keystore.Live, ops []mac.Op) error {
	hsm := mac.NewEngine(live, s)
	for i := range ops {
		err := hsm.Do(ctx, ops[i:i+1])
		if err == nil && !errors.Is(ops[i].Err, mac.ErrVerify) && ops[i].Err != nil {
			err = fmt.Errorf("a record that was made is refused: %w", ops[i].Err)
		}
		if err != nil {
			return err
		}
		copy(mac.TAC.Bytes(&ops[i]), s.made[:])
	}
	return nil
}

// block makes the records from the one at first on.
func (m *maker) block(ctx context.Context, first uint64) *block {
	n := min(blockSize, m.Records-first)
	r := &random{rand.New(rand.NewPCG(m.Seed, first))} //nolint:gosec // test data that must come out the same again
	ops := make([]mac.Op, n)
	for i := range ops {
		kinds := settlement.Kinds()
		m.fill(&ops[i], kinds[r.IntN(len(kinds))], r)
	}
	if err := new(scribe).sign(ctx, m.live, ops); err != nil {
		return &block{err: err}
	}
	b := new(block)
	head := uint64(strings.Count(m.Writer.Head(), "\n"))
	for i := range ops {
		at := first + uint64(i)
		if !m.planted(at) {
			b.lines = append(m.Writer.Append(b.lines, &ops[i]), '\n')
			continue
		}
		verdict, about := m.spoil(b, &ops[i], r)
		b.planted = fmt.Appendf(b.planted, "1,%d,%s,%s\n", head+at+1, verdict, about)
	}
	return b
}

// fill makes a record of kind k, with a key of the maker's, all right but for
// its TAC.
func (m *maker) fill(op *mac.Op, k mac.Kind, r *random) {
	key := m.active[r.IntN(len(m.active))]
	*op = mac.Op{Kind: k, Levels: key.Levels, Key: mac.KeyID{Set: key.Set, Version: key.Version, Algorithm: key.Algorithm}}
	for i := range key.Levels {
		r.bytes(op.Factors[i][:])
	}
	for _, f := range k.Inputs() {
		r.field(f.Bytes(op), f, k)
	}
}

type random struct{ *rand.Rand }

// field makes a value that is in range.
func (r *random) field(b []byte, f mac.Field, k mac.Kind) {
	switch f {
	case mac.Type:
		types := k.Types()
		b[0] = byte(types[r.IntN(len(types))])
	case mac.Date:
		copy(b, []byte{0x20, bcd(20 + r.IntN(10)), bcd(1 + r.IntN(12)), bcd(1 + r.IntN(28))})
	case mac.Time:
		copy(b, []byte{bcd(r.IntN(24)), bcd(r.IntN(60)), bcd(r.IntN(60))})
	case mac.Terminal:
		clear(b)
		b[len(b)-1] = bcd(r.IntN(terminals))
	default:
		r.bytes(b)
	}
}

// terminals is how many terminals there are in a file.
const terminals = 40

func (r *random) bytes(b []byte) {
	var word [8]byte
	for len(b) > 0 {
		binary.BigEndian.PutUint64(word[:], r.Uint64())
		b = b[copy(b, word[:]):]
	}
}

func bcd(n int) byte { return byte(n/10<<4 | n%10) }
