package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this program as the command pbochsm.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pbochsm": main})
}

// TestScripts runs the program as its users do; each script is about one
// thing.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           scriptCondition,
		Setup: func(e *testscript.Env) error {
			e.Values[daemonValue] = new(daemonProcess)
			e.Values[fleetValue] = new([]*os.Process)
			return os.WriteFile(e.Cd+"/passphrase", []byte("correct horse battery staple\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon":       startDaemon,
			"signal":       signalDaemon,
			"drained":      drainedDaemon,
			"exits":        exits,
			"killed":       killed,
			"fleet":        startFleet,
			"forsaken":     forsaken,
			"flipbit":      flipBit,
			"certificates": makeCertificates,
			"softhsm":      makeSoftHSM,
			"untilstatus":  untilStatus,
		},
	})
}

// listening runs pbochsm with args, which make it listen, until the test ends,
// and gives the address that it says.
func listening(t *testing.T, args ...string) (cmd *exec.Cmd, addr string) {
	t.Helper()
	cmd = exec.Command("pbochsm", args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		t.Fatalf("pbochsm %s says %q, %v", strings.Join(args, " "), line, err)
	}
	return cmd, addr
}
