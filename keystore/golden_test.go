package keystore_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"pbochsm/keystore"
)

var update = flag.Bool("update", false, "write testdata/v1.age anew")

// golden is a file of format 1 that every later version has to read: the
// attributes of the package comment, with the key that their check value is of.
const golden = "testdata/v1.age"

func goldenFile(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenFile(t *testing.T) {
	if *update {
		s, dir := newStore(t, keystore.ModeTest)
		_, _, err := s.Import(keyOf(1), secrets(t, "11223344556677888877665544332211"))
		must(t, err)
		must(t, s.Save(rand.Reader))
		must(t, os.WriteFile(golden, readFile(t, dir), 0o644))
	}
	snap, err := keystore.OpenBytes(goldenFile(t), passphrase())
	must(t, err)
	defer snap.Release()
	want := keyOf(1)
	want.Index, want.KCV = 1, keystore.KCV{0x49, 0x15, 0x10}
	if len(snap.Keys()) != 1 || snap.Keys()[0] != want || snap.Epoch() != 2 || snap.Mode() != keystore.ModeTest {
		t.Errorf("%d keys, the first %+v, epoch %d, mode %s", len(snap.Keys()), *snap.Key(0), snap.Epoch(), snap.Mode())
	}
	if *snap.Secret(0) != secret(t, "11223344556677888877665544332211") {
		t.Error("other bytes")
	}
}

// A stranger reads the file by the package comment alone.
type stranger struct{ t testing.TB }

func (s stranger) base64(text string) []byte {
	b, err := base64.RawStdEncoding.DecodeString(text)
	must(s.t, err)
	return b
}

func (s stranger) number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	must(s.t, err)
	return uint32(n)
}

func (s stranger) unseal(key, sealed, additional []byte) []byte {
	aead, err := chacha20poly1305.New(key)
	must(s.t, err)
	b, err := aead.Open(nil, make([]byte, 12), sealed, additional)
	must(s.t, err)
	return b
}

func (s stranger) expand(secret []byte, label string, salt []byte, size int) []byte {
	b, err := hkdf.Expand(sha256.New, secret, label+string(salt), size)
	must(s.t, err)
	return b
}

// A strangerIdentity finds the SMK, and with it the file key.
type strangerIdentity struct {
	stranger
	smk []byte
}

func (s *strangerIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 2 || stanzas[0].Type != "argon2id" || stanzas[1].Type != "smk" {
		s.t.Fatalf("stanzas %v", stanzas)
	}
	a := stanzas[0].Args
	key := argon2.IDKey(passphrase(), s.base64(a[0]), s.number(a[2]), s.number(a[1]), uint8(s.number(a[3])), 32)
	s.smk = s.unseal(key, stanzas[0].Body, nil)
	salt := s.base64(stanzas[1].Args[0])
	return s.unseal(s.expand(s.smk, "pbochsm keystore v1 file key", salt, 32), stanzas[1].Body, nil), nil
}

func TestFileIsAsDocumented(t *testing.T) {
	s := &strangerIdentity{stranger: stranger{t}}
	r, err := age.Decrypt(bytes.NewReader(goldenFile(t)), s)
	must(t, err)
	payload, err := io.ReadAll(r)
	must(t, err)
	n := 4 + binary.BigEndian.Uint32(payload)
	if got := string(payload[4:n]); got != documented {
		t.Errorf("attributes %s, want %s", got, documented)
	}
	salt, sealed := payload[n:n+16], payload[n+16:]
	secrets := s.unseal(s.expand(s.smk, "pbochsm keystore v1 secrets", salt, 32), sealed, payload[:n])
	if want := secret(t, "11223344556677888877665544332211"); !bytes.Equal(secrets, want[:]) {
		t.Errorf("secrets %X", secrets)
	}
	snap, err := keystore.OpenBytes(goldenFile(t), passphrase())
	must(t, err)
	defer snap.Release()
	if check := s.expand(s.smk, "pbochsm keystore v1 check value", nil, 3); snap.Check() != keystore.KCV(check) {
		t.Errorf("check value %s, by the comment %X", snap.Check(), check)
	}
}

// goldenVictim is the golden file with the store that it is of.
func goldenVictim(t testing.TB) victim {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "keystore.age"), goldenFile(t), 0o600))
	return victim{dir, goldenFile(t), openStore(t, dir)}
}
