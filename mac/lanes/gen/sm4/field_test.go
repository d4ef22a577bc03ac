package sm4

import "testing"

// Some values of the S-box of GB/T 32907, section 6.2; the cores are held
// against all of it.
var known = map[byte]byte{0x00: 0xD6, 0x01: 0x90, 0x0F: 0x05, 0x10: 0x2B, 0x80: 0xEA, 0xEF: 0x84, 0xFF: 0x48}

// invert is 1/x in AES's field, and 0 for 0.
func invert(x byte) byte {
	for y := range 256 {
		if product(x, byte(y), fieldAES) == 1 {
			return byte(y)
		}
	}
	return 0
}

// The S-box by way of AES's field, and by way of AES's S-box.
func TestWaysThroughAES(t *testing.T) {
	aes := affine{outerAES, constantAES}
	if aes.of(invert(0x53)) != 0xED { // FIPS 197, section 5.1.1
		t.Fatal("this is not the S-box of AES")
	}
	for x := range 256 {
		inverse := invert(entry().of(byte(x)))
		s := exit().of(inverse)
		if other := exitAES().of(aes.of(inverse)); other != s {
			t.Errorf("S(%02X): %02X by its S-box, %02X by its field", x, other, s)
		}
		if want, ok := known[byte(x)]; ok && s != want {
			t.Errorf("S(%02X) = %02X, want %02X", x, s, want)
		}
	}
}

// The isomorphism takes products to products.
func TestIsomorphism(t *testing.T) {
	to := isomorphism()
	for a := range 256 {
		for b := range 256 {
			x, y := byte(a), byte(b)
			if to.of(product(x, y, fieldSM4)) != product(to.of(x), to.of(y), fieldAES) {
				t.Fatalf("%02X times %02X", a, b)
			}
		}
		if to.inverse().of(to.of(byte(a))) != byte(a) {
			t.Fatalf("%02X does not come back", a)
		}
	}
}

func TestCoreRefusesOtherWidths(t *testing.T) {
	if _, err := Core(128); err == nil {
		t.Error("there is a core of 128 bits")
	}
}
