package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pbochsm/cmd/pbochsm/internal/audit"
	"pbochsm/keystore"
	"pbochsm/mac"
)

var (
	key   = []byte("0123456789ABCDEF0123456789ABCDEF")
	start = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
)

// A fake answers loads: MAC1 of zeros is wrong, every other one right.
type fake struct{}

func (fake) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		op := &ops[i]
		op.Answer, op.Err = [4]byte{}, nil
		_, makes := op.Kind.Answers()
		switch claim, claims := op.Kind.Claims(); {
		case claims && bytes.Equal(claim.Bytes(op), make([]byte, 4)):
			op.Err = op.Kind.Mismatch()
		case makes:
			op.Answer = [4]byte{0xA1, 0xA2, 0xA3, 0xA4}
		}
	}
	return nil
}

// load is a load of card number n, right or wrong.
func load(n int, right bool) mac.Op {
	op := mac.Op{Kind: mac.KindLoad, Levels: 1, Key: mac.KeyID{Set: 1, Version: 1}}
	copy(op.Factors[0][:], fmt.Sprintf("%08d", n))
	if right {
		copy(mac.MAC1.Bytes(&op), "\x01\x02\x03\x04")
	}
	mac.Amount.Bytes(&op)[3] = 100
	return op
}

type setting struct {
	o   audit.Options
	p   audit.Policy
	now time.Time
}

func newSetting(t *testing.T) *setting {
	s := &setting{now: start}
	s.o = audit.Options{Directory: filepath.Join(t.TempDir(), "log"), Key: key, Store: "26435F"}
	s.p = audit.Policy{Failures: 3, Now: func() time.Time { return s.now }}
	return s
}

func (s *setting) open(t *testing.T) *audit.HSM {
	t.Helper()
	h, err := audit.New(fake{}, s.o, s.p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func do(t *testing.T, h *audit.HSM, ops ...mac.Op) []mac.Op {
	t.Helper()
	if err := h.Do(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	return ops
}

func (s *setting) segment(n int) string {
	return filepath.Join(s.o.Directory, fmt.Sprintf("audit-%08d.jsonl", n))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestEveryMACIsOnRecordAndNoneIsInIt(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	do(t, h, load(1, true), load(2, false), mac.Op{Kind: mac.KindLoadTAC})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(read(t, s.segment(1)))), "\n")
	if len(lines) != 4 { // opening, two records, seal: the TAC made nothing
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range []string{"made", "wrong"} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[1+i]), &got); err != nil {
			t.Fatal(err)
		}
		if got["outcome"] != want || got["operation"] != "load" || got["amount"] != "00000064" || got["key"] != "01/01/00" {
			t.Errorf("record %d is %s", i, lines[1+i])
		}
		if strings.Contains(lines[1+i], "mac1") || strings.Contains(lines[1+i], "A1A2A3A4") || strings.Contains(lines[1+i], "01020304") {
			t.Errorf("record %d has a MAC in it: %s", i, lines[1+i])
		}
	}
	report, err := audit.Verify(s.o.Directory, key)
	if err != nil || report.Head.Records != 2 || report.Outcomes["made"] != 1 || report.Outcomes["wrong"] != 1 {
		t.Fatalf("Verify = %+v, %v", report, err)
	}
}

// Every flipped bit of every line, every line taken out, doubled or swapped,
// every cut: all are found, except a cut after a seal, which the head finds.
func TestNoChangeGoesUnseen(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	for i := range 2 {
		do(t, h, load(i, true), load(10+i, i%2 == 0))
	}
	head := h.Head()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	name := s.segment(1)
	whole := read(t, name)
	check := func(what string, changed []byte, heads ...audit.Head) {
		t.Helper()
		if err := os.WriteFile(name, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(s.o.Directory, key, heads...); !errors.Is(err, audit.ErrDamaged) && !errors.Is(err, audit.ErrCut) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1 << (i % 8)
		check(fmt.Sprintf("bit of byte %d", i), changed)
	}
	for n := 0; n < len(whole); n += 5 {
		check(fmt.Sprintf("cut at %d", n), whole[:n], head)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		without := append(append([][]byte{}, lines[:i]...), lines[i+1:]...)
		check(fmt.Sprintf("line %d removed", i+1), bytes.Join(without, nil), head)
		twice := append(append([][]byte{}, lines[:i+1]...), lines[i:]...)
		check(fmt.Sprintf("line %d doubled", i+1), bytes.Join(twice, nil))
		if i > 0 {
			swapped := append([][]byte{}, lines...)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			check(fmt.Sprintf("line %d swapped", i+1), bytes.Join(swapped, nil))
		}
	}
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(s.o.Directory, key, head); err != nil {
		t.Errorf("the log as it was: %v", err)
	}
	if _, err := audit.Verify(s.o.Directory, []byte("another key")); !errors.Is(err, audit.ErrDamaged) {
		t.Errorf("with another key: %v", err)
	}
}

func TestAnInterruptedWriteIsCutOff(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	do(t, h, load(1, true))
	first := h.Head()
	do(t, h, load(2, true))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	whole := read(t, s.segment(1))
	sealed := bytes.LastIndex(whole[:len(whole)-1], []byte(`{"seal":1`))
	sealed += bytes.IndexByte(whole[sealed:], '\n') + 1
	for n := 0; n < len(whole); n += 97 {
		if err := os.WriteFile(s.segment(1), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := audit.New(fake{}, s.o, s.p)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if want := (n >= sealed); (h.Head() == first) != want || !want && h.Head().Seal != 0 {
			t.Fatalf("cut at %d: head %s", n, h.Head())
		}
		do(t, h, load(3, true))
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(s.o.Directory, key); err != nil {
			t.Fatalf("cut at %d and written again: %v", n, err)
		}
	}
}

func TestSegmentsFollowOneAnother(t *testing.T) {
	s := newSetting(t)
	s.o.Segment = 1000
	s.o.HeadFile = filepath.Join(t.TempDir(), "head")
	for i := range 3 {
		h := s.open(t)
		for j := range 10 {
			do(t, h, load(10*i+j, true))
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	head, err := audit.ParseHead(string(read(t, s.o.HeadFile)))
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(s.o.Directory, key, head)
	if err != nil || report.Head.Records != 30 || report.Segments < 5 {
		t.Fatalf("%+v, %v", report, err)
	}
	// Without its oldest segment it is an archive's rest, without one between
	// it is damaged, and without the newest it is cut.
	for _, c := range []struct {
		remove int
		want   error
	}{{1, nil}, {3, audit.ErrDamaged}, {report.Segments, audit.ErrCut}} {
		name := s.segment(c.remove)
		content := read(t, name)
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(s.o.Directory, key, head); !errors.Is(err, c.want) {
			t.Errorf("without segment %d: %v, want %v", c.remove, err, c.want)
		}
		if c.remove == report.Segments {
			if _, err := audit.New(fake{}, s.o, s.p); !errors.Is(err, audit.ErrCut) {
				t.Errorf("opened without its last segment: %v", err)
			}
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneProcessWrites(t *testing.T) {
	s := newSetting(t)
	s.open(t)
	if _, err := audit.New(fake{}, s.o, s.p); !errors.Is(err, audit.ErrInUse) {
		t.Fatal(err)
	}
}

// A card that was wrong three times is refused for the rest of the day, right
// or wrong, by this process and the next, while other cards go on.
func TestBudgetOutlivesARestart(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	ops := do(t, h, load(1, false), load(1, false), load(1, true), load(1, false), load(1, true), load(2, true))
	for i, want := range []error{mac.ErrMAC1, mac.ErrMAC1, nil, mac.ErrMAC1, mac.ErrBudget, nil} {
		if !errors.Is(ops[i].Err, want) {
			t.Errorf("operation %d: %v, want %v", i, ops[i].Err, want)
		}
		if (ops[i].Answer != [4]byte{}) != (want == nil) {
			t.Errorf("operation %d: answer %X", i, ops[i].Answer)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = s.open(t)
	if op := do(t, h, load(1, true))[0]; !errors.Is(op.Err, mac.ErrBudget) || op.Answer != [4]byte{} {
		t.Errorf("after a restart: %v", op.Err)
	}
	s.now = s.now.Add(15 * time.Hour)
	if op := do(t, h, load(1, false))[0]; !errors.Is(op.Err, mac.ErrMAC1) {
		t.Errorf("next day, wrong: %v", op.Err)
	}
	if op := do(t, h, load(1, true))[0]; op.Err != nil {
		t.Errorf("next day: %v", op.Err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(s.o.Directory, key)
	if err != nil || report.Outcomes["spent"] != 2 || report.Outcomes["wrong"] != 4 {
		t.Errorf("%+v, %v", report, err)
	}
}

// The day is the zone's: what failed before midnight there is forgotten after.
func TestBudgetDayIsOfTheZone(t *testing.T) {
	s := newSetting(t)
	s.p.Zone = time.FixedZone("UTC+8", 8*60*60)
	s.now = time.Date(2026, 11, 28, 15, 59, 59, 0, time.UTC)
	h := s.open(t)
	do(t, h, load(1, false), load(1, false), load(1, false))
	if op := do(t, h, load(1, true))[0]; !errors.Is(op.Err, mac.ErrBudget) {
		t.Fatal(op.Err)
	}
	s.now = s.now.Add(2 * time.Second)
	if op := do(t, h, load(1, true))[0]; op.Err != nil {
		t.Fatal(op.Err)
	}
}

func TestCallersShareWrites(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	const callers, each = 32, 20
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range each {
				if op := do(t, h, load(i, true))[0]; op.Err != nil {
					t.Error(op.Err)
				}
			}
		})
	}
	all.Wait()
	head := h.Head()
	if head.Records != callers*each || head.Seal > head.Records {
		t.Errorf("%d records under %d seals", head.Records, head.Seal)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(s.o.Directory, key, head); err != nil {
		t.Error(err)
	}
}

// A PIN, and what is written into a file or key of the card, are on no record,
// in digits or as they are; that and for which card the script was made is.
func TestScriptsLeaveNoSecretOnRecord(t *testing.T) {
	s := newSetting(t)
	h := s.open(t)
	pin, content := []byte{0x91, 0x82, 0x73, 0x64}, []byte("owner of the card")
	for _, k := range mac.Kinds() {
		if !k.Commands() {
			continue
		}
		op := mac.Op{Kind: k, Levels: 1, Key: mac.KeyID{Set: 1, Version: 1}, Factors: [keystore.MaxLevels]mac.Factor{{7: 0x42}}}
		for f, value := range map[mac.Field][]byte{mac.PIN: pin, mac.Content: content} {
			if slices.Contains(k.Inputs(), f) {
				f.SetLen(&op, len(value))
				copy(f.Bytes(&op), value)
			}
		}
		do(t, h, op)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	text := read(t, s.segment(1))
	for _, k := range []mac.Kind{mac.KindPINUnblock, mac.KindPINReload, mac.KindUpdateBinary, mac.KindWriteKey} {
		if !bytes.Contains(text, fmt.Appendf(nil, `"operation":"%s","key":"01/01/00","factors":["0000000000000042"]`, k)) {
			t.Errorf("%s is not on record", k)
		}
	}
	for _, secret := range [][]byte{pin, content} {
		for _, form := range [][]byte{secret, fmt.Appendf(nil, "%X", secret), fmt.Appendf(nil, "%x", secret)} {
			if bytes.Contains(text, form) {
				t.Errorf("%q is on record", form)
			}
		}
	}
}
