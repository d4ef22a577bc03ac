package mac_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/mac"
)

// A layoutCase is an operation of [PBOC] 5, spelt in bytes instead of fields:
// the values are those of the transactions in backend_test.go. It says nothing
// in the words of the recipes that it tests.
type layoutCase struct {
	name    string
	op      mac.Op
	final   mac.Final
	session string
	lock    string
	claimed string // the input of the MAC that is checked, padded
	made    string // the input of the MAC that is made, padded
}

func layoutCases() []layoutCase {
	return []layoutCase{
		{
			name: "load, 5.1", op: someLoad.Op(), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "D0D1D2D3 80818283 02 E0E1E2E3E4E5 80",
			made:    "80818283 02 E0E1E2E3E4E5 20240229 135746 80 0000000000",
		},
		{
			name: "load TAC, 5.1", op: someLoadTAC.Op(), final: mac.FinalTAC,
			claimed: "90919293 C0C1 80818283 01 E0E1E2E3E4E5 20240229 135746 8000000000000000",
		},
		{
			name: "unload, 5.5", op: someUnload.Op(), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "D0D1D2D3 80818283 03 E0E1E2E3E4E5 80",
			made:    "80818283 03 E0E1E2E3E4E5 20240229 135746 80 0000000000",
		},
		{
			name: "unload MAC3, 5.5", op: someUnloadProof.Op(), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "90919293 C0C1 80818283 03 E0E1E2E3E4E5 20240229 135746 8000000000000000",
		},
		{
			name: "purchase, 5.2", op: somePurchase.Op(), final: mac.FinalSession,
			session: "F0F1F2F3 B0B1 A2A3",
			made:    "80818283 06 E0E1E2E3E4E5 20240229 135746 80 0000000000",
		},
		{
			name: "purchase MAC2, 5.2", op: somePurchaseProof.Op(), final: mac.FinalSession,
			session: "F0F1F2F3 B0B1 A2A3",
			claimed: "80818283 80000000",
		},
		{
			name: "purchase TAC, 5.2 and 5.4", op: somePurchaseTAC.Op(), final: mac.FinalTAC,
			claimed: "80818283 04 E0E1E2E3E4E5 A0A1A2A3 20240229 135746 80 00",
		},
		{
			name: "overdraft update, 5.6", op: filled(mac.KindOverdraft), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "D0D1D2D3 707172 07 E0E1E2E3E4E5 80 00",
			made:    "737475 07 E0E1E2E3E4E5 20240229 135746 80 000000000000",
		},
		{
			name: "overdraft TAC, 5.6", op: filled(mac.KindOverdraftTAC), final: mac.FinalTAC,
			claimed: "90919293 C0C1 737475 07 E0E1E2E3E4E5 20240229 135746 80",
		},
		{
			name: "grey lock, 5.7", op: filled(mac.KindLock), final: mac.FinalLock,
			session: "F0F1F2F3 B0B1 A2A3", lock: "60616263 80000000",
			made: "92 E0E1E2E3E4E5 20240229 135746 80 00",
		},
		{
			name: "grey lock MAC2, 5.7", op: filled(mac.KindLockMAC2), final: mac.FinalLock,
			session: "F0F1F2F3 B0B1 A2A3", lock: "60616263 80000000",
			claimed: "D0D1D2D3 B0B1 80 00",
		},
		{
			name: "grey lock TAC, 5.7", op: filled(mac.KindLockTAC), final: mac.FinalTAC,
			claimed: "80818283 94 E0E1E2E3E4E5 A0A1A2A3 20240229 135746 80 00",
		},
		{
			name: "debit for unlock, 5.7", op: filled(mac.KindLockDebit), final: mac.FinalLock,
			session: "F0F1F2F3 B0B1 A2A3", lock: "60616263 80000000",
			claimed: "D0D1D2D3 B0B1 80 00", made: "80818283 80000000",
		},
		{
			name: "online unlock, 5.7", op: filled(mac.KindUnlock), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "D0D1D2D3 B0B1 96 E0E1E2E3E4E5 80 0000",
			made:    "80818283 96 E0E1E2E3E4E5 20240229 135746 80 0000000000",
		},
		{
			name: "online unlock MAC3, 5.7", op: filled(mac.KindUnlockMAC3), final: mac.FinalSession,
			session: "F0F1F2F3 C0C1 8000",
			claimed: "90919293 C0C1 80818283 96 E0E1E2E3E4E5 20240229 135746 8000000000000000",
		},
	}
}

func TestLayouts(t *testing.T) {
	cases := layoutCases()
	if len(cases) != len(someOps()) {
		t.Fatalf("%d layouts for %d transactions", len(cases), len(someOps()))
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.op.Kind != mac.Kinds()[i] {
				t.Fatalf("kind %s, want %s", c.op.Kind, mac.Kinds()[i])
			}
			r := new(recorder)
			ask(t, newEngine(t, r, keysWithLevels(2)...), c.op)
			if len(r.chains) != 1 {
				t.Fatalf("%d chains were run, want 1", len(r.chains))
			}
			c.check(t, &r.chains[0])
		})
	}
}

func (c *layoutCase) check(t *testing.T, got *mac.Chain) {
	t.Helper()
	if got.Final != c.final {
		t.Errorf("last key %d, want %d", got.Final, c.final)
	}
	if session := fmt.Sprintf("%X", got.Data); c.session != "" && session != unspace(c.session) {
		t.Errorf("session key from %s, want %s", session, unspace(c.session))
	}
	if lock := fmt.Sprintf("%X", got.Lock); c.lock != "" && lock != unspace(c.lock) {
		t.Errorf("key of the lock from %s, want %s", lock, unspace(c.lock))
	}
	for m, want := range []string{c.claimed, c.made} {
		message := &got.Message[m]
		if data := fmt.Sprintf("%X", message.Data[:8*int(message.Blocks)]); data != unspace(want) {
			t.Errorf("message %d is %s, want %s", m, data, unspace(want))
		}
	}
	if got.Levels != 2 || got.Factors[0] != someCard.Factors[0] || got.Factors[1] != someCard.Factors[1] {
		t.Errorf("%d levels by %X, want those of the card, outermost first", got.Levels, got.Factors)
	}
}

func unspace(s string) string { return strings.ReplaceAll(s, " ", "") }

// TestChainUsesTheKeyOfItsUsage holds that each kind runs under the key that
// its role names: with the keys swapped, it would MAC with another's.
func TestChainUsesTheKeyOfItsUsage(t *testing.T) {
	keys := keysWithLevels(2)
	for _, op := range someOps() {
		r := new(recorder)
		ask(t, newEngine(t, r, keys...), op)
		if got := keys[r.chains[0].Key].Usage; got != op.Kind.Usage() {
			t.Errorf("%s runs under a key for %s, want %s", op.Kind, got, op.Kind.Usage())
		}
	}
}

// TestClaimIsTheLeftHalf has each claim be the left half of the last block,
// then the right half.
func TestClaimIsTheLeftHalf(t *testing.T) {
	for _, op := range someOps() {
		claim, ok := op.Kind.Claims()
		if !ok {
			continue
		}
		last := lastBlocks(t, op)[0]
		copy(claim.Bytes(&op), last[:4])
		if got := ask(t, newEngine(t, new(recorder), keysWithLevels(2)...), op); got.Err != nil {
			t.Errorf("%s: the left half is refused: %v", op.Kind, got.Err)
		}
		copy(claim.Bytes(&op), last[4:])
		if got := ask(t, newEngine(t, new(recorder), keysWithLevels(2)...), op); !errors.Is(got.Err, op.Kind.Mismatch()) {
			t.Errorf("%s: the right half gives %v, want %v", op.Kind, got.Err, op.Kind.Mismatch())
		}
	}
}

// TestAnswerIsTheLeftHalf does the same for the MAC that is made.
func TestAnswerIsTheLeftHalf(t *testing.T) {
	for _, op := range someOps() {
		if _, ok := op.Kind.Answers(); !ok {
			continue
		}
		blocks := lastBlocks(t, op)
		if claim, ok := op.Kind.Claims(); ok {
			copy(claim.Bytes(&op), blocks[0][:4])
		}
		got := ask(t, newEngine(t, new(recorder), keysWithLevels(2)...), op)
		if got.Err != nil || got.Answer != [4]byte(blocks[1][:4]) {
			t.Errorf("%s answers %X, %v; want %X", op.Kind, got.Answer, got.Err, blocks[1][:4])
		}
	}
}
