package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// TestTokenGuide runs what docs/pkcs11.md shows, with a SoftHSM of its own.
func TestTokenGuide(t *testing.T) {
	ok, err := scriptCondition("softhsm")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Skip("no SoftHSM; REQUIRE_SOFTHSM=1 makes this a failure")
	}
	if err := pkcs11.Built(); err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile("../../docs/pkcs11.md")
	if err != nil {
		t.Fatal(err)
	}
	module, err := tokentest.FindSoftHSM()
	if err != nil {
		t.Fatal(err)
	}
	dir := readmeDir(t)
	tokens := filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	local := strings.ReplaceAll(string(text), "/usr/lib/softhsm/libsofthsm2.so", module)
	local = strings.ReplaceAll(local, "by way host\n```", "by way ······\n```")
	runExamples(t, "docs/pkcs11.md", local, dir, port)
}

// guideDaemon starts the daemon of a guide, and leaves the number of its process
// in daemon.pid.
func guideDaemon(t *testing.T, dir string, args []string, want string) {
	t.Helper()
	cmd := shell(dir, filepath.Join(dir, args[0]), args[1:]...)
	log, err := os.Create(filepath.Join(dir, "daemon.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if line := firstLine(t, cmd, kill); !matches(line, want) {
		t.Fatalf("the daemon says %q", line)
	}
	if err := os.WriteFile(filepath.Join(dir, "daemon.pid"), fmt.Append(nil, cmd.Process.Pid), 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaitReload waits until the daemon of a guide has taken up its keystore again.
func awaitReload(t *testing.T, dir string) {
	t.Helper()
	for range 1000 {
		log, err := os.ReadFile(filepath.Join(dir, "daemon.log"))
		if err == nil && strings.Contains(string(log), "keystore reloaded") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the daemon has not reloaded its keystore")
}
