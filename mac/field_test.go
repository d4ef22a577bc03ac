package mac_test

import (
	"bytes"
	"testing"

	"pbochsm/mac"
)

// TestFieldsKeepApart writes each input of each kind and holds that the others
// are as they were.
func TestFieldsKeepApart(t *testing.T) {
	for _, k := range mac.Kinds() {
		for _, f := range k.Inputs() {
			op := mac.Op{Kind: k}
			if f.Counted() && !f.SetLen(&op, f.Width()) {
				t.Fatalf("%s takes no %d bytes", f, f.Width())
			}
			place := f.Bytes(&op)
			if len(place) != f.Width() {
				t.Errorf("%s has %d bytes, want %d", f, len(place), f.Width())
			}
			copy(place, bytes.Repeat([]byte{0xFF}, len(place)))
			for _, other := range k.Inputs() {
				if other != f && bytes.Contains(other.Bytes(&op), []byte{0xFF}) {
					t.Errorf("%s: writing %s changes %s", k, f, other)
				}
			}
		}
	}
}

func TestNamesAreDistinct(t *testing.T) {
	fields := make(map[string]mac.Field)
	kinds := make(map[string]mac.Kind)
	for _, k := range mac.Kinds() {
		if other, twice := kinds[k.String()]; twice {
			t.Errorf("kinds %d and %d are both named %s", other, k, k)
		}
		kinds[k.String()] = k
		for _, f := range k.Inputs() {
			if other, seen := fields[f.String()]; seen && other != f {
				t.Errorf("fields %d and %d are both named %s", other, f, f)
			}
			fields[f.String()] = f
			if f.Chinese() == "" {
				t.Errorf("%s has no Chinese name", f)
			}
		}
	}
	if len(kinds) == 0 || len(fields) == 0 {
		t.Fatal("there are no kinds or no fields")
	}
}

// TestSetLen holds that a counted field takes what fits and leaves the length
// alone otherwise.
func TestSetLen(t *testing.T) {
	var op mac.Op
	if got := mac.AuthCode.Bytes(&op); len(got) != 0 {
		t.Errorf("at first %d bytes, want none", len(got))
	}
	if !mac.AuthCode.SetLen(&op, 3) || mac.AuthCode.SetLen(&op, 10) || mac.AuthCode.SetLen(&op, -1) {
		t.Error("wrong lengths are taken, or right ones refused")
	}
	if got := mac.AuthCode.Bytes(&op); len(got) != 3 {
		t.Errorf("%d bytes, want 3", len(got))
	}
	if mac.Amount.SetLen(&op, 4) {
		t.Error("a field of fixed width takes a length")
	}
}

// TestNamesOfTheRest holds that what is no field or no kind has a name too:
// errors and listings print whatever they are given.
func TestNamesOfTheRest(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{mac.Factors.String(), "factors"},
		{mac.Factors.Chinese(), "分散因子"},
		{mac.Key.String(), "key"},
		{mac.Key.Chinese(), "密钥"},
		{mac.Field(0xF0).String(), "field?"},
		{mac.Field(0xF0).Chinese(), ""},
		{mac.Kind(0).String(), "kind?"},
		{mac.Kind(0xFF).String(), "kind?"},
		{mac.KeyID{Set: 0x01, Version: 0xAB, Algorithm: 0}.String(), "01/AB/00"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestUnknownKindHasNothing holds that a kind from a caller may be asked
// anything.
func TestUnknownKindHasNothing(t *testing.T) {
	for _, k := range []mac.Kind{0, 0xFF} {
		_, claims := k.Claims()
		_, answers := k.Answers()
		if claims || answers || len(k.Inputs()) != 0 || k.Usage() != 0 || k.Mismatch() != nil {
			t.Errorf("kind %d claims %t, answers %t, takes %v, uses %s, fails with %v",
				k, claims, answers, k.Inputs(), k.Usage(), k.Mismatch())
		}
	}
}
