package keystore_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"

	"pbochsm/keystore"
)

func TestRoundTrip(t *testing.T) {
	s, dir := newStore(t, keystore.ModeProduction)
	fill(t, s, 1, 2, 3)
	read := openStore(t, dir)
	snap := snapshotOf(t, read)
	sameKeys(t, snap, snapshotOf(t, s))
	if snap.Epoch() != 2 {
		t.Errorf("epoch %d after the creation and one save, want 2", snap.Epoch())
	}
	if snap.Check() == (keystore.KCV{}) {
		t.Error("the storage master key has no check value")
	}
}

func TestStoresAreDistinct(t *testing.T) {
	a, _ := newStore(t, keystore.ModeTest)
	b, _ := newStore(t, keystore.ModeTest)
	if bytes.Equal(a.Master(), b.Master()) {
		t.Error("two stores have the same storage master key")
	}
}

func TestMasterKeyOutlivesEverything(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	master, check := s.Master(), snapshotOf(t, s).Check()
	fill(t, s, 1)
	must(t, s.ChangePassphrase(rand.Reader, []byte("another")))
	must(t, s.Save(rand.Reader))
	read, err := keystore.Open(dir, []byte("another"), keystore.Options{ReadOnly: true})
	must(t, err)
	defer read.Close()
	if !bytes.Equal(read.Master(), master) || snapshotOf(t, read).Check() != check {
		t.Error("the storage master key changed with the pass-phrase")
	}
	if _, err := keystore.Open(dir, passphrase(), keystore.Options{ReadOnly: true}); !errors.Is(err, keystore.ErrPassphrase) {
		t.Errorf("the old pass-phrase: %v, want ErrPassphrase", err)
	}
}

func TestPassphraseIsDear(t *testing.T) {
	dir := t.TempDir()
	s, err := keystore.Create(rand.Reader, dir, passphrase(), keystore.ModeTest)
	must(t, err)
	dear := regexp.MustCompile(`\n-> argon2id [A-Za-z0-9+/]{22} 65536 3 4\n`)
	created := dear.Find(readFile(t, dir))
	must(t, s.ChangePassphrase(rand.Reader, passphrase()))
	must(t, s.Save(rand.Reader))
	must(t, s.Close())
	changed := dear.Find(readFile(t, dir))
	if created == nil || changed == nil {
		t.Fatalf("created %q, changed %q; want 64 MiB, 3 passes, 4 threads", created, changed)
	}
	if bytes.Equal(created, changed) {
		t.Error("the salt was used twice")
	}
	openStore(t, dir)
}

func TestPassphraseIsCleared(t *testing.T) {
	dir := t.TempDir()
	p := passphrase()
	s, err := keystore.CreateCheap(rand.Reader, dir, p, keystore.ModeTest)
	must(t, err)
	wantCleared(t, "Create", p)
	p = passphrase()
	must(t, s.ChangePassphrase(rand.Reader, p))
	wantCleared(t, "ChangePassphrase", p)
	must(t, s.Close())
	for _, text := range []string{string(passphrase()), "wrong"} {
		p = []byte(text)
		if s, err := keystore.Open(dir, p, keystore.Options{}); err == nil {
			must(t, s.Close())
		}
		wantCleared(t, "Open", p)
	}
}

func wantCleared(t *testing.T, by string, b []byte) {
	t.Helper()
	if !bytes.Equal(b, make([]byte, len(b))) {
		t.Errorf("%s left %d bytes as they were", by, len(b))
	}
}

func TestCreateRefuses(t *testing.T) {
	full := t.TempDir()
	s, err := keystore.CreateCheap(rand.Reader, full, passphrase(), keystore.ModeTest)
	must(t, err)
	must(t, s.Close())
	for _, c := range []struct {
		name       string
		dir        string
		rand       io.Reader
		passphrase string
		mode       keystore.Mode
		want       error
	}{
		{"over a store", full, rand.Reader, "p", keystore.ModeTest, fs.ErrExist},
		{"empty pass-phrase", t.TempDir(), rand.Reader, "", keystore.ModeTest, keystore.ErrEmpty},
		{"no mode", t.TempDir(), rand.Reader, "p", 0, keystore.ErrAttribute},
		{"unknown mode", t.TempDir(), rand.Reader, "p", 9, keystore.ErrAttribute},
		{"no randomness", t.TempDir(), strings.NewReader(""), "p", keystore.ModeTest, io.EOF},
		{"randomness ends", t.TempDir(), strings.NewReader(strings.Repeat("r", 50)), "p", keystore.ModeTest, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := keystore.CreateCheap(c.rand, c.dir, []byte(c.passphrase), c.mode)
			if s != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v; want %v", s, err, c.want)
			}
			if _, err := os.Stat(path(c.dir)); c.dir != full && err == nil {
				t.Error("a file was left")
			}
		})
	}
	openStore(t, full)
}

func TestOpenRefuses(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	fill(t, s, 1)
	readOnly := keystore.Options{ReadOnly: true}
	for _, c := range []struct {
		name       string
		dir        string
		passphrase string
		options    keystore.Options
		want       error
	}{
		{"wrong pass-phrase", dir, "wrong", readOnly, keystore.ErrPassphrase},
		{"empty pass-phrase", dir, "", readOnly, keystore.ErrEmpty},
		{"older epoch", dir, string(passphrase()), keystore.Options{ReadOnly: true, MinEpoch: 3}, keystore.ErrRollback},
		{"no file", t.TempDir(), "p", readOnly, fs.ErrNotExist},
		{"no directory", filepath.Join(dir, "no"), "p", readOnly, fs.ErrNotExist},
		{"no directory to change", filepath.Join(dir, "no"), "p", keystore.Options{}, fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := keystore.Open(c.dir, []byte(c.passphrase), c.options)
			if s != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v; want %v", s, err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a line", err)
			}
		})
	}
	s, err := keystore.Open(dir, passphrase(), keystore.Options{ReadOnly: true, MinEpoch: 2})
	must(t, err)
	must(t, s.Close())
}

// Another way to unlock, of a later version, is not lost by our saves.
func TestOtherStanzasAreKept(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	s.AddWrap(&age.Stanza{Type: "shares", Args: []string{"2", "3"}, Body: []byte("of the storage master key")})
	must(t, s.Save(rand.Reader))
	must(t, s.Close())
	s, err := keystore.Open(dir, passphrase(), keystore.Options{})
	must(t, err)
	defer s.Close()
	must(t, s.ChangePassphrase(rand.Reader, passphrase()))
	must(t, s.Save(rand.Reader))
	if n := strings.Count(string(readFile(t, dir)), "\n-> shares 2 3\n"); n != 1 {
		t.Errorf("%d stanzas of another kind, want 1", n)
	}
	openStore(t, dir)
}

func TestClosedStore(t *testing.T) {
	s, _ := newStore(t, keystore.ModeTest)
	fill(t, s, 1)
	snap := snapshotOf(t, s)
	ref := snap.Keys()[0].Ref
	must(t, s.Close())
	must(t, s.Close())
	wantEach(t, s, ref, keystore.ErrSealed)
	if _, err := s.Snapshot(); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("Snapshot: %v", err)
	}
	if _, err := s.Keys(); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("Keys: %v", err)
	}
	if err := s.Reload(nil); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("Reload: %v", err)
	}
	if kcv, err := snap.Secret(0).KCV(keystore.Cipher3DES); err != nil || kcv != snap.Key(0).KCV {
		t.Error("a snapshot in use did not outlive its store")
	}
}

func TestReadOnlyStore(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	fill(t, s, 1)
	read := openStore(t, dir)
	wantEach(t, read, keysOf(t, read)[0].Ref, keystore.ErrReadOnly)
}

// wantEach tries every change.
func wantEach(t *testing.T, s *keystore.Store, ref keystore.Ref, want error) {
	t.Helper()
	_, _, imported := s.Import(keyOf(9), make([]keystore.Secret, 2))
	_, generated := s.Generate(rand.Reader, keyOf(9))
	for name, err := range map[string]error{
		"Import": imported, "Generate": generated,
		"Activate": s.Activate(ref), "Retire": s.Retire(ref), "Delete": s.Delete(ref),
		"ChangePassphrase": s.ChangePassphrase(rand.Reader, passphrase()),
		"Save":             s.Save(rand.Reader),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// An audit log stays readable for as long as its store lives, by it alone.
func TestAuditKeyIsTheStores(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	other, _ := newStore(t, keystore.ModeTest)
	want, err := s.AuditKey()
	must(t, err)
	fill(t, s, 1)
	got, err := openStore(t, dir).AuditKey()
	must(t, err)
	if len(want) != 32 || !bytes.Equal(got, want) {
		t.Errorf("opened again it is another key")
	}
	if got, _ := other.AuditKey(); bytes.Equal(got, want) {
		t.Error("two stores have the same audit key")
	}
	if bytes.Equal(want, s.Master()) {
		t.Error("it is the storage master key itself")
	}
	must(t, s.Close())
	if _, err := s.AuditKey(); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("of a closed store: %v", err)
	}
}
