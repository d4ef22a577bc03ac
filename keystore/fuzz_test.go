package keystore_test

import (
	"bytes"
	"testing"

	"pbochsm/keystore"
)

// What is accepted as attributes is exactly what would be written for them.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(`{"format":1,"mode":"production","epoch":18446744073709551615,"next":4096,"keys":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, again, err := keystore.UnmarshalAttributes(text)
		if err == nil && !bytes.Equal(again, text) {
			t.Errorf("%d keys are written as %s", len(keys), again)
		}
	})
}

// Whatever comes within an authentic file is decoded to what it is encoded
// from, or refused.
func FuzzPayload(f *testing.F) {
	s := goldenVictim(f).held
	f.Add([]byte(documented), []byte("sixteen bytes .."), false)
	f.Add([]byte(`{"format":1,"mode":"test","epoch":1,"next":1,"keys":[]}`), []byte{}, false)
	f.Add([]byte{0, 0, 0, 1, '{'}, []byte{}, true)
	f.Fuzz(func(t *testing.T, attributes, secrets []byte, raw bool) {
		framed := frame(string(attributes))
		if raw {
			framed = bytes.Clone(attributes) // the fuzzer's arguments share one array
		}
		salt := bytes.Repeat([]byte{7}, 16)
		payload, err := s.SealPayload(bytes.NewReader(salt), framed, secrets)
		must(t, err)
		snap, err := s.Decode(payload)
		if err != nil {
			return
		}
		defer snap.Release()
		again, err := s.Encode(bytes.NewReader(salt), snap)
		if err != nil || !bytes.Equal(again, payload) {
			t.Errorf("encoded again as %q, %v", again, err)
		}
	})
}

// No file but the one that was saved opens, whatever is done to it.
func FuzzOpen(f *testing.F) {
	v := goldenVictim(f) // the same in every process of the fuzzer
	f.Add(v.file)
	f.Add(v.file[:len(v.file)-1])
	f.Add([]byte("age-encryption.org/v1\n-> argon2id AAAAAAAAAAAAAAAAAAAAAA 8 1 1\n\n-> smk AAAAAAAAAAAAAAAAAAAAAA\n\n--- \n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		same := bytes.Equal(file, v.file)
		if err := v.reload(file); (err == nil) != same {
			t.Errorf("reload: %v", err)
		}
		if cheap(file) {
			if err := v.open(file); (err == nil) != same {
				t.Errorf("open: %v", err)
			}
		}
	})
}

// cheap tells whether the fuzzer has left the cost of the pass-phrase alone;
// the limits on it are another test's affair.
func cheap(file []byte) bool {
	_, rest, _ := bytes.Cut(file, []byte("\n-> argon2id "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return bytes.HasSuffix(line, []byte(" 8 1 1"))
}
