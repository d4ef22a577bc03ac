package serial_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pbochsm/cmd/pbochsm/internal/serial"
	"pbochsm/mac"
)

// purchase is an operation of a terminal that has that number and no PSAM.
func purchase(terminal uint32) mac.Op {
	op := mac.Op{Kind: mac.KindTerminalPurchase}
	binary.BigEndian.PutUint32(mac.Terminal.Bytes(&op), terminal)
	return op
}

func serialOf(op *mac.Op) uint32 { return binary.BigEndian.Uint32(mac.TerminalSerial.Bytes(op)) }

// assign asks for a serial for each of the terminals, in one go.
func assign(t testing.TB, f *serial.File, terminals ...uint32) []uint32 {
	t.Helper()
	ops, asking := make([]mac.Op, len(terminals)), make([]*mac.Op, len(terminals))
	for i, n := range terminals {
		ops[i] = purchase(n)
		asking[i] = &ops[i]
	}
	f.Assign(asking)
	var serials []uint32
	for i := range ops {
		if ops[i].Err != nil {
			t.Fatalf("terminal %d: %v", terminals[i], ops[i].Err)
		}
		serials = append(serials, serialOf(&ops[i]))
	}
	return serials
}

func open(t testing.TB, name string) *serial.File {
	t.Helper()
	f, err := serial.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Each terminal counts from 1 on, by itself, also in one batch that needs more
// than one write reserves.
func TestTerminalsCountApart(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "serials"))
	var terminals []uint32
	for i := range uint32(2000) {
		terminals = append(terminals, i%3)
	}
	next := map[uint32]uint32{}
	for i, got := range assign(t, f, terminals...) {
		if next[terminals[i]]++; got != next[terminals[i]] {
			t.Fatalf("operation %d: serial %d, want %d", i, got, next[terminals[i]])
		}
	}
	if f.Terminals() != 3 {
		t.Errorf("%d terminals, want 3", f.Terminals())
	}
}

// A file that ends anywhere is what a crash leaves: what was given out before
// its last whole record does not come again.
func TestNoSerialTwiceAfterACrash(t *testing.T) {
	name := filepath.Join(t.TempDir(), "serials")
	given := map[uint32]int64{} // serial to the size of the file when it was given
	f := open(t, name)
	for range 600 {
		n := assign(t, f, 7)[0]
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		given[n] = info.Size()
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(whole) + 1 {
		if err := os.WriteFile(name, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, name)
		for range 3 {
			n := assign(t, f, 7)[0]
			if before, twice := given[n]; twice && before <= int64(size) {
				t.Fatalf("cut at %d bytes: serial %d comes twice", size, n)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// written is a file that has given serials to so many terminals, so many to
// each, and what is in it.
func written(t *testing.T, terminals, serials uint32) (name string, whole []byte) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "serials")
	f := open(t, name)
	for i := range terminals {
		for range serials {
			assign(t, f, i)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return name, whole
}

func TestDamageIsFound(t *testing.T) {
	name, whole := written(t, 5, 1)
	for at := range len(whole) - 16 { // for the last one see TestLastRecord
		bad := append([]byte(nil), whole...)
		bad[at] ^= 1
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := serial.Open(name); !errors.Is(err, serial.ErrDamaged) {
			t.Fatalf("byte %d: %v, %v", at, f, err)
		}
	}
}

// A last record that is wrong, or not whole, may have been right when serials
// were given out behind it: none comes twice, of whichever terminal it was.
func TestLastRecord(t *testing.T) {
	name, whole := written(t, 3, 5)
	for n := range 32 {
		bad := append([]byte(nil), whole...)
		if n < 16 {
			bad[len(bad)-1-n] ^= 1
		} else {
			bad = bad[:len(bad)-(n-15)]
		}
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // what is skipped stays skipped
			f := open(t, name)
			for terminal := range uint32(4) {
				if got := assign(t, f, terminal)[0]; got <= 5 && terminal < 3 && n != 31 {
					t.Fatalf("case %d: terminal %d gets serial %d again", n, terminal, got)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A file that is not one of serials is left as it is.
func TestForeignFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"x", "serial", "a pass-phrase", "sixteen letters.", "a long phrase of your own\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := serial.Open(name)
		if text == "serial" { // as a file begins whose first write was interrupted
			if err == nil {
				err = f.Close()
			}
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, serial.ErrDamaged) {
			t.Errorf("%q: %v", text, err)
		}
		if now, err := os.ReadFile(name); err != nil || string(now) != text {
			t.Errorf("%q is %q now, %v", text, now, err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "serials")
	open(t, name)
	if f, err := serial.Open(name); !errors.Is(err, serial.ErrInUse) {
		t.Errorf("%v, %v", f, err)
	}
}

// Whoever makes terminals up cannot make the file grow without end.
func TestTerminalsAreBounded(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "serials"))
	ops, asking := make([]mac.Op, serial.MaxTerminals+2), make([]*mac.Op, serial.MaxTerminals+2)
	for i := range ops {
		ops[i] = purchase(uint32(i))
		asking[i] = &ops[i]
	}
	f.Assign(asking)
	for i := range ops {
		full := errors.Is(ops[i].Err, serial.ErrFull) && errors.Is(ops[i].Err, mac.ErrUnsupported)
		if full != (i >= serial.MaxTerminals) {
			t.Fatalf("terminal %d: %v", i, ops[i].Err)
		}
	}
	if got := assign(t, f, 5); got[0] != 2 {
		t.Errorf("a terminal that has had a serial gets %d, want 2", got[0])
	}
}

// After a write that failed nothing is given out any more: not even what was
// reserved before, because nobody knows what the disk holds.
func TestNothingAfterAFailedWrite(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "serials"))
	assign(t, f, 1)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	op := purchase(1)
	f.Assign([]*mac.Op{&op})
	if !errors.Is(op.Err, serial.ErrFailed) || serialOf(&op) != 0 {
		t.Errorf("%v, serial %d", op.Err, serialOf(&op))
	}
}

// answering is an HSM that answers what it is asked with the serial in it.
type answering struct{ kinds []mac.Kind }

func (a *answering) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		a.kinds = append(a.kinds, ops[i].Kind)
		copy(ops[i].Answer[:], mac.TerminalSerial.Bytes(&ops[i]))
	}
	return nil
}

// What lies behind is asked as a purchase, with the others in their places.
func TestMixedBatch(t *testing.T) {
	next := new(answering)
	hsm := serial.New(next, open(t, filepath.Join(t.TempDir(), "serials")))
	ops := []mac.Op{{Kind: mac.KindLoad}, purchase(1), {Kind: mac.KindPurchaseTAC}, purchase(1), {Kind: mac.KindTerminalLock}}
	copy(mac.Terminal.Bytes(&ops[4]), mac.Terminal.Bytes(&ops[1]))
	if err := hsm.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i, want := range []mac.Kind{mac.KindLoad, mac.KindPurchase, mac.KindPurchaseTAC, mac.KindPurchase, mac.KindLock} {
		if next.kinds[i] != want {
			t.Errorf("operation %d is asked as %s, want %s", i, next.kinds[i], want)
		}
	}
	for i, want := range map[int]uint32{1: 1, 3: 2, 4: 3} {
		if _, ok := ops[i].Kind.WithSerial(); !ok || serialOf(&ops[i]) != want || ops[i].Answer != [4]byte{0, 0, 0, byte(want)} {
			t.Errorf("operation %d comes back as %s with serial %d, answer %X", i, ops[i].Kind, serialOf(&ops[i]), ops[i].Answer)
		}
	}
}
