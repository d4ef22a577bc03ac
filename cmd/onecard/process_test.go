package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a program, running.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  chan string // of stdout
	stderr *syncBuffer
	done   chan error
}

// syncBuffer collects what a process says.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// launch runs onecard ARGS until the test ends.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	return launchProgram(t, "onecard", args...)
}

func launchProgram(t testing.TB, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), lines: make(chan string, 100), stderr: &syncBuffer{}, done: make(chan error, 1)}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // nobody reads that far
			}
		}
		_, _ = io.Copy(io.Discard, out)
		p.done <- p.cmd.Wait()
		close(p.lines)
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// line waits for a line that begins with prefix and gives the rest of it.
func (p *process) line(prefix string) string {
	p.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended without a line %q:\n%s", p.cmd.Path, prefix, p.stderr)
			}
			if rest, found := strings.CutPrefix(l, prefix); found {
				return strings.TrimSpace(rest)
			}
		case <-deadline:
			p.t.Fatalf("no line %q:\n%s", prefix, p.stderr)
		}
	}
}

// stop is SIGTERM; the process must exit with 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("stopped: %v\n%s", err, p.stderr)
		}
	case <-time.After(30 * time.Second):
		p.t.Fatalf("%s does not stop:\n%s", p.cmd.Path, p.stderr)
	}
}

// hangUp is SIGHUP, and waits for what the process says then.
func (p *process) hangUp(says string) {
	p.t.Helper()
	before := strings.Count(p.stderr.String(), says)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	waitFor(p.t, func() bool { return strings.Count(p.stderr.String(), says) > before }, p.stderr)
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// onecard runs the program to its end, which must be good, and gives what it
// printed.
func onecard(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, stderr, err := tryOnecard(stdin, args...)
	if err != nil {
		t.Fatalf("onecard %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr)
	}
	return out
}

func tryOnecard(stdin string, args ...string) (out, stderr string, err error) {
	cmd := exec.Command("onecard", args...)
	var stdout, errout bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &errout
	err = cmd.Run()
	return stdout.String(), errout.String(), err
}

// daemon is the security module with the published test keys, until the test
// ends or stop is called.
func daemon(t testing.TB) (addr string, stop func()) {
	t.Helper()
	d, err := startTestDaemon(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := d.stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return d.addr, stop
}

// python runs a script of testdata/client, or skips the test where there is no
// interpreter.
func python(t *testing.T, script string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("REQUIRE_PYTHON") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v; REQUIRE_PYTHON=1 makes this a failure", err)
	}
	cmd := exec.Command(program, append([]string{"-B", filepath.Join("testdata", "client", script)}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func listenAnywhere() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
