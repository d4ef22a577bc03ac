package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// pbochsmProgram is the program pbochsm, whose daemon most tests have in their
// own process. It is compiled once; main_test.go removes it.
func pbochsmProgram(t testing.TB) string {
	t.Helper()
	program, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var compiled = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "onecard-test-")
	if err != nil {
		return "", err
	}
	compiledIn = dir
	program := filepath.Join(dir, "pbochsm")
	if out, err := exec.Command("go", "build", "-o", program, "../pbochsm").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

var compiledIn string // a folder, once there is one

// auditedDaemon is a daemon that has the load key of the sandbox in a keystore,
// and an audit log.
func auditedDaemon(t *testing.T) (addr, log string) {
	t.Helper()
	program, dir := pbochsmProgram(t), t.TempDir()
	passphrase, keys := filepath.Join(dir, "passphrase"), filepath.Join(dir, "keys")
	if err := os.WriteFile(passphrase, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	on := func(stdin string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, append(args, "--data", keys, "--passphrase-file", passphrase)...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pbochsm %v: %v\n%s", args, err, out)
		}
	}
	issuer, err := sandboxIssuer()
	if err != nil {
		t.Fatal(err)
	}
	on("", "init", "--mode", "test")
	on(fmt.Sprintf("%X\n", issuer.Load), "key", "import", "--set", fmt.Sprintf("%02X", sandboxSet), "--usage", "load",
		"--version", "01", "--algorithm", "00")
	log = filepath.Join(dir, "log")
	p := launchProgram(t, program, "serve", "--data", keys, "--passphrase-file", passphrase, "--listen", "127.0.0.1:0", "--audit", log)
	return p.line("listening "), log
}
