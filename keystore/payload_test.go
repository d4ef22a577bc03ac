package keystore_test

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"pbochsm/keystore"
)

// documented is the example of the package comment, on one line.
const documented = `{"format":1,"mode":"test","epoch":2,"next":2,"keys":[` +
	`{"set":"01","usage":"load","version":"01","algorithm":"00","index":1,` +
	`"cipher":"3des","levels":1,"state":"active","kcv":"491510"}]}`

// frame puts the length before attributes.
func frame(attributes string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(attributes))), attributes...)
}

// payload makes what a save would, had it these attributes.
func payload(t testing.TB, s *keystore.Store, attributes string, secrets ...string) []byte {
	t.Helper()
	var clearBytes []byte
	for _, digits := range secrets {
		b := secret(t, digits)
		clearBytes = append(clearBytes, b[:]...)
	}
	b, err := s.SealPayload(rand.Reader, frame(attributes), clearBytes)
	must(t, err)
	return b
}

func TestDocumentedAttributes(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	snap, err := s.Decode(payload(t, s, documented, "11223344556677888877665544332211"))
	must(t, err)
	defer snap.Release()
	want := keyOf(1)
	want.Index, want.KCV = 1, keystore.KCV{0x49, 0x15, 0x10}
	if got := *snap.Key(0); got != want || snap.Epoch() != 2 || snap.Mode() != keystore.ModeTest {
		t.Errorf("%+v at epoch %d", got, snap.Epoch())
	}
	if kcv, err := snap.Secret(0).KCV(keystore.Cipher3DES); err != nil || kcv != want.KCV {
		t.Errorf("check value %s, %v", kcv, err)
	}
}

func TestAttributesRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	for _, c := range []struct {
		name     string
		old, new string // in documented
		want     error
	}{
		{"unknown member", `"next":2,`, `"next":2,"more":1,`, keystore.ErrDamaged},
		{"unknown member of a key", `"levels":1,`, `"levels":1,"export":true,`, keystore.ErrDamaged},
		{"missing member", `"levels":1,`, ``, keystore.ErrDamaged},
		{"missing mode", `"mode":"test",`, ``, keystore.ErrDamaged},
		{"missing kcv", `,"kcv":"491510"`, ``, keystore.ErrDamaged},
		{"missing state", `"state":"active",`, ``, keystore.ErrDamaged},
		{"member twice", `"levels":1,`, `"levels":1,"levels":1,`, keystore.ErrDamaged},
		{"letter case", `"levels"`, `"Levels"`, keystore.ErrDamaged},
		{"a letter that folds to k", `"keys"`, `"` + "\u212A" + `eys"`, keystore.ErrDamaged},
		{"order", `"epoch":2,"next":2`, `"next":2,"epoch":2`, keystore.ErrDamaged},
		{"space", `"epoch":2`, `"epoch": 2`, keystore.ErrDamaged},
		{"line end", `]}`, "]}\n", keystore.ErrDamaged},
		{"a second text", `]}`, `]}{}`, keystore.ErrDamaged},
		{"cut", `]}`, `]`, keystore.ErrDamaged},
		{"null", `"levels":1`, `"levels":null`, keystore.ErrDamaged},
		{"no list", documented[strings.Index(documented, `"keys":`)+len(`"keys":`) : len(documented)-1], `null`, keystore.ErrDamaged},
		{"number as text", `"levels":1`, `"levels":"1"`, keystore.ErrDamaged},
		{"fraction", `"levels":1`, `"levels":1.0`, keystore.ErrDamaged},
		{"exponent", `"epoch":2`, `"epoch":2e0`, keystore.ErrDamaged},
		{"negative", `"levels":1`, `"levels":-1`, keystore.ErrDamaged},
		{"escaped letter", `"test"`, `"\u0074est"`, keystore.ErrDamaged},
		{"lower-case hexadecimal", `"set":"01"`, `"set":"0a"`, keystore.ErrDamaged},
		{"one digit", `"set":"01"`, `"set":"1"`, keystore.ErrDamaged},
		{"unknown mode", `"test"`, `"demo"`, keystore.ErrDamaged},
		{"unknown usage", `"load"`, `"reload"`, keystore.ErrDamaged},
		{"unknown cipher", `"3des"`, `"rot13"`, keystore.ErrDamaged},
		{"unknown state", `"active"`, `"lost"`, keystore.ErrDamaged},
		{"levels", `"levels":1`, `"levels":5`, keystore.ErrAttribute},
		{"levels of 9 bits", `"levels":1`, `"levels":257`, keystore.ErrDamaged},
		{"epoch 0", `"epoch":2`, `"epoch":0`, keystore.ErrDamaged},
		{"epoch of 65 bits", `"epoch":2`, `"epoch":18446744073709551616`, keystore.ErrDamaged},
		{"index 0", `"index":1`, `"index":0`, keystore.ErrDamaged},
		{"index not given out yet", `"index":1`, `"index":2`, keystore.ErrDamaged},
		{"next 0", `"next":2`, `"next":0`, keystore.ErrDamaged},
		{"next beyond the table", `"next":2`, `"next":4097`, keystore.ErrDamaged},
		{"format to come", `"format":1`, `"format":4`, keystore.ErrFormat},
		{"format of token keys, without one", `"format":1`, `"format":2`, keystore.ErrDamaged},
		{"no format", `"format":1,`, ``, keystore.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(documented, c.old, c.new, 1)
			if text == documented {
				t.Fatal("nothing changed")
			}
			if snap, err := s.Decode(payload(t, s, text, partA)); snap != nil || !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestRecordsRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	record := documented[strings.Index(documented, `{"set"`) : len(documented)-2]
	keys := func(records ...string) string {
		return strings.Replace(strings.Replace(documented, record, strings.Join(records, ","), 1), `"next":2`, `"next":9`, 1)
	}
	at := func(index, set string) string {
		return strings.Replace(strings.Replace(record, `"index":1`, `"index":`+index, 1), `"set":"01"`, `"set":"`+set+`"`, 1)
	}
	if snap, err := s.Decode(payload(t, s, keys(at("1", "01"), at("3", "02")), partA, partB)); err != nil {
		t.Fatalf("two sound keys: %v", err)
	} else {
		snap.Release()
	}
	for _, c := range []struct {
		name    string
		records []string
		want    error
	}{
		{"an identity twice", []string{at("1", "01"), at("2", "01")}, keystore.ErrDuplicate},
		{"an index twice", []string{at("1", "01"), at("1", "02")}, keystore.ErrDamaged},
		{"falling indices", []string{at("2", "01"), at("1", "02")}, keystore.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			if snap, err := s.Decode(payload(t, s, keys(c.records...), partA, partB)); snap != nil || !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestSecretsRefused(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	other, _ := newStore(t, keystore.ModeTest)
	whole := payload(t, s, documented, partA)
	relabelled := strings.Replace(documented, `"load"`, `"unload"`, 1)
	for name, bad := range map[string][]byte{
		"nothing":           nil,
		"a cut length":      whole[:3],
		"no attributes":     frame(""),
		"attributes cut":    whole[:40],
		"no secrets":        frame(documented),
		"a secret missing":  payload(t, s, documented),
		"a secret more":     payload(t, s, documented, partA, partB),
		"a byte less":       whole[:len(whole)-1],
		"a byte more":       append(append([]byte(nil), whole...), 0),
		"a forged length":   append([]byte{0xFF, 0xFF, 0xFF, 0xFF}, whole[4:]...),
		"another store's":   payload(t, other, documented, partA),
		"another key's":     append(frame(relabelled), whole[len(frame(documented)):]...),
		"secrets in clear":  append(frame(documented), make([]byte, 16+16+16)...),
		"a length too long": append([]byte{0, 0, 2, 0}, whole[4:]...),
	} {
		if snap, err := s.Decode(bad); snap != nil || !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	for i := range whole {
		flipped := append([]byte(nil), whole...)
		flipped[i] ^= 0x10
		if snap, err := s.Decode(flipped); snap != nil || err == nil {
			t.Errorf("byte %d flipped, and taken", i)
		}
	}
}
