//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSignalsDuringTheStart sends SIGHUP and SIGTERM to a daemon that waits
// for its pass-phrase: they take effect once it serves, and none kills it.
func TestSignalsDuringTheStart(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "passphrase"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("a phrase for a test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "keys")
	if out, err := exec.Command("pbochsm", "init", "--mode", "test", "--data", keys, "--passphrase-file", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("pbochsm", "serve", "--data", keys, "--passphrase-file", pipe, "--listen", "127.0.0.1:0")
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })

	phrase, err := os.OpenFile(pipe, os.O_WRONLY, 0) // opens when the daemon has
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := phrase.WriteString("a phrase for a test\n"); err != nil {
		t.Fatal(err)
	}
	if err := phrase.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon ends with %v", err)
	}
	if !strings.Contains(log.String(), "msg=stopped") {
		t.Errorf("the log has no orderly end:\n%s", log.String())
	}
}
