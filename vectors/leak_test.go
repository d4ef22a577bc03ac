package vectors_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A spy is a backend that remembers the last MAC that was to be made.
type spy struct{ made [8]byte }

func (s *spy) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	err := reference.Backend{}.Run(ctx, keys, chains)
	s.made = chains[len(chains)-1].MAC[1]
	return err
}

// A leaky HSM gives MAC2 away whether MAC1 was right or not.
type leaky struct {
	engine  *mac.Engine
	backend *spy
	accepts bool // and calls it a success
}

// Do asks about each of ops alone, so that it knows whose MAC was made.
func (l leaky) Do(ctx context.Context, ops []mac.Op) error {
	for i := range ops {
		if err := l.engine.Do(ctx, ops[i:i+1]); err != nil {
			return err
		}
		computed := ops[i].Err == nil || errors.Is(ops[i].Err, mac.ErrVerify)
		if !computed {
			continue
		}
		copy(ops[i].Answer[:], l.backend.made[:4])
		if l.accepts {
			ops[i].Err = nil
		}
	}
	return nil
}

// TestLeaksAreCaughtAndNotRepeated holds that a MAC2 beside a wrong MAC1 is a
// failure, and that the report does not spread it.
func TestLeaksAreCaughtAndNotRepeated(t *testing.T) {
	for _, accepts := range []bool{false, true} {
		s := new(spy)
		hsm := leaky{engine(t, s, vectors.Keys()), s, accepts}
		report, err := vectors.Run(context.Background(), hsm, vectors.Options{Families: []string{"load", "unload"}})
		if !errors.Is(err, vectors.ErrFailed) {
			t.Fatalf("error %v, want ErrFailed", err)
		}
		says := "and a MAC with it"
		if accepts {
			says = "success"
		}
		for _, f := range report.Failures() {
			if !strings.Contains(f.Got, says) {
				t.Errorf("the report says %q, want %q in it", f.Got, says)
			}
		}
		if rightMACs(t, fmt.Sprintf("%+v %v", report, err)) {
			t.Error("the report or the error tells the right MAC of a refused operation")
		}
	}
}

// rightMACs tells whether text holds an answer to any vector.
func rightMACs(t *testing.T, text string) bool {
	t.Helper()
	if !strings.Contains(text, "load/level-1/mac-first-bit") {
		t.Fatal("the report does not tell of load/level-1/mac-first-bit")
	}
	for _, v := range byID(t) {
		if v.Answer != "" && strings.Contains(text, v.Answer) {
			return true
		}
	}
	return false
}
