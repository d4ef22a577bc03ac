package sm4

// A matrix is a linear map of bytes: row i says which bits of a byte are added
// up to bit i of its image.
type matrix [8]byte

// matrixOf is the linear map that a function of bytes is.
func matrixOf(f func(byte) byte) (m matrix) {
	for j := range 8 {
		image := f(1 << j)
		for i := range m {
			m[i] |= image >> i & 1 << j
		}
	}
	return m
}

func (m matrix) of(x byte) (image byte) {
	for i, row := range m {
		for bits := row & x; bits != 0; bits &= bits - 1 {
			image ^= 1 << i
		}
	}
	return image
}

// after is the map that n and then m make.
func (m matrix) after(n matrix) matrix { return matrixOf(func(x byte) byte { return m.of(n.of(x)) }) }

// inverse is the map that takes m back.
func (m matrix) inverse() matrix {
	var back [256]byte
	for x := range 256 {
		back[m.of(byte(x))] = byte(x)
	}
	return matrixOf(func(x byte) byte { return back[x] })
}

// operand is the matrix as GF2P8AFFINEQB takes it: the row of the highest bit
// in the lowest byte.
func (m matrix) operand() (q uint64) {
	for i, row := range m {
		q |= uint64(row) << (8 * (7 - i))
	}
	return q
}

// product multiplies in GF(2^8) modulo a polynomial of degree 8.
func product(a, b byte, modulus uint16) byte {
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
	fieldSM4 = 0x1F5
	fieldAES = 0x11B
)

// isomorphism maps the field of SM4 to that of AES: x goes to a root of the
// polynomial that x is a root of.
func isomorphism() matrix {
	root := byte(2)
	for ; polynomial(root) != 0; root++ {
	}
	return matrixOf(func(x byte) byte {
		image, power := byte(0), byte(1)
		for ; x != 0; x >>= 1 {
			if x&1 == 1 {
				image ^= power
			}
			power = product(power, root, fieldAES)
		}
		return image
	})
}

// polynomial is that of SM4's field, of an element of AES's.
func polynomial(x byte) (value byte) {
	for i := 8; i >= 0; i-- {
		value = product(value, x, fieldAES) ^ byte(uint16(fieldSM4)>>i&1)
	}
	return value
}

// circulant adds up bits at these distances from each bit.
func circulant(distances ...int) (m matrix) {
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
	outerSM4 = circulant(0, 1, 2, 5, 7)
	outerAES = circulant(0, 4, 5, 6, 7)
)

const (
	constantSM4 = 0xD3
	constantAES = 0x63
)

// An affine map is a linear one and a constant that is added.
type affine struct {
	matrix
	constant byte
}

func (a affine) of(x byte) byte { return a.matrix.of(x) ^ a.constant }

// entry leads from a byte to what is inverted in AES's field, and exit from the
// inverse to the S-box of SM4.
func entry() affine {
	to := isomorphism()
	return affine{to.after(outerSM4), to.of(constantSM4)}
}

func exit() affine {
	return affine{outerSM4.after(isomorphism().inverse()), constantSM4}
}

// exitAES leads from the S-box of AES, instead of the inverse.
func exitAES() affine {
	back := exit().matrix.after(outerAES.inverse())
	return affine{back, constantSM4 ^ back.of(constantAES)}
}
