package main

import (
	"os"
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
