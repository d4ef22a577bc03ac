//go:build cgo && !nopkcs11 && !windows

package pkcs11_test

import (
	"errors"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// someKey is the key of a published load; its check value is 491510.
func someKey() *keystore.Secret {
	return &keystore.Secret{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}
}

func spec(label string) pkcs11.Spec {
	return pkcs11.Spec{Label: label, ID: "id of " + label, Cipher: keystore.Cipher3DES}
}

func openToken(t *testing.T, f tokentest.Fixture) *pkcs11.Token {
	t.Helper()
	token, err := pkcs11.Open(t.Context(), f.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	})
	return token
}

func labels(t *testing.T, token *pkcs11.Token) string {
	t.Helper()
	objects, err := token.Objects()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range objects {
		all = append(all, o.Label)
		if len(o.Problems) > 0 {
			t.Errorf("%s: %q", o.Label, o.Problems)
		}
	}
	return strings.Join(all, " ")
}

func TestImportAndDestroy(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		token := openToken(t, f)
		kcv, err := token.Import(spec("a"), someKey())
		if err != nil || kcv.String() != "491510" {
			t.Fatalf("check value %s, %v", kcv, err)
		}
		if kcv, err := token.CheckValue(spec("a")); err != nil || kcv.String() != "491510" {
			t.Errorf("check value %s, %v", kcv, err)
		}
		if got := labels(t, token); got != "a" {
			t.Errorf("keys %q", got)
		}
		other := spec("a")
		other.ID = "another"
		for _, make := range []func() error{
			func() error { _, err := token.Import(other, someKey()); return err },
			func() error { _, err := token.Generate(other); return err },
		} {
			if err := make(); !errors.Is(err, pkcs11.ErrLabel) {
				t.Errorf("a label that is taken: %v", err)
			}
		}
		if err := token.Destroy(other); err == nil {
			t.Error("destroyed a key that is not there")
		}
		if err := token.Destroy(spec("a")); err != nil {
			t.Error(err)
		}
		if got := labels(t, token); got != "" {
			t.Errorf("keys %q after the last was destroyed", got)
		}
		if _, err := token.CheckValue(spec("a")); err == nil {
			t.Error("a key that was destroyed has a check value")
		}
	})
}

func TestGenerate(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		token := openToken(t, f)
		first, err := token.Generate(spec("a"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := token.Generate(spec("b"))
		if err != nil || first == second {
			t.Errorf("check values %s and %s, %v", first, second, err)
		}
		if got := labels(t, token); got != "a b" && got != "b a" {
			t.Errorf("keys %q", got)
		}
		folded := spec("c")
		folded.Folded = true
		if _, err := token.Generate(folded); !errors.Is(err, mac.ErrUnsupported) {
			t.Errorf("generated a key with a folded form: %v", err)
		}
		var a, b [32]byte
		if err := errors.Join(token.Random(a[:]), token.Random(b[:])); err != nil || a == b {
			t.Errorf("two draws are %X and %X, %v", a, b, err)
		}
	})
}

// A card's own TAC key comes with its folded form, and goes with it.
func TestImportFolded(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		token := openToken(t, f)
		s := spec("tac")
		s.Folded = true
		if _, err := token.Import(s, someKey()); err != nil {
			t.Fatal(err)
		}
		if got := labels(t, token); got != "tac tac/folded" && got != "tac/folded tac" {
			t.Errorf("keys %q", got)
		}
		if err := token.Destroy(s); err != nil {
			t.Error(err)
		}
		if got := labels(t, token); got != "" {
			t.Errorf("keys %q", got)
		}
	})
}

// What a key may not do, and what it must do, the audit finds.
func TestAudit(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		token := openToken(t, f)
		for name, on := range map[string]bool{
			"SENSITIVE": false, "EXTRACTABLE": true, "DERIVE": false, "ENCRYPT": true, "DECRYPT": true,
			"WRAP": true, "UNWRAP": true, "SIGN": true, "PRIVATE": false,
		} {
			if f.Name == "nss" && (name == "PRIVATE" || name == "SENSITIVE") {
				continue // in a database with a PIN softokn keeps all keys private and sensitive, whatever it is told
			}
			s := spec(name)
			if err := token.PutWith(s.Label, s.ID, name, on, someKey()[:]); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_, err := token.CheckValue(s)
			var audit *pkcs11.AuditError
			if !errors.As(err, &audit) || len(audit.Problems) != 1 || !strings.HasPrefix(audit.Problems[0], name+" is ") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestDiagnose(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		token := openToken(t, f)
		d, err := token.Diagnose()
		if err != nil || !d.Serves() {
			t.Fatalf("%+v, %v", d, err)
		}
		want := map[string]pkcs11.TACWay{"softhsm": pkcs11.WayHost, "nss": pkcs11.WayData}[f.Name]
		if d.TAC < want { // a later SoftHSM can do better
			t.Errorf("TAC keys are folded by way %s", d.TAC)
		}
		for _, f := range d.Findings {
			t.Logf("%-45s %-5v %s", f.Question, f.Works, f.Detail)
		}
		if objects := labels(t, token); objects != "" {
			t.Errorf("the diagnosis left %q behind", objects)
		}
	})
}
