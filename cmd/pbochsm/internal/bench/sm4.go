package bench

import (
	"context"
	_ "embed"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// sm4Source computes TACs with OpenSSL's SM4.
//
//go:embed yardstick/sm4.c
var sm4Source []byte

// sm4Goal is how many times as fast as OpenSSL the lanes of SM4 are to be, by
// what the processor has for them.
func sm4Goal(b *lanes.Backend) float64 {
	if b.SM4() == "AVX-512 and GFNI" {
		return 40
	}
	return 1
}

// sm4Lanes sets the verification of TACs in SM4 on one core, with each of the
// cores that this processor has, against OpenSSL.
func sm4Lanes(ctx context.Context, o *Options) error {
	program, missing := buildYardstick(ctx, o.Dir, "sm4", sm4Source)
	e, err := newExamIn(ctx, keystore.CipherSM4, mac.KindLoadTAC, keystore.UsageTAC, tacs)
	if err != nil {
		return err
	}
	before := ""
	for _, width := range lanes.Widths() {
		backend, err := lanes.NewWidth(width)
		if err != nil {
			return err
		}
		if backend.SM4() == before { // a width that adds nothing
			continue
		}
		before = backend.SM4()
		row := Row{Group: "lanes", Name: fmt.Sprintf("TAC in SM4, %s, one core / OpenSSL EVP", before), Unit: "M TAC/s"}
		if missing != nil {
			o.skip(row.Group, row.Name, missing)
			continue
		}
		if err := e.compare(ctx, o, row, backend, program, sm4Goal(backend)); err != nil {
			return err
		}
	}
	return nil
}
