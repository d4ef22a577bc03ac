package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// scriptCondition is what a script may ask for in brackets: softhsm, a program that
// reaches tokens on a machine that has SoftHSM.
func scriptCondition(name string) (bool, error) {
	if name != "softhsm" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	_, err := tokentest.FindSoftHSM()
	if err == nil {
		_, err = exec.LookPath("softhsm2-util")
	}
	if err == nil {
		err = pkcs11.Built()
	}
	if err != nil && os.Getenv("REQUIRE_SOFTHSM") != "" {
		return false, err
	}
	return err == nil, nil
}

// makeSoftHSM is "softhsm": it makes a token "pbochsm" with the PIN in the file
// pin, its objects in the folder tokens, and the settings of a daemon with it
// and the keystore keys in the file settings.yaml.
func makeSoftHSM(ts *testscript.TestScript, _ bool, _ []string) {
	module, err := tokentest.FindSoftHSM()
	ts.Check(err)
	ts.Check(os.Mkdir(ts.MkAbs("tokens"), 0o700))
	for name, text := range map[string]string{
		"softhsm2.conf": fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", ts.MkAbs("tokens")),
		"pin":           tokentest.PIN + "\n",
		"settings.yaml": fmt.Sprintf(`data: keys
passphrase_file: passphrase
tokens:
  - name: main
    module: %s
    label: pbochsm
    pin_source: pin
    profile: softhsm
    reinitialize_after: 60
`, module),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
	ts.Setenv("SOFTHSM2_CONF", ts.MkAbs("softhsm2.conf"))
	ts.Setenv("MODULE", module)
	ts.Check(ts.Exec("softhsm2-util", "--init-token", "--free", "--label", "pbochsm", "--pin", tokentest.PIN, "--so-pin", "12345678"))
}

// untilStatus is "untilstatus NN COMMAND...": it runs the command until it fails
// with that status of the wire, or with 0 until it succeeds.
func untilStatus(ts *testscript.TestScript, _ bool, args []string) {
	for range 400 {
		err := ts.Exec(args[1], args[2:]...)
		stderr := ts.ReadFile("stderr")
		if (args[0] == "0") == (err == nil) && (err == nil || strings.Contains(stderr, "status "+args[0])) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("status %s did not come:\n%s", args[0], ts.ReadFile("daemon.log"))
}
