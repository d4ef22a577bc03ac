package keystore_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
)

func TestParseSecret(t *testing.T) {
	want := keystore.Secret{0x0F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5A, 0x69, 0x78, 0x87, 0x96, 0xA5, 0xB4, 0xC3, 0xD2, 0xE1, 0xF0}
	for _, digits := range []string{partA, strings.ToLower(partA)} {
		typed := []byte(digits)
		if got, err := keystore.ParseSecret(typed); err != nil || got != want {
			t.Errorf("%s: other bytes, %v", digits, err)
		}
		if string(typed) != digits {
			t.Error("the caller's digits have changed")
		}
	}
	for _, c := range []struct{ name, digits string }{
		{"nothing", ""},
		{"a digit less", partA[1:]},
		{"a digit more", partA + "0"},
		{"a half", partA[:16]},
		{"three parts", partA + partA[:16]},
		{"not a digit", "G" + partA[1:]},
		{"a space within", partA[:16] + " " + partA[17:]},
		{"a line end", partA[1:] + "\n"},
		{"a prefix", "0x" + partA[2:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := keystore.ParseSecret([]byte(c.digits))
			if got != (keystore.Secret{}) || !errors.Is(err, keystore.ErrDigits) || err.Error() != keystore.ErrDigits.Error() {
				t.Errorf("%v, want ErrDigits and nothing more", err)
			}
		})
	}
}

// The check values are those of the openssl command:
//
//	head -c 8 /dev/zero | openssl enc -des-ede -nopad -K KEY
func TestKCV(t *testing.T) {
	for _, c := range []struct{ key, kcv string }{
		{"11223344556677888877665544332211", "491510"},
		{"00112233445566778899AABBCCDDEEFF", "FB0975"},
		{"0123456789ABCDEFFEDCBA9876543210", "08D7B4"},
		{partA, "819DB1"},
	} {
		s := secret(t, c.key)
		got, err := s.KCV(keystore.Cipher3DES)
		if err != nil || got.String() != c.kcv {
			t.Errorf("%s: %s, %v; want %s", c.key, got, err, c.kcv)
		}
	}
	s := secret(t, partA)
	for _, cipher := range []keystore.Cipher{0, 99} {
		if _, err := s.KCV(cipher); !errors.Is(err, keystore.ErrAlgorithm) {
			t.Errorf("cipher %d: %v, want ErrAlgorithm", cipher, err)
		}
	}
}

func TestKCVText(t *testing.T) {
	k := keystore.KCV{0x49, 0x15, 0x10}
	b, err := json.Marshal(k)
	if err != nil || string(b) != `"491510"` {
		t.Errorf("%s, %v", b, err)
	}
	var again keystore.KCV
	if err := json.Unmarshal(b, &again); err != nil || again != k {
		t.Errorf("%s, %v", again, err)
	}
	for _, bad := range []string{"", "4915", "49151000", "49151G"} {
		if err := again.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// spellings are the ways in which bytes might be printed.
func spellings(b []byte) (all []string) {
	decimal := fmt.Sprint(b)
	goSyntax := fmt.Sprintf("%#v", b)
	encoded := base64.StdEncoding.EncodeToString(b)
	return []string{
		string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), fmt.Sprintf("% x", b), fmt.Sprintf("% X", b),
		decimal[1 : len(decimal)-1], strings.ReplaceAll(decimal[1:len(decimal)-1], " ", ","),
		goSyntax[len("[]byte{") : len(goSyntax)-1], encoded[:len(encoded)-4], // the end depends on what follows
	}
}

// wantSilent looks for either half of each secret in text.
func wantSilent(t *testing.T, name, text string, secrets ...[]byte) {
	t.Helper()
	for _, s := range secrets {
		for i := 0; i+8 <= len(s); i += 8 {
			for _, spelling := range spellings(s[i : i+8]) {
				if strings.Contains(text, spelling) {
					t.Errorf("%s shows a secret: %q", name, text)
				}
			}
		}
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	key, _, err := s.Import(keyOf(1), secrets(t, partA))
	must(t, err)
	must(t, s.Save(rand.Reader))
	shown := secret(t, partA)
	snap := snapshotOf(t, s)
	values := map[string]any{
		"Secret": shown, "*Secret": &shown, "[]Secret": []keystore.Secret{shown}, "stored": snap.Secret(0),
		"Key": key, "*Key": &key, "Entry": keystore.Entry{Key: key, Secret: shown}, "*Entry": &keystore.Entry{Key: key, Secret: shown},
		"Store": s, "Snapshot": snap, "Live": keystore.NewLive(snapshotOf(t, openStore(t, dir))),
		"nested": struct {
			a any
			b *keystore.Snapshot
			C map[string]any
		}{s, snap, map[string]any{"x": shown}},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "% x", "%s", "%q", "%d", "%b", "%o"} {
			wantSilent(t, name+" "+verb, fmt.Sprintf(verb, v), shown[:], s.Master(), passphrase())
		}
		b, err := json.Marshal(v)
		wantSilent(t, name+" in JSON", fmt.Sprint(string(b), err), shown[:], s.Master(), passphrase())
	}
	if _, err := json.Marshal(shown); err == nil {
		t.Error("a secret has a JSON form")
	}
	if got := fmt.Sprintf("%x", shown); got != "<secret>" {
		t.Errorf("a secret prints as %q", got)
	}
}

func TestNoErrorPrintsSecrets(t *testing.T) {
	var all [][]byte
	for _, digits := range []string{partA, partB, partC} {
		s := secret(t, digits)
		all = append(all, s[:])
	}
	for _, c := range ceremonyCases(t) {
		for _, digits := range c.components {
			if s := secret(t, digits); s != (keystore.Secret{}) {
				all = append(all, s[:])
			}
		}
	}
	for _, mode := range []keystore.Mode{keystore.ModeTest, keystore.ModeProduction} {
		for _, c := range ceremonyCases(t) {
			_, warnings, err := holding(t, mode, c).Import(keyOf(1), secrets(t, c.components...))
			wantSilent(t, c.name, fmt.Sprintf("%v %+v %#v %v %+v %#v", err, err, err, warnings, warnings, warnings), all...)
		}
	}
}
