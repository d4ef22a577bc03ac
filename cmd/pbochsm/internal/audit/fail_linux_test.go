package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pbochsm/cmd/pbochsm/internal/audit"
	"pbochsm/mac"
)

// With a full disk no MAC is answered, what only verifies goes on, and when
// there is room again everything does. A small limit on the size of files makes the
// disk full.
func TestNoRecordNoAnswer(t *testing.T) {
	if os.Getenv("AUDIT_CHILD") == "" {
		t.Skip("run by TestFullDisk in a process of its own: the limit holds for the whole process")
	}
	s := newSetting(t)
	s.o.Directory = os.Getenv("AUDIT_CHILD")
	h := s.open(t)
	if op := do(t, h, load(1, true))[0]; op.Err != nil {
		t.Fatal(op.Err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	before := read(t, s.segment(1))
	full := syscall.Rlimit{Cur: uint64(len(before)) + 10, Max: was.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		ops := do(t, h, load(1, true), load(1, false), mac.Op{Kind: mac.KindLoadTAC})
		for i, op := range ops {
			want := audit.ErrUnrecorded
			if i == 2 {
				want = mac.ErrTAC
			}
			if !errors.Is(op.Err, want) || op.Answer != [4]byte{} {
				t.Fatalf("operation %d on a full disk: %X, %v", i, op.Answer, op.Err)
			}
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if op := do(t, h, load(2, true))[0]; op.Err != nil {
		t.Errorf("with room again: %v", op.Err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if report, err := audit.Verify(s.o.Directory, key); err != nil || report.Head.Records != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestFullDisk(t *testing.T) {
	cmd := testBinary(t, "-test.run=^TestNoRecordNoAnswer$", "-test.v")
	cmd.Env = append(os.Environ(), "AUDIT_CHILD="+filepath.Join(t.TempDir(), "log"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Whatever was answered before the process was killed is on record.
func TestKilledWriterLosesNothing(t *testing.T) {
	if dir := os.Getenv("AUDIT_KILLED"); dir != "" {
		answerForever(t, dir)
	}
	for range 5 {
		dir := filepath.Join(t.TempDir(), "log")
		answered := killedAfter(t, dir)
		s := newSetting(t)
		s.o.Directory = dir
		if err := s.open(t).Close(); err != nil {
			t.Fatal(err)
		}
		report, err := audit.Verify(dir, key)
		if err != nil || report.Head.Records < answered {
			t.Fatalf("%d were answered, %d are on record, %v", answered, report.Head.Records, err)
		}
	}
}
