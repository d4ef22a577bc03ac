package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

func TestStatusBothWays(t *testing.T) {
	last := -1
	for _, line := range protocol.Statuses() {
		if int(line.Status) <= last {
			t.Errorf("status %s is not above %02d", line.Status, last)
		}
		last = int(line.Status)
		if line.Text == "" || line.Chinese == "" {
			t.Errorf("status %s has no text", line.Status)
		}
		if got := protocol.StatusOf(line.Err); got != line.Status {
			t.Errorf("StatusOf(%v) = %s, want %s", line.Err, got, line.Status)
		}
		wrapped := fmt.Errorf("pkcs11: C_Encrypt: %w", line.Err)
		if line.Err != nil && protocol.StatusOf(wrapped) != line.Status {
			t.Errorf("StatusOf(%v) = %s, want %s", wrapped, protocol.StatusOf(wrapped), line.Status)
		}
		if line.Err != nil && !errors.Is(protocol.StatusError(line.Status), line.Err) {
			t.Errorf("status %s does not unwrap to %v", line.Status, line.Err)
		}
	}
	if got := protocol.StatusOf(errors.New("anything else")); got != 41 {
		t.Errorf("an unknown error is %s, want 41", got)
	}
	if !errors.Is(protocol.StatusError(77), protocol.ErrInternal) {
		t.Error("a status outside the table is no internal error")
	}
}

// Whatever an HSM says comes out of the client as the same error.
func TestErrorsCrossTheWire(t *testing.T) {
	var verdict error
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { op.Err = verdict })
	client := newClient(t, start(t, s))
	for _, op := range sampleOps(t) {
		for _, err := range []error{
			nil, op.Kind.Mismatch(), keystore.ErrNotFound, keystore.ErrSealed, mac.ErrInvalid, protocol.ErrPermission,
			mac.ErrUnavailable, keystore.ErrIndex, keystore.ErrAlgorithm, keystore.ErrUsage, keystore.ErrRetired,
			mac.ErrBudget, protocol.ErrInternal, mac.ErrUnsupported, protocol.ErrCommand,
		} {
			verdict = err
			ops := []mac.Op{op}
			if transport := client.Do(context.Background(), ops); transport != nil {
				t.Fatal(transport)
			}
			if !errors.Is(ops[0].Err, err) {
				t.Errorf("%v: %v became %v", op.Kind, err, ops[0].Err)
			}
		}
	}
}

func TestSpecificationAgreesWithTheDecoder(t *testing.T) {
	ops := map[string]mac.Op{}
	for _, op := range sampleOps(t) {
		ops[body(op)[:2]] = op
	}
	seen := map[string]bool{}
	for _, c := range protocol.Specification() {
		if seen[c.Code] || c.Name == "" || c.Chinese == "" || c.Reply[1] != c.Code[1]+1 || c.Reply[0] != c.Code[0] {
			t.Errorf("line %+v", c)
		}
		seen[c.Code] = true
		op, ok := ops[c.Code]
		if !ok {
			continue
		}
		want := 0
		for _, f := range c.Fields {
			var n int
			switch f.Digits {
			case "16H × n":
				n = 16 * int(op.Levels)
			case "0 or 18H": // the sample has none
			case "8 to 32H", "16 to 32H":
				n = 16
			case "4 to 16H":
				n = 6
			case "6 to 10H":
				n = 8
			case "2 to 502H":
				n = 22
			default:
				if _, err := fmt.Sscanf(f.Digits, "%d", &n); err != nil {
					t.Errorf("%s: %q: %v", c.Code, f.Digits, err)
				}
			}
			want += n
		}
		if got := len(body(op)) - 2; got != want {
			t.Errorf("%s: the fields take %d digits, the table says %d", c.Code, got, want)
		}
	}
	if len(seen) != 35 {
		t.Errorf("%d commands, want 35", len(seen))
	}
}

func TestErrorTexts(t *testing.T) {
	if got, want := protocol.StatusError(12).Error(), "protocol: status 12: no such key"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got, want := protocol.StatusError(7).Error(), "protocol: status 07: not in the table"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}
