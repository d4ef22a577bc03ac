package mac

import "encoding/binary"

// A Card says whose keys a transaction uses: the issuer's key, and the factors
// that lead from it to the card's own, outermost authority first, the card's
// application serial number (its rightmost 16 digits) last. A key that is the
// card's own already takes no factors.
type Card struct {
	Key     KeyID
	Factors []Factor
}

// op begins an Op of this card. Too many factors are kept as a number, so that
// the HSM refuses them.
func (c Card) op(k Kind) Op {
	op := Op{Kind: k, Key: c.Key, Levels: uint8(min(len(c.Factors), 255))}
	copy(op.Factors[:], c.Factors)
	return op
}

func put16(op *Op, f Field, v uint16) { binary.BigEndian.PutUint16(f.Bytes(op), v) }
func put32(op *Op, f Field, v uint32) { binary.BigEndian.PutUint32(f.Bytes(op), v) }

func put(op *Op, f Field, v ...byte) { copy(f.Bytes(op), v) }
