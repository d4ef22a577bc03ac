package sample

import (
	"bytes"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/mac"
)

// A spoiling makes one thing wrong with a record, in the operation or in its
// line, and says what must be found out about it. It tells if it cannot.
type spoiling struct {
	verdict settlement.Verdict
	about   string
	op      func(*maker, *mac.Op, *random) bool
	line    func([]byte) []byte
}

var spoilings = []spoiling{
	{verdict: settlement.Mismatch, op: func(_ *maker, op *mac.Op, r *random) bool {
		turnBit(mac.TAC.Bytes(op), r)
		return true
	}},
	{verdict: settlement.Mismatch, op: func(_ *maker, op *mac.Op, r *random) bool {
		if op.Kind == mac.KindOverdraftTAC { // has none
			turnBit(mac.NewLimit.Bytes(op), r)
		} else {
			turnBit(mac.Amount.Bytes(op), r)
		}
		return true
	}},
	{verdict: settlement.Mismatch, op: func(_ *maker, op *mac.Op, r *random) bool { // another card's
		if op.Levels == 0 {
			return false
		}
		turnBit(op.Factors[op.Levels-1][:], r)
		return true
	}},
	{verdict: settlement.Invalid, about: "date", op: func(_ *maker, op *mac.Op, _ *random) bool {
		copy(mac.Date.Bytes(op), []byte{0x20, 0x23, 0x02, 0x30})
		return true
	}},
	{verdict: settlement.Invalid, about: "factors", op: func(_ *maker, op *mac.Op, r *random) bool {
		if op.Levels == 0 {
			return false
		}
		op.Levels--
		return true
	}},
	{verdict: settlement.NoKey, op: func(_ *maker, op *mac.Op, _ *random) bool {
		op.Key.Version = 0xFE
		return true
	}},
	{verdict: settlement.InactiveKey, op: func(m *maker, op *mac.Op, r *random) bool {
		for _, k := range m.idle {
			if k.Levels == op.Levels {
				op.Key = mac.KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}
				return true
			}
		}
		return false
	}},
	{verdict: settlement.Malformed, about: "tac", line: func(line []byte) []byte {
		line[bytes.LastIndexAny(line, "0123456789ABCDEF")] = 'G'
		return line
	}},
	{verdict: settlement.Malformed, about: "tac", line: func(line []byte) []byte { // cut off
		return line[:bytes.LastIndexAny(line, "0123456789ABCDEF")]
	}},
}

// spoil appends the line of op with something wrong, and gives what.
func (m *maker) spoil(b *block, op *mac.Op, r *random) (settlement.Verdict, string) {
	s := &spoilings[r.IntN(len(spoilings))]
	for s.op != nil && !s.op(m, op, r) {
		s = &spoilings[r.IntN(len(spoilings))]
	}
	start := len(b.lines)
	b.lines = m.Writer.Append(b.lines, op)
	if s.line != nil {
		b.lines = append(b.lines[:start], s.line(b.lines[start:])...)
	}
	b.lines = append(b.lines, '\n')
	return s.verdict, s.about
}

func turnBit(b []byte, r *random) {
	n := r.IntN(8 * len(b))
	b[n/8] ^= 0x80 >> (n % 8)
}
