package lanes

import (
	"encoding/binary"
	"math/bits"
)

// sm4Lanes is how many chains an SM4 group runs at once. Where they are few, a
// core may leave out whole parts.
const (
	sm4Lanes = 96
	sm4Part  = 16
)

// sm4Parts is how many parts n lanes are.
func sm4Parts(n int) int { return (n + sm4Part - 1) / sm4Part }

// An sm4Rows is a block in every lane, its bytes first to last.
type sm4Rows [sm4Lanes][16]byte

// sm4Nothing is what is added where nothing is.
var sm4Nothing sm4Rows

// An sm4Key is the round keys of every lane. Each core has an order of its own
// for the lanes in it.
type sm4Key [32][sm4Lanes]uint32

// An sm4Core is SM4, as GB/T 32907 has it, in every lane, each with its own key.
type sm4Core struct {
	name string
	// expand makes the round keys of the first n lanes.
	expand func(rk *sm4Key, keys *sm4Rows, n int)
	// encrypt adds more to the first n blocks and enciphers them in their place.
	encrypt func(rk *sm4Key, blocks, more *sm4Rows, n int)
}

// sm4Plain is plain Go, a part after the other. The S-box is computed, not
// looked up: the 64 bytes that go through it in a round lie in eight words, one
// for each bit, and what follows is gates.
var sm4Plain = sm4Core{
	name: "plain Go",
	expand: func(rk *sm4Key, keys *sm4Rows, n int) {
		for part := range sm4Parts(n) {
			var x sm4Block
			x.load(keys, part)
			x.expand(rk, part)
		}
	},
	encrypt: func(rk *sm4Key, blocks, more *sm4Rows, n int) {
		for part := range sm4Parts(n) {
			var x, y sm4Block
			x.load(blocks, part)
			y.load(more, part)
			x.add(&y)
			x.encrypt(rk, part)
			x.store(blocks, part)
		}
	},
}

// A quad is a quarter of the state, or a round key, in the lanes of a part.
type quad [sm4Part]uint32

// An sm4Block is a block in each lane of a part, its words first to last.
type sm4Block [4]quad

func (x *sm4Block) load(rows *sm4Rows, part int) {
	for lane := range sm4Part {
		row := &rows[part*sm4Part+lane]
		for i := range x {
			x[i][lane] = binary.BigEndian.Uint32(row[4*i:])
		}
	}
}

func (x *sm4Block) add(other *sm4Block) {
	for i := range x {
		for lane := range x[i] {
			x[i][lane] ^= other[i][lane]
		}
	}
}

func (x *sm4Block) store(rows *sm4Rows, part int) {
	for lane := range sm4Part {
		row := &rows[part*sm4Part+lane]
		for i := range x {
			binary.BigEndian.PutUint32(row[4*i:], x[i][lane])
		}
	}
}

// at gives the round keys of a part.
func (rk *sm4Key) at(round, part int) *quad {
	return (*quad)(rk[round][part*sm4Part:])
}

// FK and CK of GB/T 32907, section 7.3.
var sm4FK = [4]uint32{0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC}

func sm4CK(round int) (ck uint32) {
	for j := range 4 {
		ck = ck<<8 | uint32(byte((4*round+j)*7))
	}
	return ck
}

// expand makes the round keys of the keys in x, which it uses up.
func (x *sm4Block) expand(rk *sm4Key, part int) {
	for i := range x {
		for lane := range x[i] {
			x[i][lane] ^= sm4FK[i]
		}
	}
	for i := range rk {
		ck := sm4CK(i)
		var t quad
		for lane := range t {
			t[lane] = x[1][lane] ^ x[2][lane] ^ x[3][lane] ^ ck
		}
		t.substitute()
		for lane, b := range t {
			t[lane] = x[0][lane] ^ b ^ bits.RotateLeft32(b, 13) ^ bits.RotateLeft32(b, 23)
		}
		x[0], x[1], x[2], x[3] = x[1], x[2], x[3], t
		*rk.at(i, part) = t
	}
}

// encrypt enciphers x in its place.
func (x *sm4Block) encrypt(rk *sm4Key, part int) {
	for i := range rk {
		k := rk.at(i, part)
		var t quad
		for lane := range t {
			t[lane] = x[1][lane] ^ x[2][lane] ^ x[3][lane] ^ k[lane]
		}
		t.substitute()
		for lane, s := range t {
			t[lane] = x[0][lane] ^ s ^ bits.RotateLeft32(s, 2) ^ bits.RotateLeft32(s, 10) ^
				bits.RotateLeft32(s, 18) ^ bits.RotateLeft32(s, 24)
		}
		x[0], x[1], x[2], x[3] = x[1], x[2], x[3], t
	}
	x[0], x[1], x[2], x[3] = x[3], x[2], x[1], x[0]
}

// substitute puts every byte of q through the S-box.
func (q *quad) substitute() {
	var w planes
	for i := range w {
		w[i] = uint64(q[2*i])<<32 | uint64(q[2*i+1])
	}
	w.transpose()
	w.substitute()
	w.transpose()
	for i := range w {
		q[2*i], q[2*i+1] = uint32(w[i]>>32), uint32(w[i])
	}
}

// planes are 64 bytes: as they are, a row of eight in each word, or
// transposed, word i holding bit i of all of them.
type planes [8]uint64

// transpose exchanges the two forms: in each column of bytes it transposes
// eight by eight bits.
func (w *planes) transpose() {
	for i := range 4 {
		w[i], w[i+4] = exchange(w[i], w[i+4], 4, low4)
	}
	for _, i := range [4]int{0, 1, 4, 5} {
		w[i], w[i+2] = exchange(w[i], w[i+2], 2, low2)
	}
	for i := 0; i < 8; i += 2 {
		w[i], w[i+1] = exchange(w[i], w[i+1], 1, low1)
	}
}

// The S-box is A(1/A(x)) over GF(2^8) modulo x^8+x^7+x^6+x^5+x^4+x^2+1, where
// 1/0 is 0 and A is affine: bit i of A(x) is the sum of the bits i, i+1, i+2,
// i+5 and i+7 of x, counted modulo 8, and of bit i of D3. See F. Liu et al.,
// Analysis of the SMS4 Block Cipher, ACISP 2007, section 3.
const sm4Constant = 0xD3

// substitute is the S-box on transposed bytes.
func (w *planes) substitute() {
	x := w.affine()
	x = x.invert()
	*w = x.affine()
}

// affine is A.
func (w *planes) affine() (out planes) {
	for i := range out {
		out[i] = w[i] ^ w[(i+1)%8] ^ w[(i+2)%8] ^ w[(i+5)%8] ^ w[(i+7)%8] ^ -uint64(sm4Constant>>i&1)
	}
	return out
}

// invert is x^254, which is 1/x.
func (w *planes) invert() planes {
	x2 := w.square()
	x3 := w.times(&x2)
	x6 := x3.square()
	x12 := x6.square()
	x15 := x12.times(&x3)
	x240 := x15
	for range 4 {
		x240 = x240.square()
	}
	x252 := x240.times(&x12)
	return x252.times(&x2)
}

// times multiplies byte by byte.
func (w *planes) times(v *planes) planes {
	var p [15]uint64
	for i, a := range w {
		q := (*[8]uint64)(p[i:])
		q[0] ^= a & v[0]
		q[1] ^= a & v[1]
		q[2] ^= a & v[2]
		q[3] ^= a & v[3]
		q[4] ^= a & v[4]
		q[5] ^= a & v[5]
		q[6] ^= a & v[6]
		q[7] ^= a & v[7]
	}
	return reduce(&p)
}

// square is linear: it puts a zero between any two bits.
func (w *planes) square() planes {
	p := [15]uint64{0: w[0], 2: w[1], 4: w[2], 6: w[3], 8: w[4], 10: w[5], 12: w[6], 14: w[7]}
	return reduce(&p)
}

// reduce takes the polynomial out of a product.
func reduce(p *[15]uint64) planes {
	for i := 6; i >= 0; i-- {
		q, a := (*[8]uint64)(p[i:]), p[i+8]
		q[0] ^= a
		q[2] ^= a
		q[4] ^= a
		q[5] ^= a
		q[6] ^= a
		q[7] ^= a
	}
	return planes(p[:8])
}
