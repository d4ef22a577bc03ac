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

// A scribe runs chains with the readable arithmetic and notes the MACs. This
// is how the TACs are made: no operation of the module makes one.
type scribe struct{ made []mac.TransactionMAC }

// Run fills in and notes the MACs of chains.
func (s *scribe) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	err := reference.Backend{}.Run(ctx, keys, chains)
	for i := range chains {
		s.made = append(s.made, mac.TransactionMAC(chains[i].MAC[0][:4]))
	}
	return err
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
	pen := new(scribe)
	if err := mac.NewEngine(m.live, pen).Do(ctx, ops); err != nil {
		return &block{err: err}
	}
	if len(pen.made) != len(ops) {
		return &block{err: errors.New("a record that was made is refused")}
	}
	b := new(block)
	head := uint64(strings.Count(m.Writer.Head(), "\n"))
	for i := range ops {
		copy(mac.TAC.Bytes(&ops[i]), pen.made[i][:])
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
