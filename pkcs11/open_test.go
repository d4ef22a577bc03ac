package pkcs11_test

import (
	"testing"

	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

func TestOpenAndClose(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		for range 3 {
			token, err := pkcs11.Open(t.Context(), f.Config(t))
			if err != nil {
				t.Fatal(err)
			}
			if second, err := pkcs11.Open(t.Context(), f.Config(t)); err == nil {
				t.Errorf("a second token of the module opened: %v", second)
			}
			if err := token.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		slot := uint(9999)
		for _, c := range []struct {
			name  string
			spoil func(c *pkcs11.Config)
		}{
			{"no module", func(c *pkcs11.Config) { c.Module = "" }},
			{"absent module", func(c *pkcs11.Config) { c.Module += ".absent" }},
			{"no selector", func(c *pkcs11.Config) { c.Label = "" }},
			{"two selectors", func(c *pkcs11.Config) { c.Serial = "1" }},
			{"another label", func(c *pkcs11.Config) { c.Label = "another" }},
			{"another serial", func(c *pkcs11.Config) { c.Label, c.Serial = "", "another" }},
			{"another slot", func(c *pkcs11.Config) { c.Label, c.Slot = "", &slot }},
			{"no PIN source", func(c *pkcs11.Config) { c.PIN = nil }},
			{"wrong PIN", func(c *pkcs11.Config) { c.PIN = func() ([]byte, error) { return []byte("000000"), nil } }},
		} {
			cfg := f.Config(t)
			c.spoil(&cfg)
			if _, err := pkcs11.Open(t.Context(), cfg); err == nil {
				t.Errorf("%s: opened", c.name)
			} else {
				t.Logf("%s: %v", c.name, err)
			}
		}
		token, err := pkcs11.Open(t.Context(), f.Config(t)) // nothing of it stuck
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	})
}
