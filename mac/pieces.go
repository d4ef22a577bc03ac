package mac

import "encoding/binary"

// A Run is fields of an operation that follow one another in its request and lie
// side by side in an Op, so that they can be read at once. A counted field is a
// run by itself.
type Run struct {
	Fields    []Field
	at, width uint8
}

// Counted tells that the run is a counted field.
func (r *Run) Counted() bool { return r.Fields[0].Counted() }

// Bytes is the place of the fields in op, where none of them is counted.
func (r *Run) Bytes(op *Op) []byte { return op.fields[r.at : r.at+r.width] }

// runsOf joins neighbours.
func runsOf(fields []Field) (runs []Run) {
	for _, f := range fields {
		p := &places[f]
		if n := len(runs); n > 0 && !p.counted && !runs[n-1].Counted() && runs[n-1].at+runs[n-1].width == p.at {
			runs[n-1].Fields = append(runs[n-1].Fields, f)
			runs[n-1].width += p.width
			continue
		}
		runs = append(runs, Run{Fields: []Field{f}, at: p.at, width: p.width})
	}
	return runs
}

// Pieces are a layout made ready: what to copy, in order. A piece is up to
// eight bytes and is copied as eight; what it takes too much, the next one or the
// padding writes over.
type pieces []piece

type piece struct{ at, n uint8 }

// pieceSize is how many bytes are copied for a piece. counted, in place of a
// number of bytes, is a piece that begins with its length.
const (
	pieceSize = 8
	counted   = 0
)

// pieces cuts up the runs of a layout; a layout that is none has none.
func (l layout) pieces() (all pieces) {
	for _, r := range runsOf(l) {
		if r.Counted() {
			all = append(all, piece{r.at, counted})
			continue
		}
		for r.width > 0 {
			n := min(r.width, pieceSize)
			all = append(all, piece{r.at, n})
			r.at, r.width = r.at+n, r.width-n
		}
	}
	return all
}

// fill concatenates the pieces into m, which is zero, and pads them: one byte
// 80, then zeros to the end of the block, a whole block of padding if the data
// end on a boundary. No pieces make no message. See [PBOC] 3.1 and 3.4.
func (ps pieces) fill(m *Message, op *Op, block int) {
	if len(ps) == 0 {
		return
	}
	n := ps.gather(m.Data[:], op)
	if n <= len(m.Data)-pieceSize {
		binary.LittleEndian.PutUint64(m.Data[n:], 0x80)
	} else {
		m.Data[n] = 0x80
		clear(m.Data[n+1:])
	}
	m.Blocks = uint8((n/block + 1) * (block / 8))
}

// block concatenates the pieces into the 8 bytes that a session key is made
// from; six bytes are followed by 8000, four by 80000000. See [PBOC] 5.1, 5.2
// and 5.7.
func (ps pieces) block(op *Op) [8]byte {
	var b [8 + pieceSize]byte
	n := ps.gather(b[:], op)
	binary.LittleEndian.PutUint64(b[n:], 0x80)
	return [8]byte(b[:8])
}

// gather concatenates the pieces. There may be rubbish behind the last one, less
// than a piece.
func (ps pieces) gather(to []byte, op *Op) (n int) {
	for _, p := range ps {
		if p.n == counted {
			n += copy(to[n:], op.fields[p.at+1:][:op.fields[p.at]])
			continue
		}
		copy(to[n:n+pieceSize], op.fields[p.at:][:pieceSize])
		n += int(p.n)
	}
	return n
}
