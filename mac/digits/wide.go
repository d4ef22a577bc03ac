package digits

// A widePattern is a Pattern in a form for processors with AVX-512 and VBMI,
// which hold a whole text in a few registers: of a text of at most maxWideText
// bytes and a record of at most maxWideRecord. gen writes what reads it.
type widePattern struct {
	blocks [wideBlocks]wideBlock
	pieces [widePieces]widePiece
}

// A wideBlock is what is known of 64 bytes of a text, a bit for each: whether it
// never changes, is a digit, lies in a gap, and whether it is there at all.
type wideBlock struct {
	same                      [wideText]byte
	fixed, digit, open, there uint64
}

// A widePiece makes wideStore bytes of the record. Two digits make each byte, or
// none and it is still: from says which of the first two blocks, and which of the
// last two, taken whether it is any.
type widePiece struct {
	from  [wideBlocks / 2][wideText]byte
	taken [wideBlocks / 2]uint64
	still [wideStore]byte
	to    uint64 // where in the record
}

const (
	wideText      = 64
	wideStore     = 32
	wideBlocks    = 4
	widePieces    = 4
	maxWideText   = wideBlocks * wideText
	maxWideRecord = widePieces * wideStore
)

// widen gives the wide form of p, if it has one.
func (p *Pattern) widen(values []Value) *widePattern {
	if !vbmi || p.size > maxWideText || len(p.still) > maxWideRecord {
		return nil
	}
	w := new(widePattern)
	for i := range p.size {
		from, j, bit := &p.blocks[i/blockSize], i%blockSize, uint64(1)<<(i%wideText)
		b := &w.blocks[i/wideText]
		b.same[i%wideText] = from.same[j]
		b.there |= bit
		b.fixed |= bit & -uint64(from.fixed[j]&1)
		b.digit |= bit & -uint64(from.digit[j]>>7)
		b.open |= bit & -uint64(from.open[j]&1)
	}
	digitOf := make([]int, 2*len(p.still)) // in the text; -1: none
	for i := range digitOf {
		digitOf[i] = -1
	}
	for _, v := range values {
		for i := range v.Digits {
			digitOf[2*v.To+i] = v.At + i
		}
	}
	for i := range w.pieces {
		w.pieces[i].fill(min(i*wideStore, len(p.still)-wideStore), p, digitOf)
	}
	return w
}

// fill makes the piece of the record from to on; those of a record that is not a
// multiple of wideStore overlap.
func (w *widePiece) fill(to int, p *Pattern, digitOf []int) {
	w.to = uint64(to)
	for i := range w.still {
		w.still[i] = p.still[to+i] & p.kept[to+i]
	}
	for i, at := range digitOf[2*to:][:wideText] {
		if at >= 0 {
			half := at / (2 * wideText)
			w.from[half][i] = byte(at % (2 * wideText))
			w.taken[half] |= 1 << i
		}
	}
}
