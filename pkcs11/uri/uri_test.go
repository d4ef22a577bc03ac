package uri_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pbochsm/pkcs11/uri"
)

func slot(n uint) *uint { return &n }

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want uri.URI
	}{
		{"pkcs11:", uri.URI{}},
		{"pkcs11:token=main", uri.URI{Token: "main"}},
		// The next three follow examples of RFC 7512, section 3.
		{"pkcs11:object=my-pubkey;type=public", uri.URI{Object: "my-pubkey", Type: "public"}},
		{"pkcs11:object=my-key;type=private?pin-source=file:/etc/token", uri.URI{Object: "my-key", Type: "private", PINSource: "file:/etc/token"}},
		{"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=47",
			uri.URI{
				Token: "The Software PKCS#11 Softtoken", Manufacturer: "Snake Oil, Inc.", Model: "1.0", Serial: "47",
				Object: "my-certificate", Type: "cert", ID: "\x69\x95\x3E\x5C\xF4\xBD\xEC\x91",
			}},
		{"pkcs11:id=%01%02%00%FF?pin-source=-", uri.URI{ID: "\x01\x02\x00\xFF", PINSource: "-"}},
		{"pkcs11:serial=0a1B;slot-id=327?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/a%26b",
			uri.URI{Serial: "0a1B", Slot: slot(327), ModulePath: "/usr/lib/softhsm/libsofthsm2.so", PINSource: "/etc/a&b"}},
		{"pkcs11:object=pbochsm%2F01%2Fload%2f01", uri.URI{Object: "pbochsm/01/load/01"}},
		{"pkcs11:token=%E9%87%91%E5%8D%A1;object=a=b&c", uri.URI{Token: "金卡", Object: "a=b&c"}},
	} {
		got, err := uri.Parse(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", c.text, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{"", uri.ErrScheme},
		{"token=main", uri.ErrScheme},
		{"PKCS11:token=main", uri.ErrScheme},
		{"pkcs11:token", uri.ErrSyntax},
		{"pkcs11:token=", uri.ErrSyntax},
		{"pkcs11:token=a;token=a", uri.ErrSyntax},
		{"pkcs11:token=a;", uri.ErrSyntax},
		{"pkcs11:;token=a", uri.ErrSyntax},
		{"pkcs11:tokens=a", uri.ErrSyntax},
		{"pkcs11:x-vendor=a", uri.ErrSyntax},
		{"pkcs11:library-version=3", uri.ErrSyntax},
		{"pkcs11:token=a b", uri.ErrSyntax},
		{"pkcs11:token=a/b", uri.ErrSyntax},
		{"pkcs11:token=%", uri.ErrSyntax},
		{"pkcs11:token=%4", uri.ErrSyntax},
		{"pkcs11:token=%GG", uri.ErrSyntax},
		{"pkcs11:token=%FF", uri.ErrSyntax},
		{"pkcs11:token=%00", uri.ErrSyntax},
		{"pkcs11:token=金卡", uri.ErrSyntax},
		{"pkcs11:slot-id=-1", uri.ErrSyntax},
		{"pkcs11:slot-id=01", uri.ErrSyntax},
		{"pkcs11:slot-id=4294967296", uri.ErrSyntax},
		{"pkcs11:type=key", uri.ErrSyntax},
		{"pkcs11:token=a?", uri.ErrSyntax},
		{"pkcs11:token=a?token=b", uri.ErrSyntax},
		{"pkcs11:pin-source=/etc/pin", uri.ErrSyntax},
		{"pkcs11:token=a?module-name=softhsm2", uri.ErrSyntax},
		{"pkcs11:token=a?pin-value=4711", uri.ErrPINValue},
		{"pkcs11:token=a?pin-value=%47", uri.ErrPINValue},
		{"pkcs11:token=" + strings.Repeat("a", 4096), uri.ErrSyntax},
	} {
		_, err := uri.Parse(c.text)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "4711") {
			t.Errorf("the error quotes a PIN: %v", err)
		}
	}
}

// What is read is written so that it reads the same.
func FuzzParse(f *testing.F) {
	f.Add("pkcs11:")
	f.Add("pkcs11:token=main;serial=1;slot-id=3;object=a%2Fb;id=%00%01;type=secret-key?module-path=/m.so&pin-source=-")
	f.Add("pkcs11:token=%E9%87%91;manufacturer=x;model=y?pin-value=1")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := uri.Parse(s)
		if err != nil {
			return
		}
		again, err := uri.Parse(u.String())
		if err != nil || !reflect.DeepEqual(again, u) {
			t.Errorf("%q is written as %q: %+v, %v", s, u, again, err)
		}
	})
}

func Example() {
	u, err := uri.Parse("pkcs11:token=main;object=pbochsm%2F01%2Fload%2F01%2F00?pin-source=/run/credentials/pin")
	fmt.Println(u.Token, u.Object, u.PINSource, err)
	fmt.Println(uri.URI{Token: "main", ID: "\x01\xAB"})
	// Output:
	// main pbochsm/01/load/01/00 /run/credentials/pin <nil>
	// pkcs11:token=main;id=%01%AB
}
