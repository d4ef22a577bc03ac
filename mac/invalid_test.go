package mac_test

import (
	"errors"
	"fmt"
	"testing"

	"pbochsm/mac"
)

// The field of a refusal can be told without reading its text.
func TestInvalidFieldIsNamed(t *testing.T) {
	op := mac.Op{Kind: mac.KindLoadTAC, Levels: 200}
	ops := []mac.Op{op}
	if err := articleEngine(t).Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	if f, ok := mac.InvalidField(fmt.Errorf("line 3: %w", ops[0].Err)); !ok || f != mac.Factors {
		t.Errorf("%v names %s, %t; want factors", ops[0].Err, f, ok)
	}
	for _, err := range []error{nil, mac.ErrInvalid, mac.ErrTAC, errors.New("mac: invalid date")} {
		if f, ok := mac.InvalidField(err); ok {
			t.Errorf("%v names %s", err, f)
		}
	}
}

// What Types gives away is a copy.
func TestTypesAreTheKinds(t *testing.T) {
	mac.KindLoadTAC.Types()[0] = mac.TypeUnload
	if got := mac.KindLoadTAC.Types(); len(got) != 2 || got[0] != mac.TypeLoadED || got[1] != mac.TypeLoadEP {
		t.Errorf("types of a load: %v", got)
	}
}
