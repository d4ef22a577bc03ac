//go:build unix

package keystore_test

import (
	"bufio"
	"crypto/rand"
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
