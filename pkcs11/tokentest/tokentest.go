// Package tokentest makes tokens for tests: a SoftHSM token and an NSS database,
// each in a folder of its own that goes with the test.
//
// A test whose token is not installed skips, or fails where the environment
// has REQUIRE_SOFTHSM or REQUIRE_NSS.
package tokentest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pbochsm/pkcs11"
)

// PIN is the user PIN of every token made here.
const PIN = "531246"

// A Fixture is a token made for one test.
type Fixture struct {
	Name     string // of the profile: softhsm or nss
	Module   string
	Reserved string
	Label    string
	Dir      string // where the token keeps its objects
}

// Config opens the token.
func (f Fixture) Config(t testing.TB) pkcs11.Config {
	t.Helper()
	profile, err := pkcs11.ProfileNamed(f.Name)
	if err != nil {
		t.Fatal(err)
	}
	return pkcs11.Config{
		Module: f.Module, Reserved: f.Reserved, Label: f.Label, Profile: profile,
		PIN: func() ([]byte, error) { return []byte(PIN), nil },
	}
}

// Each runs a test on a fresh token of every kind.
func Each(t *testing.T, test func(t *testing.T, f Fixture)) {
	t.Helper()
	t.Run("softhsm", func(t *testing.T) { test(t, SoftHSM(t)) })
	t.Run("nss", func(t *testing.T) { test(t, NSS(t)) })
}

var (
	softHSMModules = []string{
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so",
		"/opt/homebrew/lib/softhsm/libsofthsm2.so",
	}
	nssModules = []string{
		"/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
		"/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
		"/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so",
		"/usr/lib64/libsoftokn3.so",
	}
)

// SoftHSM makes a token of SoftHSM 2. It sets SOFTHSM2_CONF for the test.
func SoftHSM(t testing.TB) Fixture {
	t.Helper()
	module := installed(t, "REQUIRE_SOFTHSM", "softhsm2-util", softHSMModules)
	f := Fixture{Name: "softhsm", Module: module, Label: "pbochsm test", Dir: filepath.Join(t.TempDir(), "tokens")}
	conf := filepath.Join(filepath.Dir(f.Dir), "softhsm2.conf")
	if err := os.Mkdir(f.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, conf, fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", f.Dir))
	t.Setenv("SOFTHSM2_CONF", conf)
	run(t, "softhsm2-util", "--init-token", "--free", "--label", f.Label, "--pin", PIN, "--so-pin", PIN+PIN)
	return f
}

// NSS makes a database of NSS softokn.
func NSS(t testing.TB) Fixture {
	t.Helper()
	module := installed(t, "REQUIRE_NSS", "certutil", nssModules)
	f := Fixture{Name: "nss", Module: module, Label: "NSS Certificate DB", Dir: filepath.Join(t.TempDir(), "nssdb")}
	if err := os.Mkdir(f.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	pin := filepath.Join(filepath.Dir(f.Dir), "pin")
	write(t, pin, PIN+"\n")
	run(t, "certutil", "-N", "-d", "sql:"+f.Dir, "-f", pin)
	f.Reserved = fmt.Sprintf("configdir='sql:%s' certPrefix='' keyPrefix='' secmod='secmod.db' flags= ", f.Dir)
	return f
}

// installed finds a module and the program that makes its tokens.
func installed(t testing.TB, require, program string, modules []string) string {
	t.Helper()
	_, err := exec.LookPath(program)
	if err == nil {
		for _, m := range modules {
			if _, err = os.Stat(m); err == nil {
				return m
			}
		}
	}
	if os.Getenv(require) != "" {
		t.Fatal(err)
	}
	t.Skipf("%v; %s=1 makes this a failure", err, require)
	return ""
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out.String())
	}
}
