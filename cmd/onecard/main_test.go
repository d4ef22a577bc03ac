package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the tests and scripts run this program as the command onecard.
func TestMain(m *testing.M) {
	testscript.Main(withServer{m}, map[string]func(){"onecard": main})
}

// withServer ends the PostgreSQL server that a test may have started, and
// removes the daemon that one may have compiled.
type withServer struct{ *testing.M }

func (m withServer) Run() int {
	defer shared.Stop()
	defer func() { _ = os.RemoveAll(compiledIn) }()
	return m.M.Run()
}

// TestScripts runs the program as its users do; each script is about one
// thing.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			return os.Mkdir(e.WorkDir+"/data", 0o700)
		},
	})
}
