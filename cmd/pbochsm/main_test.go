package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
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
	return cmd, listens(t, cmd, kill)
}

// listens starts a command that listens, and gives the address that it says.
func listens(t *testing.T, cmd *exec.Cmd, end func(*testing.T, *exec.Cmd)) string {
	t.Helper()
	line := firstLine(t, cmd, end)
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		t.Fatalf("%s says %q", strings.Join(cmd.Args, " "), line)
	}
	return addr
}

// firstLine starts a command, has it ended with the test, and gives the first
// line that it prints.
func firstLine(t *testing.T, cmd *exec.Cmd, end func(*testing.T, *exec.Cmd)) string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, cmd) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s says %q, %v", strings.Join(cmd.Args, " "), line, err)
	}
	return line
}

// kill ends a command at once.
func kill(_ *testing.T, cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// terminate ends a command as an operator does, and holds it to a good end.
func terminate(t *testing.T, cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
}
