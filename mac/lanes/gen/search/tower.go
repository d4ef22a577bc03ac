package main

import (
	"math/bits"
	"math/rand/v2"

	"pbochsm/mac/lanes/gen/field"
)

// The S-box of SM4 inverts in a field of 256 elements, between two affine maps
// A. That is found as arithmetic in the subfields K, of 16 elements, and F, of
// four. With P and Q independent over K, an element is aP+bQ, a and b in K. Its
// product with the conjugate aP^16+bQ^16 is the norm N, in K too, so that
//
//	N   = a²P^17 + b²Q^17 + ab(PQ^16 + P^16Q)
//	1/x = (aP^16 + bQ^16) / N
//
// That is an inverse in K, which has but four inputs, and three products in K;
// squares are linear. A product in K is nine gates. For of elements c+dr, with c
// and d in F, three products are enough, cc', dd' and (c+d)(c'+d'), and in F in
// the same way three of bits. What remains are sums, at the entry of a, b and of
// the squares, and at the exit of the products, A being part of them; sums.go
// finds few gates for those. P, Q and r are chosen so that they are the fewest.
//
// See D. Canright, A Very Compact S-Box for AES, CHES 2005, for the idea.

// A tower is a choice of P, Q and r. Elements of K are written in coordinates
// over the basis f, f², rf, rf², where f is in F: four bits.
type tower struct {
	a, b       [9]byte  // what is multiplied, each a sum of bits of the byte that enters
	outA, outB [9]byte  // what the products of 1/N with a, and with b, add to the byte that leaves
	products   [9]byte  // what the products of a with b add to N
	squares    [8]byte  // what each bit of the byte that enters adds to N
	inverse    [16]byte // of elements of K
}

// nine is the coordinates to be added up for the nine factors of a product.
var nine = [9]byte{0b0001, 0b0010, 0b0011, 0b0100, 0b1000, 0b1100, 0b0101, 0b1010, 0b1111}

func times(a, b byte) byte { return field.Product(a, b, field.SM4) }

func power(a byte, n int) byte {
	p := byte(1)
	for range n {
		p = times(p, a)
	}
	return p
}

// subfield is the elements of the subfield of so many, lowest first.
func subfield(size int) (elements []byte) {
	for x := range 256 {
		if power(byte(x), size) == byte(x) {
			elements = append(elements, byte(x))
		}
	}
	return elements
}

var (
	subfieldK = subfield(16)
	subfieldF = subfield(4)
)

// randomTower draws a tower.
func randomTower(rng *rand.Rand) *tower {
	for {
		p, q := byte(1+rng.IntN(255)), byte(1+rng.IntN(255))
		ratio, r := times(p, power(q, 254)), subfieldK[rng.IntN(len(subfieldK))]
		if power(ratio, 16) != ratio && power(r, 4) != r {
			return newTower(p, q, r)
		}
	}
}

func newTower(p, q, r byte) *tower {
	t := new(tower)
	f, g := subfieldF[2], subfieldF[3] // g is f²
	element := spanned(f, g, times(r, f), times(r, g))
	var coordinates [256]byte
	for k, x := range element {
		coordinates[x] = byte(k)
	}
	for k, x := range element {
		t.inverse[k] = coordinates[power(x, 254)]
	}
	pBar, qBar := power(p, 16), power(q, 16)
	var split [256][2]byte // a and b of each element, in coordinates
	for a, x := range element {
		for b, y := range element {
			split[times(x, p)^times(y, q)] = [2]byte{byte(a), byte(b)}
		}
	}
	for j := range 8 {
		ab := split[field.OuterSM4.Of(1<<j)]
		for i, sum := range nine {
			t.a[i] |= parity(ab[0]&sum) << j
			t.b[i] |= parity(ab[1]&sum) << j
		}
		a, b := element[ab[0]], element[ab[1]]
		t.squares[j] = coordinates[times(times(a, a), times(p, pBar))^times(times(b, b), times(q, qBar))]
	}
	cross := times(p, qBar) ^ times(pBar, q)
	inK, inF := karatsuba(1, r), karatsuba(f, g)
	for i := range nine {
		weight := times(inK[i/3], inF[i%3])
		t.products[i] = coordinates[times(weight, cross)]
		t.outA[i] = field.OuterSM4.Of(times(weight, pBar))
		t.outB[i] = field.OuterSM4.Of(times(weight, qBar))
	}
	return t
}

// karatsuba is what the products cc', dd' and (c+d)(c'+d') are to be multiplied
// with, so that their sum is the product of cu+dv and c'u+d'v.
func karatsuba(u, v byte) [3]byte {
	uv := times(u, v)
	return [3]byte{times(u, u) ^ uv, times(v, v) ^ uv, uv}
}

// spanned is the sums of a basis.
func spanned(basis ...byte) [16]byte {
	var sums [16]byte
	for k := range sums {
		for i, x := range basis {
			if k>>i&1 == 1 {
				sums[k] ^= x
			}
		}
	}
	return sums
}

// parity is the sum of the bits of x.
func parity(x byte) byte { return byte(bits.OnesCount8(x) & 1) }
