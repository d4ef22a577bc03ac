package lanes

import (
	"encoding/binary"
	"math/bits"
)

// sm4Plain is plain Go. As in DES, a processor word is a wire in 64 lanes, so
// that what SM4 turns and permutes costs nothing, and the S-box is a circuit
// (sm4round_gen.go).
var sm4Plain = sm4Core{
	name:  "plain Go",
	lanes: 64,
	expand: func(rk *sm4Key, keys *sm4Rows, n int) {
		var x sm4Block
		x.load(keys, &sm4Nothing, n)
		x.expand(rk)
	},
	encrypt: func(rk *sm4Key, blocks, more *sm4Rows, n int) {
		var x sm4Block
		x.load(blocks, more, n)
		x.encrypt(rk)
		x.store(blocks, n)
	},
}

// An sm4Word is 32 bits in every lane, the lowest first.
type sm4Word [32]uint64

// An sm4Block is a block in every lane, four words, first to last.
type sm4Block [4 * 32]uint64

func (x *sm4Block) word(i int) *sm4Word    { return (*sm4Word)(x[32*i:]) }
func (x *sm4Block) half(i int) *[64]uint64 { return (*[64]uint64)(x[64*i:]) }
func (rk *sm4Key) word(round int) *sm4Word { return (*sm4Word)(rk[round][:]) }

// load takes the sums of two blocks.
func (x *sm4Block) load(rows, more *sm4Rows, n int) {
	for i := range 2 {
		half := x.half(i)
		for lane := range min(n, len(half)) {
			a, b := rows[lane][8*i:], more[lane][8*i:]
			two := binary.BigEndian.Uint64(a) ^ binary.BigEndian.Uint64(b)
			half[lane] = bits.RotateLeft64(two, 32) // the first of the words lowest
		}
		transpose64(half)
	}
}

// store gives the words in reverse order, as encryption does.
func (x *sm4Block) store(rows *sm4Rows, n int) {
	for i := range 2 {
		half := x.half(1 - i)
		transpose64(half)
		for lane := range min(n, len(half)) {
			binary.BigEndian.PutUint64(rows[lane][8*i:], half[lane])
		}
	}
}

// expand makes the round keys of the keys in x, which it uses up.
func (x *sm4Block) expand(rk *sm4Key) {
	a, b, c, d := x.word(0), x.word(1), x.word(2), x.word(3)
	var constant sm4Word
	for i, w := range [4]*sm4Word{a, b, c, d} {
		constant.fill(sm4FK[i])
		for j := range w {
			w[j] ^= constant[j]
		}
	}
	// Of two copies in a row, the word that is turned left by n begins with bit 32-n.
	var s [2 * 32]uint64
	by0, by13, by23 := (*sm4Word)(s[:]), (*sm4Word)(s[32-13:]), (*sm4Word)(s[32-23:])
	for i := range rk {
		constant.fill(sm4CK(i))
		by0.substitute(b, c, d, &constant)
		copy(s[32:], s[:32])
		k := rk.word(i)
		for j := range a {
			a[j] ^= by0[j] ^ by13[j] ^ by23[j]
			k[j] = a[j]
		}
		a, b, c, d = b, c, d, a
	}
}

// fill gives every lane the same word.
func (x *sm4Word) fill(word uint32) {
	for i := range x {
		x[i] = -uint64(word & 1)
		word >>= 1
	}
}

// encrypt enciphers x in its place, but for the order of words.
func (x *sm4Block) encrypt(rk *sm4Key) {
	a, b, c, d := x.word(0), x.word(1), x.word(2), x.word(3)
	var s sm4Word
	for i := range rk {
		s.substitute(b, c, d, rk.word(i))
		a.spread(&s)
		a, b, c, d = b, c, d, a
	}
}

// spread adds s, turned left by 0, 2, 10, 18 and 24. Of the four bits that have
// the same place in their bytes, two next to each other go to that place, and
// three to the place two on.
func (x *sm4Word) spread(s *sm4Word) {
	for i := range 8 {
		s0, s1, s2, s3 := s[i], s[i+8], s[i+16], s[i+24]
		t0, t1, t2, t3 := s0^s1, s1^s2, s2^s3, s3^s0
		x[i] ^= t0
		x[i+8] ^= t1
		x[i+16] ^= t2
		x[i+24] ^= t3
		x[i+2] ^= t3 ^ s2
		x[i+10] ^= t0 ^ s3
		x[i+18] ^= t1 ^ s0
		x[(i+26)&31] ^= t2 ^ s1
	}
}
