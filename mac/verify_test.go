package mac_test

import (
	"context"
	"errors"
	"testing"

	"pbochsm/mac"
)

// A call is an operation as a caller writes it: with the MAC it claims, if
// any, it gives the MAC that is made, if any.
type call struct {
	kind mac.Kind
	do   func(hsm mac.HSM, claim [4]byte) (mac.MAC, error)
}

func calls() []call {
	ctx := context.Background()
	only := func(err error) (mac.MAC, error) { return mac.MAC{}, err }
	return []call{
		{mac.KindLoad, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := someLoad
			t.MAC1 = claim
			return mac.AuthorizeLoad(ctx, hsm, t)
		}},
		{mac.KindLoadTAC, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := someLoadTAC
			t.TAC = claim
			return only(mac.VerifyLoadTAC(ctx, hsm, t))
		}},
		{mac.KindUnload, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := someUnload
			t.MAC1 = claim
			return mac.AuthorizeUnload(ctx, hsm, t)
		}},
		{mac.KindUnloadMAC3, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := someUnloadProof
			t.MAC3 = claim
			return only(mac.VerifyUnload(ctx, hsm, t))
		}},
		{mac.KindPurchase, func(hsm mac.HSM, _ [4]byte) (mac.MAC, error) {
			return mac.StartPurchase(ctx, hsm, somePurchase)
		}},
		{mac.KindPurchaseMAC2, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := somePurchaseProof
			t.MAC2 = claim
			return only(mac.VerifyPurchase(ctx, hsm, t))
		}},
		{mac.KindPurchaseTAC, func(hsm mac.HSM, claim [4]byte) (mac.MAC, error) {
			t := somePurchaseTAC
			t.TAC = claim
			return only(mac.VerifyPurchaseTAC(ctx, hsm, t))
		}},
	}
}

// TestCalls holds that each typed call answers as its Op does, right and
// wrong.
func TestCalls(t *testing.T) {
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	right := rightOps(t)
	for i, c := range calls() {
		t.Run(c.kind.String(), func(t *testing.T) {
			op := ask(t, hsm, right[i])
			if op.Kind != c.kind || op.Err != nil {
				t.Fatalf("%s: %v", op.Kind, op.Err)
			}
			var claim [4]byte
			field, claims := c.kind.Claims()
			if claims {
				claim = [4]byte(field.Bytes(&op))
			}
			if got, err := c.do(hsm, claim); err != nil || got != op.Answer {
				t.Errorf("right: %X, %v; want %X", got, err, op.Answer)
			}
			if !claims {
				return
			}
			claim[0] ^= 0x80
			got, err := c.do(hsm, claim)
			if !errors.Is(err, c.kind.Mismatch()) || !errors.Is(err, mac.ErrVerify) || got != (mac.MAC{}) {
				t.Errorf("wrong: %X, %v; want none and %v", got, err, c.kind.Mismatch())
			}
		})
	}
}

// TestEveryBitOfAClaimCounts inverts each bit of each claim.
func TestEveryBitOfAClaimCounts(t *testing.T) {
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	for _, op := range rightOps(t) {
		claim, ok := op.Kind.Claims()
		if !ok {
			continue
		}
		for bit := range 32 {
			wrong := op
			claim.Bytes(&wrong)[bit/8] ^= 1 << (bit % 8)
			got := ask(t, hsm, wrong)
			if !errors.Is(got.Err, op.Kind.Mismatch()) || got.Answer != [4]byte{} {
				t.Errorf("%s, bit %d: %X, %v", op.Kind, bit, got.Answer, got.Err)
			}
		}
	}
}
