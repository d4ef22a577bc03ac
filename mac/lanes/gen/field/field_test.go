package field_test

import (
	"testing"

	"pbochsm/mac/lanes/gen/field"
)

// The isomorphism takes products to products.
func TestIsomorphism(t *testing.T) {
	to := field.Isomorphism()
	for a := range 256 {
		for b := range 256 {
			x, y := byte(a), byte(b)
			if to.Of(field.Product(x, y, field.SM4)) != field.Product(to.Of(x), to.Of(y), field.AES) {
				t.Fatalf("%02X times %02X", a, b)
			}
		}
		if to.Inverse().Of(to.Of(byte(a))) != byte(a) {
			t.Fatalf("%02X does not come back", a)
		}
	}
}
