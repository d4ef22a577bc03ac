package keystore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"pbochsm/keystore"
)

// A victim is a small store and the two ways to read its file: as a daemon
// does at start and as it does at a reload.
type victim struct {
	dir  string
	file []byte
	held *keystore.Store
}

func newVictim(t testing.TB) victim {
	t.Helper()
	s, dir := newStore(t, keystore.ModeProduction)
	fill(t, s, 1, 2)
	return victim{dir, readFile(t, dir), s}
}

// open reads file by the pass-phrase.
func (v victim) open(file []byte) error {
	snap, err := keystore.OpenBytes(file, passphrase())
	if err == nil {
		snap.Release()
	}
	return err
}

// reload reads file by the storage master key.
func (v victim) reload(file []byte) error {
	snap, err := v.held.OpenBytes(file)
	if err == nil {
		snap.Release()
	}
	return err
}

// wantRefused tells the two errors that damage may show as: where the
// pass-phrase's own stanza is hit, it cannot be told from a wrong one.
func (v victim) wantRefused(t testing.TB, name string, file []byte) {
	t.Helper()
	if err := v.reload(file); !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("%s: reload: %v, want ErrDamaged", name, err)
	}
	if err := v.open(file); !errors.Is(err, keystore.ErrDamaged) && !errors.Is(err, keystore.ErrPassphrase) {
		t.Errorf("%s: open: %v, want ErrDamaged or ErrPassphrase", name, err)
	}
}

func TestEveryBit(t *testing.T) {
	v := newVictim(t)
	for i := range v.file {
		for bit := range 8 {
			flipped := bytes.Clone(v.file)
			flipped[i] ^= 1 << bit
			v.wantRefused(t, fmt.Sprintf("byte %d bit %d", i, bit), flipped)
		}
	}
	must(t, v.open(v.file))
	must(t, v.reload(v.file))
}

func TestEveryLength(t *testing.T) {
	v := newVictim(t)
	for n := range v.file {
		v.wantRefused(t, fmt.Sprintf("cut to %d bytes", n), v.file[:n])
	}
	for _, tail := range []string{"\x00", "\n", " ", strings.Repeat("x", 100), string(v.file)} {
		v.wantRefused(t, fmt.Sprintf("%q appended", tail), append(bytes.Clone(v.file), tail...))
	}
	v.wantRefused(t, "one byte before", append([]byte("\n"), v.file...))
}

func TestHugeFile(t *testing.T) {
	v := newVictim(t)
	must(t, os.Truncate(path(v.dir), 1<<40)) // sparse
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := keystore.Open(v.dir, passphrase(), keystore.Options{ReadOnly: true})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d bytes allocated for a file of 1 TiB", n)
	}
}

func TestFileOfAnotherStore(t *testing.T) {
	v, other := newVictim(t), newVictim(t)
	if err := v.reload(other.file); !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("reload: %v, want ErrDamaged", err)
	}
	// Parts of two files of one store do not go together either.
	fill(t, v.held, 3)
	newer := readFile(t, v.dir)
	header := func(b []byte) int { return bytes.Index(b, []byte("\n---")) + len("\n--- ") + 43 + 1 }
	v.wantRefused(t, "old header, new keys", append(bytes.Clone(v.file[:header(v.file)]), newer[header(newer):]...))
	v.wantRefused(t, "new header, old keys", append(bytes.Clone(newer[:header(newer)]), v.file[header(v.file):]...))
}

func TestForgedHeader(t *testing.T) {
	v := newVictim(t)
	cost := regexp.MustCompile(`(-> argon2id \S+) 8 1 1\n`)
	stanza := regexp.MustCompile(`-> argon2id [^>]*\n`)
	smk := regexp.MustCompile(`-> smk [^-]*\n`)
	replace := func(re *regexp.Regexp, by string) []byte {
		head, payload, _ := bytes.Cut(v.file, []byte("\n---"))
		head = append(bytes.Clone(head), '\n')
		forged := re.ReplaceAll(head, []byte(by))
		if bytes.Equal(forged, head) {
			t.Fatalf("nothing to replace by %q", by)
		}
		return append(append(forged, "---"...), payload...)
	}
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"another cost", replace(cost, "$1 16 1 1\n"), keystore.ErrPassphrase},
		{"1 TiB", replace(cost, "$1 1073741824 1 1\n"), keystore.ErrDamaged},
		{"a KiB over the limit", replace(cost, "$1 1048577 1 1\n"), keystore.ErrDamaged},
		{"memory of 33 bits", replace(cost, "$1 4294967304 1 1\n"), keystore.ErrDamaged},
		{"memory of 80 bits", replace(cost, "$1 1208925819614629174706184 1 1\n"), keystore.ErrDamaged},
		{"no memory", replace(cost, "$1 0 1 1\n"), keystore.ErrDamaged},
		{"no passes", replace(cost, "$1 8 0 1\n"), keystore.ErrDamaged},
		{"passes for a year", replace(cost, "$1 8 4294967295 1\n"), keystore.ErrDamaged},
		{"no threads", replace(cost, "$1 8 1 0\n"), keystore.ErrDamaged},
		{"17 threads", replace(cost, "$1 8 1 17\n"), keystore.ErrDamaged},
		{"257 threads", replace(cost, "$1 8 1 257\n"), keystore.ErrDamaged},
		{"negative", replace(cost, "$1 -8 1 1\n"), keystore.ErrDamaged},
		{"hexadecimal", replace(cost, "$1 0x8 1 1\n"), keystore.ErrDamaged},
		{"an argument less", replace(cost, "$1 8 1\n"), keystore.ErrDamaged},
		{"an argument more", replace(cost, "$1 8 1 1 1\n"), keystore.ErrDamaged},
		{"short salt", replace(cost, "-> argon2id AAAA 8 1 1\n"), keystore.ErrDamaged},
		{"salt not in base64", replace(cost, "-> argon2id !AAAAAAAAAAAAAAAAAAAAA 8 1 1\n"), keystore.ErrDamaged},
		{"short body", replace(stanza, "-> argon2id AAAAAAAAAAAAAAAAAAAAAA 8 1 1\nAAAA\n"), keystore.ErrDamaged},
		{"no pass-phrase", replace(stanza, ""), keystore.ErrDamaged},
		{"two pass-phrases", replace(stanza, "-> argon2id AAAAAAAAAAAAAAAAAAAAAA 8 1 1\n\n$0"), keystore.ErrDamaged},
		{"no smk", replace(smk, ""), keystore.ErrDamaged},
		{"two smk", replace(smk, "$0$0"), keystore.ErrDamaged},
		{"smk without salt", replace(regexp.MustCompile(`-> smk \S+`), "-> smk"), keystore.ErrDamaged},
		{"smk of another salt", replace(regexp.MustCompile(`-> smk \S+`), "-> smk AAAAAAAAAAAAAAAAAAAAAA"), keystore.ErrDamaged},
		{"smk with a salt not in base64", replace(regexp.MustCompile(`-> smk \S+`), "-> smk !"), keystore.ErrDamaged},
		{"a stanza more", replace(smk, "-> shares\n\n$0"), keystore.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := v.open(c.file)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
		})
	}
}
