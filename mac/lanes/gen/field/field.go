// Package field is the arithmetic of GF(2^8) that the S-boxes of SM4 and AES
// are made of. A byte is a polynomial over GF(2); bit i belongs to x^i.
package field

// A Matrix is a linear map of bytes: row i says which bits of a byte are added
// up to bit i of its image.
type Matrix [8]byte

// MatrixOf is the linear map that a function of bytes is.
func MatrixOf(f func(byte) byte) (m Matrix) {
	for j := range 8 {
		image := f(1 << j)
		for i := range m {
			m[i] |= image >> i & 1 << j
		}
	}
	return m
}

// Of is the image of x.
func (m Matrix) Of(x byte) (image byte) {
	for i, row := range m {
		for bits := row & x; bits != 0; bits &= bits - 1 {
			image ^= 1 << i
		}
	}
	return image
}

// After is the map that n and then m make.
func (m Matrix) After(n Matrix) Matrix { return MatrixOf(func(x byte) byte { return m.Of(n.Of(x)) }) }

// Inverse is the map that takes m back.
func (m Matrix) Inverse() Matrix {
	var back [256]byte
	for x := range 256 {
		back[m.Of(byte(x))] = byte(x)
	}
	return MatrixOf(func(x byte) byte { return back[x] })
}

// Product multiplies in GF(2^8) modulo a polynomial of degree 8.
func Product(a, b byte, modulus uint16) byte {
	p := uint16(0)
	for i := range 8 {
		if b>>i&1 == 1 {
			p ^= uint16(a) << i
		}
	}
	for i := 14; i >= 8; i-- {
		if p>>i&1 == 1 {
			p ^= modulus << (i - 8)
		}
	}
	return byte(p)
}

// The fields of SM4 and of AES, which are one field under two names. See
// GB/T 32907 and F. Liu et al., Analysis of the SMS4 Block Cipher, ACISP 2007;
// FIPS 197, section 4.2.
const (
	SM4 = 0x1F5
	AES = 0x11B
)

// Isomorphism maps the field of SM4 to that of AES: x goes to a root of the
// polynomial that x is a root of.
func Isomorphism() Matrix {
	root := byte(2)
	for ; polynomial(root) != 0; root++ {
	}
	return MatrixOf(func(x byte) byte {
		image, power := byte(0), byte(1)
		for ; x != 0; x >>= 1 {
			if x&1 == 1 {
				image ^= power
			}
			power = Product(power, root, AES)
		}
		return image
	})
}

// polynomial is that of SM4's field, of an element of AES's.
func polynomial(x byte) (value byte) {
	for i := 8; i >= 0; i-- {
		value = Product(value, x, AES) ^ byte(uint16(SM4)>>i&1)
	}
	return value
}

// circulant adds up bits at these distances from each bit.
func circulant(distances ...int) (m Matrix) {
	for i := range m {
		for _, d := range distances {
			m[i] ^= 1 << ((i + d) % 8)
		}
	}
	return m
}

// The affine maps of both S-boxes: SM4's is outer(1/outer(x)), AES's is
// outer(1/x), each outer with its constant.
var (
	OuterSM4 = circulant(0, 1, 2, 5, 7)
	OuterAES = circulant(0, 4, 5, 6, 7)
)

// The constants of these maps.
const (
	ConstantSM4 = 0xD3
	ConstantAES = 0x63
)

// An Affine map is a linear one and a constant that is added.
type Affine struct {
	Matrix
	Constant byte
}

// Of is the image of x.
func (a Affine) Of(x byte) byte { return a.Matrix.Of(x) ^ a.Constant }
