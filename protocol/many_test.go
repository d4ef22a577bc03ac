package protocol_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
)

// tacSamples are operations that verify a TAC: each kind right, wrong, out of
// range, and of keys that are not there or retired.
func tacSamples(t testing.TB) []mac.Op {
	t.Helper()
	var all []mac.Op
	for _, op := range sampleOps(t) {
		if claim, ok := op.Kind.Claims(); !ok || claim != mac.TAC {
			continue
		}
		wrong, unreal, nobodys := op, op, op
		mac.TAC.Bytes(&wrong)[3] ^= 1
		copy(mac.Date.Bytes(&unreal), []byte{0x20, 0x23, 0x02, 0x30})
		nobodys.Key.Set = 0x77
		all = append(all, op, wrong, unreal, nobodys)
	}
	return all
}

// manyRecords is a WS frame without its header: right, wrong, out of range, no
// such key, and two more.
func manyRecords(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	ops := tacSamples(t)[:6]
	fmt.Fprintf(&b, "WS%04X", len(ops))
	for _, op := range ops {
		b.WriteString(body(op))
	}
	return b.String()
}

func TestManyTACsInOneFrame(t *testing.T) { onBothPaths(t, testManyTACsInOneFrame) }

func testManyTACsInOneFrame(t *testing.T, newServer maker) {
	c := dial(t, start(t, newServer(t)))
	if got, want := ask(t, c, "HEAD", manyRecords(t), "%00\x19tail"), "HEADWT00014201\x19tail"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	var every strings.Builder
	all := tacSamples(t)
	codes := map[string]bool{}
	for _, op := range all {
		every.WriteString(body(op))
		codes[body(op)[:2]] = true
	}
	if got, want := ask(t, c, "HEAD", fmt.Sprintf("WS%04X", len(all)), every.String()), "HEADWT00"+strings.Repeat("0142", len(codes)); got != want {
		t.Errorf("of every kind: %q, want %q", got, want)
	}
	for _, code := range []string{"WC", "WM", "WQ", "XE"} {
		if !codes[code] {
			t.Errorf("no record of %s", code)
		}
	}
	one := tacSamples(t)[0]
	for _, tc := range []struct{ name, body, want string }{
		{"no count", "WS", "15"},
		{"no records", "WS0000", "15"},
		{"a record too few", "WS0002" + body(one), "15"},
		{"a record too many", "WS0001" + body(one) + body(one), "15"},
		{"a record cut short", "WS0002" + body(one) + body(one)[:30], "15"},
		{"a digit that is none", "WS0001" + body(one)[:len(body(one))-1] + "x", "15"},
		{"a code that is none", "WS0001QQ" + body(one)[2:], "15"},
		{"a command that verifies no TAC", "WS0001" + publishedLoad, "15"},
		{"itself", "WS0001WS0001" + body(one), "15"},
		{"another LMK", "WS0001" + body(one) + "%01", "13"},
	} {
		if got := ask(t, c, "HEAD", tc.body); got != "HEADWT"+tc.want {
			t.Errorf("%s: reply %q, want status %s", tc.name, got, tc.want)
		}
	}
}

// The limit of frames is not for this command, the length prefix is.
func TestManyTACsInTheLongestFrame(t *testing.T) { onBothPaths(t, testManyTACsInTheLongestFrame) }

func testManyTACsInTheLongestFrame(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Format = protocol.Format{Header: 4, Limit: 500}
	c := dial(t, start(t, s))
	record := body(tacSamples(t)[1])
	n := (65535 - 4 - 2 - 4) / len(record)
	records := fmt.Sprintf("WS%04X%s", n, strings.Repeat(record, n))
	tail := "\x19" + strings.Repeat("t", min(32, 65535-4-len(records)-1))
	for range 3 {
		if got, want := ask(t, c, "HEAD", records, tail), "HEADWT00"+strings.Repeat("1", n)+tail; got != want {
			t.Fatalf("a reply of %d bytes, want %d", len(got), len(want))
		}
	}
	if got := ask(t, c, "HEAD", "B2", fmt.Sprintf("%04X", 600), strings.Repeat("x", 600)); got != "HEADB380" {
		t.Errorf("another command above the limit: %q", got)
	}
}

// A Client gets the same verdicts for one and for thousands as an engine gives.
func TestClientVerifiesTACs(t *testing.T) { onBothPaths(t, testClientVerifiesTACs) }

func testClientVerifiesTACs(t *testing.T, newServer maker) {
	client := newClient(t, start(t, newServer(t)))
	engine := mac.NewEngine(newLive(t), reference.Backend{})
	samples := tacSamples(t)
	for _, n := range []int{1, 2, len(samples), 700, 3000} {
		got := make([]mac.Op, n)
		for i := range got {
			got[i] = samples[(i*7+n)%len(samples)]
		}
		want := append([]mac.Op(nil), got...)
		if err := engine.Do(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if err := client.VerifyTACs(t.Context(), got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if have, need := protocol.StatusOf(got[i].Err), protocol.StatusOf(want[i].Err); have != need {
				t.Fatalf("%d of %d: %v, want %v", i, n, got[i].Err, want[i].Err)
			}
		}
	}
	mixed := sampleOps(t)
	if err := client.VerifyTACs(t.Context(), mixed); err != nil {
		t.Fatal(err)
	}
	for i := range mixed {
		claim, _ := mixed[i].Kind.Claims()
		if verified := mixed[i].Err == nil; verified != (claim == mac.TAC) || !verified && !errors.Is(mixed[i].Err, mac.ErrUnsupported) {
			t.Errorf("%v: %v", mixed[i].Kind, mixed[i].Err)
		}
	}
}

// Each verdict is the error that the command would have had, or the nearest.
func TestVerdictsAreErrors(t *testing.T) {
	near := map[protocol.Status]error{27: keystore.ErrNotFound, 28: keystore.ErrNotFound, 16: mac.ErrUnavailable, 17: protocol.ErrInternal, 21: protocol.ErrInternal}
	sample := tacSamples(t)[0]
	for _, line := range protocol.Statuses() {
		if line.Err == nil {
			continue
		}
		s := newServer(t)
		s.HSM = hsmFunc(func(op *mac.Op) { op.Err = line.Err })
		client := newClient(t, start(t, s))
		ops := []mac.Op{sample, sample}
		if err := client.VerifyTACs(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
		want := line.Err
		if n, ok := near[line.Status]; ok {
			want = n
		} else if line.Status == 51 || line.Status == 68 || line.Status == 80 {
			want = protocol.ErrInternal
		}
		for _, op := range ops {
			if !errors.Is(op.Err, want) {
				t.Errorf("%v became %v, want %v", line.Err, op.Err, want)
			}
		}
	}
}
