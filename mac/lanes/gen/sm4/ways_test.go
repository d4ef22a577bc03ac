package sm4

import (
	"testing"

	"pbochsm/mac/lanes/gen/field"
	"pbochsm/mac/lanes/gen/gbt32907"
)

// invert is 1/x in AES's field, and 0 for 0.
func invert(x byte) byte {
	for y := range 256 {
		if field.Product(x, byte(y), field.AES) == 1 {
			return byte(y)
		}
	}
	return 0
}

// The S-box by way of AES's field, and by way of AES's S-box.
func TestWaysThroughAES(t *testing.T) {
	aes := field.Affine{Matrix: field.OuterAES, Constant: field.ConstantAES}
	if aes.Of(invert(0x53)) != 0xED { // FIPS 197, section 5.1.1
		t.Fatal("this is not the S-box of AES")
	}
	for x := range 256 {
		inverse := invert(entry().Of(byte(x)))
		byField, byBox := exit().Of(inverse), exitAES().Of(aes.Of(inverse))
		if want := gbt32907.Substitute(byte(x)); byField != want || byBox != want {
			t.Errorf("S(%02X): %02X by AES's field, %02X by its S-box, want %02X", x, byField, byBox, want)
		}
	}
}

func TestCoreRefusesOtherWidths(t *testing.T) {
	if _, err := Core(128); err == nil {
		t.Error("there is a core of 128 bits")
	}
}
