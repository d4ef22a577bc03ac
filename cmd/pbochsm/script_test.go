package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const daemonValue = "daemon"

// A daemonProcess is the daemon of one script.
type daemonProcess struct {
	cmd  *exec.Cmd
	done chan error
}

// startDaemon is "daemon ARGS...": it runs pbochsm serve ARGS, waits until it
// listens, and puts its addresses into ADDR and, of a second listener, ADDR2.
// The daemon's stderr goes to the file daemon.log.
func startDaemon(ts *testscript.TestScript, _ bool, args []string) {
	log, err := os.Create(ts.MkAbs("daemon.log"))
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command("pbochsm", append([]string{"serve"}, args...)...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), log
	cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+ts.Getenv("SOFTHSM2_CONF"))
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Kill() })

	lines := bufio.NewScanner(out)
	for _, name := range []string{"ADDR", "ADDR2"}[:max(1, strings.Count(strings.Join(args, " "), "listen")+strings.Count(strings.Join(args, " "), "sjl05 "))] {
		addr, ok := "", false
		if lines.Scan() {
			addr, ok = strings.CutPrefix(lines.Text(), "listening ")
		}
		if !ok {
			ts.Fatalf("the daemon does not listen: %q\n%s", lines.Text(), ts.ReadFile("daemon.log"))
		}
		addr, _, _ = strings.Cut(addr, " ")
		ts.Setenv(name, addr)
	}
	d := ts.Value(daemonValue).(*daemonProcess)
	d.cmd, d.done = cmd, make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, out)
		d.done <- cmd.Wait()
	}()
}

// signalDaemon is "signal HUP TEXT": it sends the signal and waits for TEXT to
// appear in the log.
func signalDaemon(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value(daemonValue).(*daemonProcess)
	before := len(ts.ReadFile("daemon.log"))
	ts.Check(d.cmd.Process.Signal(map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[args[0]]))
	for range 1000 {
		if strings.Contains(ts.ReadFile("daemon.log")[before:], args[1]) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%q did not appear in the log:\n%s", args[1], ts.ReadFile("daemon.log"))
}

// drainedDaemon is "drained": SIGTERM, and the daemon must exit with 0.
func drainedDaemon(ts *testscript.TestScript, _ bool, _ []string) {
	d := ts.Value(daemonValue).(*daemonProcess)
	ts.Check(d.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-d.done:
		ts.Check(err)
	case <-time.After(20 * time.Second):
		ts.Fatalf("the daemon does not stop")
	}
}

// exits is "exits CODE COMMAND...": exec, with the exit code that is expected.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// killed is "killed N FILE COMMAND...": it runs the command N times and kills
// it each time, in whatever it is doing, as soon as FILE has changed. The last
// run may come to its end before that.
func killed(ts *testscript.TestScript, _ bool, args []string) {
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	name, kills := ts.MkAbs(args[1]), 0
	for range times {
		before, _ := os.ReadFile(name)
		cmd := exec.Command(args[2], args[3:]...)
		cmd.Dir = ts.MkAbs(".")
		ts.Check(cmd.Start())
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		ended := false
		for changes := 0; changes < 2 && !ended; {
			select {
			case <-done:
				ended = true
			case <-time.After(time.Millisecond):
			}
			if now, _ := os.ReadFile(name); string(now) != string(before) {
				before = now
				changes++
			}
		}
		if !ended {
			ts.Check(cmd.Process.Kill())
			<-done
			kills++
		}
	}
	if kills == 0 {
		ts.Fatalf("no run was killed before its end")
	}
}

// flipBit is "flipbit FILE N": it inverts one bit, counted from the end of the
// file if N is negative.
func flipBit(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	content, err := os.ReadFile(name)
	ts.Check(err)
	bit, err := strconv.Atoi(args[1])
	ts.Check(err)
	if bit < 0 {
		bit += 8 * len(content)
	}
	content[bit/8] ^= 1 << (bit % 8)
	ts.Check(os.WriteFile(name, content, 0o600))
}
