package gbt32907_test

import (
	"testing"

	"pbochsm/mac/lanes/gen/field"
	"pbochsm/mac/lanes/gen/gbt32907"
)

// The printed table is A(1/A(x)), which no misprint would be.
func TestTableIsTheInverseBetweenAffineMaps(t *testing.T) {
	a := field.Affine{Matrix: field.OuterSM4, Constant: field.ConstantSM4}
	for x := range 256 {
		y, inverse := a.Of(byte(x)), byte(0)
		for z := range 256 {
			if field.Product(y, byte(z), field.SM4) == 1 {
				inverse = byte(z)
			}
		}
		if got, want := gbt32907.Substitute(byte(x)), a.Of(inverse); got != want {
			t.Errorf("S(%02X) = %02X, want %02X", x, got, want)
		}
	}
}
