//go:build cgo && !nopkcs11 && !windows

package pkcs11_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11/tokentest"
)

// TestRawInToken holds that a token answers raw operations like the software, or
// says that it cannot; MACs by session keys and TACs as long as a transaction's it
// must answer. A key without the right never answers.
func TestRawInToken(t *testing.T) {
	entries := []keystore.Entry{
		{Key: keystore.Key{Ref: keystore.Ref{Set: 1, Usage: keystore.UsageLoad}, Index: 1, Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive, Raw: true, Export: true}, Secret: keystore.Secret{0: 0x31, 15: 0x42}},
		{Key: keystore.Key{Ref: keystore.Ref{Set: 2, Usage: keystore.UsageLoad}, Index: 2, Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive}, Secret: keystore.Secret{0: 0x33, 15: 0x44}},
	}
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		keys := install(t, f, entries)
		token := mac.NewEngine(keystore.NewLive(keys), serve(t, f.Config(t)))
		software := mac.NewEngine(keystore.NewLive(snapshot(t, entries)), reference.Backend{})
		ask := func(hsm mac.HSM, k mac.Kind, r mac.Raw) *mac.Op {
			op := mac.Op{Kind: k, Levels: 1, Factors: [keystore.MaxLevels]mac.Factor{{0x11, 0x22}}}
			r.ByIndex = true
			r.Text = bytes.Clone(r.Text)
			op.SetRaw(&r)
			ops := []mac.Op{op}
			if err := hsm.Do(t.Context(), ops); err != nil {
				t.Fatal(err)
			}
			return &ops[0]
		}
		for _, n := range []int{8, 32, 40, 264} {
			for _, session := range []bool{true, false} {
				r := mac.Raw{Index: 1, Session: session, Data: [8]byte{5, 6}, IV: [8]byte{7, 8}, Text: make([]byte, n), Size: 4}
				for k := mac.KindRawMAC; k.IsRaw(); k++ {
					name := fmt.Sprintf("%s of %d bytes, session key %v", k, n, session)
					got, want := ask(token, k, r), ask(software, k, r)
					must := n <= 32 && (k == mac.KindRawTAC || k == mac.KindRawTACVerify || session && (k == mac.KindRawMAC || k == mac.KindRawMACVerify))
					switch {
					case errors.Is(got.Err, mac.ErrUnsupported) && !must:
						if got.Raw().Out != nil {
							t.Errorf("%s: refused and answered", name)
						}
					case !errors.Is(got.Err, want.Err) || !bytes.Equal(got.Raw().Out, want.Raw().Out):
						t.Errorf("%s: %X, %v; want %X, %v", name, got.Raw().Out, got.Err, want.Raw().Out, want.Err)
					}
					r := r
					r.Index = 2
					if op := ask(token, k, r); !errors.Is(op.Err, keystore.ErrRaw) || op.Raw().Out != nil {
						t.Errorf("%s without the right: %v", name, op.Err)
					}
				}
			}
		}
	})
}
