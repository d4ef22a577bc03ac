package audit_test

import (
	"context"
	"strings"
	"testing"

	"pbochsm/cmd/pbochsm/internal/audit"
	"pbochsm/keystore"
	"pbochsm/mac"
)

// A raw fake answers every raw operation, as one that has all rights would.
type rawFake struct{}

func (rawFake) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		r := ops[i].Raw()
		ops[i].Key, r.Usage = mac.KeyID{Set: 1, Version: 2}, keystore.UsageLoad
		if ops[i].Kind.Gives() {
			r.Out = []byte{0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8}
		}
	}
	return nil
}

// TestRawOperationsAreOnRecord holds that whatever the raw operations give away
// is on record with its key and card, without the data and the answer, and that
// nothing is given away that is not.
func TestRawOperationsAreOnRecord(t *testing.T) {
	s := newSetting(t)
	h, err := audit.New(rawFake{}, s.o, s.p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	var ops []mac.Op
	for k := mac.KindRawMAC; k.IsRaw(); k++ {
		op := mac.Op{Kind: k, Levels: 1, Factors: [keystore.MaxLevels]mac.Factor{{0x11}}}
		op.SetRaw(&mac.Raw{Text: []byte("DATADATA"), Claim: [8]byte{0xC1}})
		ops = append(ops, op)
	}
	ops = do(t, h, ops...)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	text := string(read(t, s.segment(1)))
	for i := range ops {
		k := ops[i].Kind
		record := `"outcome":"made","operation":"` + k.String() + `","key":"01/02/00","usage":"load","factors":["1100000000000000"]}`
		if got := strings.Contains(text, record); got != k.Gives() {
			t.Errorf("%s on record: %v", k, got)
		}
	}
	for _, secret := range []string{"A1A2", "DATA", "44415441", "C100"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the log", secret)
		}
	}

	if err := h.Do(t.Context(), ops); err != nil { // the log is closed
		t.Fatal(err)
	}
	for i := range ops {
		if k := ops[i].Kind; k.Gives() && (ops[i].Err == nil || ops[i].Raw().Out != nil) {
			t.Errorf("%s is answered without a record: %v", k, ops[i].Err)
		}
	}
}
