package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// opensslSource computes TACs with OpenSSL's legacy DES calls.
//
//go:embed yardstick/openssl.c
var opensslSource []byte

// laneGoals are how many times as fast as OpenSSL a core of that many lanes is
// to be.
var laneGoals = map[int]float64{64: 5.5, 256: 18, 512: 42}

// tacs is how many TACs a batch of the lanes has: about as many as a chunk of a
// settlement file. More do not stay in the second cache.
const tacs = 2048

// lanesGroup sets the verification of TACs on one core, in each width that the
// processor has, against OpenSSL.
func lanesGroup(ctx context.Context, o *Options) error {
	name := func(width int) string { return fmt.Sprintf("TAC, %d lanes, one core / OpenSSL legacy DES", width) }
	program, missing := buildYardstick(ctx, o.Dir, "openssl", opensslSource)
	if missing != nil {
		for _, width := range lanes.Widths() {
			o.skip("lanes", name(width), missing)
		}
		return sm4Lanes(ctx, o)
	}
	e, err := newExam(ctx, mac.KindLoadTAC, keystore.UsageTAC, tacs)
	if err != nil {
		return err
	}
	for _, width := range lanes.Widths() {
		backend, err := lanes.NewWidth(width)
		if err != nil {
			return err
		}
		row := Row{Group: "lanes", Name: name(width), Unit: "M TAC/s"}
		if err := e.compare(ctx, o, row, backend, program, laneGoals[width]); err != nil {
			return err
		}
	}
	return sm4Lanes(ctx, o)
}

// compare sets a backend on one core against a yardstick that prints the
// nanoseconds of a TAC.
func (e *exam) compare(ctx context.Context, o *Options, row Row, backend mac.Backend, program string, goal float64) error {
	var ratios []float64
	for range o.Turns {
		theirs, err := runYardstick(ctx, program)
		if err != nil {
			return err
		}
		ours, err := e.verifyOnOneCore(ctx, backend, o.Time)
		if err != nil {
			return err
		}
		row.Ours, row.Yardstick = 1e3/ours, 1e3/theirs
		ratios = append(ratios, theirs/ours)
	}
	o.tell(row, ratios, goal)
	return nil
}

// verifyOnOneCore gives the nanoseconds for one TAC in the fastest of many
// batches, as the yardstick does. Only the arithmetic is timed, as there; every
// MAC is compared with the right one.
func (e *exam) verifyOnOneCore(ctx context.Context, backend mac.Backend, long time.Duration) (float64, error) {
	clock := &timed{Backend: backend, fastest: time.Hour}
	engine := mac.NewEngine(e.live, clock)
	for end := time.Now().Add(long); time.Now().Before(end); {
		if err := engine.Do(ctx, e.ops); err != nil {
			return 0, err
		}
		for i := range e.ops {
			if e.ops[i].Err != nil {
				return 0, errors.Join(errWrong, e.ops[i].Err)
			}
		}
	}
	return float64(clock.fastest.Nanoseconds()) / float64(len(e.ops)), nil
}

// timed is a backend with a stopwatch.
type timed struct {
	mac.Backend
	fastest time.Duration
}

// Run runs the backend and keeps the shortest time.
func (b *timed) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	start := time.Now()
	err := b.Backend.Run(ctx, keys, chains)
	b.fastest = min(b.fastest, time.Since(start))
	return err
}

// buildYardstick compiles a program that uses OpenSSL.
func buildYardstick(ctx context.Context, dir, name string, text []byte) (program string, err error) {
	if program, err = compile(ctx, dir, name, text, "-lcrypto"); err != nil {
		return "", fmt.Errorf("needs cc and the headers of OpenSSL (libssl-dev): %w", err)
	}
	return program, nil
}

// compile makes a program of a source in C.
func compile(ctx context.Context, dir, name string, text []byte, libraries ...string) (program string, err error) {
	program = filepath.Join(dir, name)
	source := program + ".c"
	if err := os.WriteFile(source, text, 0o600); err != nil {
		return "", err
	}
	if text, err := exec.CommandContext(ctx, "cc", append([]string{"-O2", "-o", program, source}, libraries...)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w %.200s", err, text)
	}
	return program, nil
}

func runYardstick(ctx context.Context, program string) (nanoseconds float64, err error) {
	text, err := exec.CommandContext(ctx, program).Output()
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(text), "tac %f\n", &nanoseconds); err != nil {
		return 0, fmt.Errorf("%s printed %.100q", filepath.Base(program), text)
	}
	return nanoseconds, nil
}
