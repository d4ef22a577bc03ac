//go:build unix

package keystore_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pbochsm/keystore"
)

const writerDir = "KEYSTORE_TEST_WRITER_DIR" // makes TestKilledWriter the process that is killed

// A process that saves as fast as it can is killed again and again. Whatever
// it had reported saved is there, the file is whole, and the lock is free.
func TestKilledWriter(t *testing.T) {
	if dir := os.Getenv(writerDir); dir != "" {
		saveForEver(dir)
	}
	s, dir := newStore(t, keystore.ModeTest)
	fill(t, s, 1, 2, 3)
	must(t, s.Close())
	for kill := range 12 {
		saved := runAndKill(t, dir, 1+kill%4)
		s, err := keystore.Open(dir, passphrase(), keystore.Options{MinEpoch: saved})
		if err != nil {
			t.Fatalf("kill %d: after epoch %d was saved: %v", kill, saved, err)
		}
		if n := len(keysOf(t, s)); n != 3 {
			t.Errorf("kill %d: %d keys, want 3", kill, n)
		}
		must(t, s.Close())
	}
}

// runAndKill gives the epoch that the writer reported last.
func runAndKill(t *testing.T, dir string, saves int) (epoch uint64) {
	t.Helper()
	writer := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
	writer.Env = append(os.Environ(), writerDir+"="+dir)
	out, err := writer.StdoutPipe()
	must(t, err)
	must(t, writer.Start())
	lines := bufio.NewScanner(out)
	for range saves {
		if !lines.Scan() {
			t.Fatal("the writer gave up")
		}
	}
	must(t, writer.Process.Kill())
	for last := lines.Text(); ; last = lines.Text() { // what it reported before it died
		if _, err := fmt.Sscanf(last, "saved %d", &epoch); err != nil {
			t.Fatalf("%q: %v", last, err)
		}
		if !lines.Scan() {
			break
		}
	}
	_ = writer.Wait()
	return epoch
}

func saveForEver(dir string) {
	s, err := keystore.Open(dir, passphrase(), keystore.Options{})
	for err == nil {
		if err = s.Save(rand.Reader); err != nil {
			break
		}
		var snap *keystore.Snapshot
		if snap, err = s.Snapshot(); err == nil {
			fmt.Println("saved", snap.Epoch())
			snap.Release()
		}
	}
	fmt.Fprintln(os.Stderr, filepath.Base(dir), err)
	os.Exit(1)
}

func TestPermissions(t *testing.T) {
	s, dir := newStore(t, keystore.ModeTest)
	fill(t, s, 1)
	for name, want := range map[string]os.FileMode{".": 0o700, "keystore.age": 0o600, "keystore.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", name, got, want)
		}
	}
	for mode, want := range map[os.FileMode]error{
		0o600: nil, 0o400: nil, 0o640: nil, 0o660: nil,
		0o604: keystore.ErrExposed, 0o602: keystore.ErrExposed, 0o601: keystore.ErrExposed, 0o644: keystore.ErrExposed,
	} {
		must(t, os.Chmod(path(dir), mode))
		read, err := keystore.Open(dir, passphrase(), keystore.Options{ReadOnly: true})
		if !errors.Is(err, want) {
			t.Errorf("mode %o: %v, want %v", mode, err, want)
		}
		if err == nil {
			must(t, read.Close())
		}
	}
}
