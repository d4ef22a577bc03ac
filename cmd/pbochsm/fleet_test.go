package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const fleetValue = "fleet"

// startFleet is "fleet N": it runs N daemons with the published keys and puts
// their addresses, separated by commas, into FLEET.
func startFleet(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var running []*os.Process
	var addresses []string
	for range n {
		cmd := exec.Command("pbochsm", "serve", "--dev", "--listen", "127.0.0.1:0")
		out, err := cmd.StdoutPipe()
		ts.Check(err)
		ts.Check(cmd.Start())
		ts.Defer(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		line, err := bufio.NewReader(out).ReadString('\n')
		ts.Check(err)
		running = append(running, cmd.Process)
		addresses = append(addresses, strings.TrimSpace(strings.TrimPrefix(line, "listening ")))
	}
	ts.Setenv("FLEET", strings.Join(addresses, ","))
	*ts.Value(fleetValue).(*[]*os.Process) = running
}

// forsaken is "forsaken N FILE COMMAND...": it runs the command, kills N
// daemons of the fleet as soon as FILE has changed, and expects the command to
// end with 3, or with 1 if no daemon is left.
func forsaken(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	fleet := *ts.Value(fleetValue).(*[]*os.Process)
	name := ts.MkAbs(args[1])
	before, _ := os.ReadFile(name)
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	ts.Check(cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var ended error
	for running := true; running; {
		select {
		case ended = <-done:
			running = false
		case <-time.After(time.Millisecond):
		}
		if now, _ := os.ReadFile(name); n > 0 && string(now) != string(before) {
			for _, p := range fleet[:n] {
				_ = p.Kill()
			}
			n = -n
		}
	}
	var exit *exec.ExitError
	code := 0
	if errors.As(ended, &exit) {
		code = exit.ExitCode()
	}
	if n > 0 {
		ts.Fatalf("it wrote no %s:\n%s", args[1], text.String())
	}
	if code != 3 && (code != 1 || -n < len(fleet)) {
		ts.Fatalf("exit code %d with %d of %d daemons killed:\n%s", code, -n, len(fleet), text.String())
	}
}
