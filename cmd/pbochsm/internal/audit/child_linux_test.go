package audit_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

func testBinary(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(self, args...)
}

// answerForever prints a line for each answer.
func answerForever(t *testing.T, dir string) {
	s := newSetting(t)
	s.o.Directory = dir
	h := s.open(t)
	for i := 0; ; i++ {
		if op := do(t, h, load(i, true))[0]; op.Err == nil {
			fmt.Fprintln(os.Stderr, "answered")
		}
	}
}

// killedAfter kills a writer after some answers and tells how many it gave.
func killedAfter(t *testing.T, dir string) (answered uint64) {
	cmd := testBinary(t, "-test.run=^TestKilledWriterLosesNothing$")
	cmd.Env = append(os.Environ(), "AUDIT_KILLED="+dir)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); answered++ {
		if answered == 50 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if answered == 0 {
		t.Fatal("nothing was answered")
	}
	return answered
}
