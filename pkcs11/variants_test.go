//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"errors"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// variants are the makes of token that can be played here, with the way to fold
// TAC keys that each must come to.
var variants = []struct {
	name  string
	token func(testing.TB) tokentest.Fixture
	tune  func(*pkcs11.Config, *controlBlock)
	want  pkcs11.TACWay
}{
	{"softhsm", tokentest.SoftHSM, func(*pkcs11.Config, *controlBlock) {}, pkcs11.WayHost},
	{"nss", tokentest.NSS, func(*pkcs11.Config, *controlBlock) {}, pkcs11.WayData},
	{"nss without XOR_BASE_AND_DATA", tokentest.NSS, func(_ *pkcs11.Config, c *controlBlock) { c.noXOR = 1 }, pkcs11.WayUnwrap},
	{"a vendor that XORs keys", tokentest.SoftHSM, func(c *pkcs11.Config, b *controlBlock) {
		c.Profile.XORKeys, b.vendor = 0x80000364, 1
	}, pkcs11.WayVendor},
	{"inline parameters", tokentest.SoftHSM, func(c *pkcs11.Config, b *controlBlock) {
		c.Profile.Layout, b.inlineData = pkcs11.LayoutInline, 1
	}, pkcs11.WayHost},
	{"inline parameters and XOR", tokentest.SoftHSM, func(c *pkcs11.Config, b *controlBlock) {
		c.Profile.Layout, c.Profile.XORKeys, b.inlineData, b.vendor = pkcs11.LayoutInline, 0x80000364, 1, 1
	}, pkcs11.WayVendor},
	{"three halves on softhsm", tokentest.SoftHSM, func(c *pkcs11.Config, _ *controlBlock) { c.Profile.Session = pkcs11.SessionDES3 }, pkcs11.WayHost},
	{"three halves on nss", tokentest.NSS, func(c *pkcs11.Config, _ *controlBlock) { c.Profile.Session = pkcs11.SessionDES3 }, pkcs11.WayData},
	{"public keys", tokentest.SoftHSM, func(c *pkcs11.Config, _ *controlBlock) { c.Profile.Public = true }, pkcs11.WayHost},
	{"no cache", tokentest.NSS, func(c *pkcs11.Config, _ *controlBlock) { c.Cache = -1 }, pkcs11.WayData},
	{"a cache of one key", tokentest.NSS, func(c *pkcs11.Config, _ *controlBlock) { c.Cache = 1 }, pkcs11.WayData},
}

func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			f, control := faulty(t, v.token(t))
			s := newSource(5)
			entries := s.entries()
			keys := install(t, f, entries)
			cfg := f.Config(t)
			v.tune(&cfg, control)
			b := serve(t, cfg)
			if got := b.Status().TAC; got != v.want {
				t.Errorf("TAC keys by way %s, want %s", got, v.want)
			}
			for range 4 {
				chains := s.chains(40, entries)
				want := judged(t, entries, chains)
				if err := b.Run(t.Context(), keys, chains); err != nil {
					t.Fatal(err)
				}
				for i := range chains {
					if !same(chains[i], want[i]) {
						t.Fatalf("MACs %x, error %v; the reference has %x\nchain: %+v", chains[i].MAC, chains[i].Err, want[i].MAC, chains[i])
					}
				}
			}
		})
	}
}

// Below the floor TACs are refused, with the reason, and all else works.
func TestTACFloor(t *testing.T) {
	f := tokentest.SoftHSM(t)
	s := newSource(6)
	entries := s.entries()
	keys := install(t, f, entries)
	for _, floor := range []pkcs11.TACWay{pkcs11.WayUnwrap, pkcs11.WayVendor, pkcs11.WayNone} {
		cfg := f.Config(t)
		cfg.TAC = floor
		func() {
			b, err := pkcs11.Serve(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if got := b.Status().TAC; got != pkcs11.WayNone {
				t.Errorf("floor %s: TAC keys by way %s, want none", floor, got)
			}
			chains := s.chains(40, entries)
			want := judged(t, entries, chains)
			if err := b.Run(t.Context(), keys, chains); err != nil {
				t.Fatal(err)
			}
			for i, c := range chains {
				folds := c.Final == mac.FinalTAC && c.Levels > 0
				if folds != errors.Is(c.Err, mac.ErrUnsupported) || !folds && !same(c, want[i]) {
					t.Errorf("floor %s: MACs %x, error %v for a chain of %d levels and final %d", floor, c.MAC, c.Err, c.Levels, c.Final)
				}
			}
		}()
	}
}

// What fails its own known answer is refused, with the reason, and all else works.
func TestRefusesWhatItCannot(t *testing.T) {
	f := tokentest.SoftHSM(t)
	s := newSource(9)
	entries := s.entries()
	keys := install(t, f, entries)
	for _, wrong := range []mac.Final{mac.FinalLock, mac.FinalCard} {
		var answers []pkcs11.Known
		pkcs11.EachKnown(func(_ string, c keystore.Cipher, key []byte, chain mac.Chain, macs [2][8]byte, text []byte) {
			if chain.Final == wrong {
				macs[0][7] ^= 1
			}
			answers = append(answers, pkcs11.NewKnown(c, key, chain, macs, text))
		})
		cfg := f.Config(t)
		cfg.Name = tokenName
		b, err := pkcs11.ServeKnown(t.Context(), cfg, answers)
		if err != nil {
			t.Fatal(err)
		}
		if st := b.Status(); st.GreyLock == (wrong == mac.FinalLock) || st.Scripts == (wrong == mac.FinalCard) {
			t.Errorf("form %d fails: grey lock %v, scripts %v", wrong, st.GreyLock, st.Scripts)
		}
		chains := s.chains(60, entries)
		want := judged(t, entries, chains)
		if err := b.Run(t.Context(), keys, chains); err != nil {
			t.Fatal(err)
		}
		for i, c := range chains {
			if fails := c.Final == wrong; fails != errors.Is(c.Err, mac.ErrUnsupported) || !fails && !same(c, want[i]) {
				t.Errorf("form %d fails: MACs %x, error %v for a chain of form %d", wrong, c.MAC, c.Err, c.Final)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A known answer that does not come out keeps the token from serving.
func TestWrongArithmeticDoesNotServe(t *testing.T) {
	f := tokentest.SoftHSM(t)
	cfg := f.Config(t)
	cfg.Profile.Layout = pkcs11.LayoutInline // which this token does not understand
	if b, err := pkcs11.Serve(t.Context(), cfg); err == nil {
		t.Errorf("%v serves", b.Status())
		b.Close()
	}
	cfg = f.Config(t)
	cfg.Profile.DES.CBC = 0x132 // CKM_DES3_ECB: other MACs
	if b, err := pkcs11.Serve(t.Context(), cfg); err == nil {
		t.Errorf("%v serves", b.Status())
		b.Close()
	}
	b, err := pkcs11.Serve(t.Context(), f.Config(t)) // nothing of it stuck
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
}
