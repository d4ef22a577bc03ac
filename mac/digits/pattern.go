package digits

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A Pattern is a text of fixed length in which digits stand in fixed places, and
// the record that they are decoded into. Most lines of a file have the pattern of
// a line before. To hold one against it, and to make its record, is one step
// where the processor has AVX-512, and a few where it has AVX2, instead of one
// for each value.
type Pattern struct {
	size   int // of the text
	blocks []patternBlock
	never  [2]byte // what stands in no gap

	moves []move // in the order of their places in the record
	still []byte // the record
	kept  []byte // FF where it is the same for every text

	wide *widePattern // nil: there is none
}

// A Value is where digits stand in a text, Digits of them from At on, and where
// their bytes stand in a record, from To on.
type Value struct{ At, Digits, To int }

// A Gap is the bytes of a text from At up to, not including, End.
type Gap struct{ At, End int }

// A patternBlock is what is known of 32 bytes of a text. Nothing is known of
// the bytes after the text.
type patternBlock struct {
	same  [blockSize]byte // what always stands there
	fixed [blockSize]byte // FF where it does
	digit [blockSize]byte // 80 where a digit stands
	open  [blockSize]byte // FF in a gap
}

// A move decodes as many digits as make moveSize bytes, from one place of a text
// into one of the record. What it decodes too much, the next move writes over,
// or what is kept of the record does.
type move struct{ from, to uint64 }

const (
	blockSize = 32
	moveSize  = 8

	// MaxPattern is how long a text may be that has a Pattern.
	MaxPattern = 512

	// PatternRoom is how many bytes after a text must be there for it to be
	// decoded in one step. They have no effect.
	PatternRoom = blockSize
)

// NewPattern makes the pattern of an example and its record: digits stand in the
// values, anything but the two bytes of never stands in the gaps, and what stands
// elsewhere never changes. There is none if the example does not have it itself,
// if it is empty or too long, if the record is shorter than 32 bytes, if values
// overlap in it, or if a value is none or does not lie in the text and, its size
// in bytes made up to a multiple of 8, in the record.
func NewPattern(example, record []byte, values []Value, gaps []Gap, never [2]byte) (*Pattern, bool) {
	n := len(example)
	if n == 0 || n > MaxPattern || len(record) < blockSize {
		return nil, false
	}
	p := &Pattern{
		size: n, blocks: make([]patternBlock, (n+blockSize-1)/blockSize), never: never,
		still: bytes.Clone(record), kept: bytes.Repeat([]byte{0xFF}, len(record)),
	}
	for i, b := range example {
		p.blocks[i/blockSize].same[i%blockSize] = b
		p.blocks[i/blockSize].fixed[i%blockSize] = 0xFF
	}
	for _, g := range gaps {
		if g.At < 0 || g.At > g.End || g.End > n {
			return nil, false
		}
		for i := g.At; i < g.End; i++ {
			b := &p.blocks[i/blockSize]
			b.fixed[i%blockSize], b.open[i%blockSize] = 0, 0xFF
		}
	}
	for _, v := range values {
		if !v.within(n, len(record)) || !p.add(v) {
			return nil, false
		}
	}
	slices.SortFunc(p.moves, func(a, b move) int { return cmp.Compare(a.to, b.to) })
	p.wide = p.widen(values)
	return p, p.matches(example)
}

func (v Value) within(text, record int) bool {
	written := (v.Digits/2 + moveSize - 1) / moveSize * moveSize
	return v.At >= 0 && v.Digits > 0 && v.Digits%2 == 0 && v.At+v.Digits <= text && v.To >= 0 && v.To+written <= record
}

// add notes a value, and tells whether it overlaps with none.
func (p *Pattern) add(v Value) bool {
	for i := v.At; i < v.At+v.Digits; i++ {
		b := &p.blocks[i/blockSize]
		b.fixed[i%blockSize], b.digit[i%blockSize] = 0, 0x80
	}
	for done := 0; done < v.Digits/2; done += moveSize {
		p.moves = append(p.moves, move{uint64(v.At + 2*done), uint64(v.To + done)})
	}
	own := p.kept[v.To:][:v.Digits/2]
	alone := !bytes.Contains(own, []byte{0})
	clear(own)
	return alone
}

// Size is how long a text of the pattern is.
func (p *Pattern) Size() int { return p.size }

// Decode makes the record of what text begins with, and tells whether that has
// the pattern. If not, the record stays as it was.
func (p *Pattern) Decode(record, text []byte) bool {
	switch {
	case len(text) < p.size || len(record) != len(p.still):
		return false
	case p.wide == nil:
		return p.decodeNarrow(record, text)
	case p.size <= maxWideText/2:
		return decode128(&record[0], &text[0], p.wide, &p.never)
	}
	return decode256(&record[0], &text[0], p.wide, &p.never)
}

// decodeNarrow is Decode without AVX-512.
func (p *Pattern) decodeNarrow(record, text []byte) bool {
	if !wide || len(text) < p.size+PatternRoom {
		return p.decode(record, text)
	}
	if !matchBlocks(&text[0], &p.blocks[0], len(p.blocks), &p.never) {
		return false
	}
	if len(p.moves) > 0 {
		moveDigits(&record[0], &text[0], &p.moves[0], len(p.moves))
	}
	keepStill(&record[0], &p.still[0], &p.kept[0], len(p.still))
	return true
}

// decode is Decode without the help of a processor.
func (p *Pattern) decode(record, text []byte) bool {
	if !p.matches(text) {
		return false
	}
	for _, m := range p.moves {
		var digits [2 * moveSize]byte
		copy(digits[:], text[m.from:p.size])
		low, _ := unhex8(binary.LittleEndian.Uint64(digits[:]))
		high, _ := unhex8(binary.LittleEndian.Uint64(digits[8:]))
		binary.LittleEndian.PutUint64(record[m.to:], uint64(high)<<32|uint64(low))
	}
	for i, k := range p.kept {
		record[i] ^= (record[i] ^ p.still[i]) & k
	}
	return true
}

// matches tells whether text begins with the pattern, eight bytes at a time.
func (p *Pattern) matches(text []byte) bool {
	fault := uint64(0)
	for i := range p.blocks {
		var x [blockSize]byte
		copy(x[:], text[i*blockSize:min(len(text), p.size)])
		for j := 0; j < blockSize; j += 8 {
			fault |= p.blocks[i].fault(j, binary.LittleEndian.Uint64(x[j:]), p.never)
		}
	}
	return fault == 0
}

// fault is not zero if the eight bytes x do not fit at i.
func (b *patternBlock) fault(i int, x uint64, never [2]byte) uint64 {
	word := func(b *[blockSize]byte) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
	digit := word(&b.digit) >> 7 * 0xFF
	no := noDigits(x&digit | zeros&^digit)
	for _, n := range never {
		y := x ^ uint64(n)*ones
		no |= ^((y&^tops + ^uint64(tops)) | y | ^uint64(tops)) & word(&b.open) // the top bits of zeros
	}
	return no | (x^word(&b.same))&word(&b.fixed)
}
