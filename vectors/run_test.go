package vectors_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// engine is an HSM with the test keys and the arithmetic of backend.
func engine(t testing.TB, backend mac.Backend, keys []keystore.Entry) *mac.Engine {
	t.Helper()
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, keys, vectors.Profiles()...)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(snapshot), backend)
}

func TestRunOnReference(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	var first vectors.Report
	for _, batch := range []int{0, 1, 7, 64} {
		report, err := vectors.Run(context.Background(), hsm, vectors.Options{Batch: batch})
		if err != nil {
			t.Errorf("batches of %d: %v", batch, err)
		}
		for _, f := range report.Failures() {
			t.Error(f)
		}
		if batch == 0 {
			first = report
		}
		if !reflect.DeepEqual(report, first) {
			t.Errorf("batches of %d give another report", batch)
		}
	}
	if got, want := len(first.Families), len(vectors.All()); got != want {
		t.Errorf("%d families reported, want %d", got, want)
	}
	n := 0
	for _, f := range vectors.All() {
		n += len(f.Vectors)
	}
	if n == 0 || first.Cases() != n {
		t.Errorf("%d cases reported, want %d", first.Cases(), n)
	}
}

func TestRunPicksFamilies(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	report, err := vectors.Run(context.Background(), hsm, vectors.Options{Families: []string{"unload", "published-load"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range report.Families {
		names = append(names, f.Name)
	}
	if want := []string{"unload", "published-load"}; !reflect.DeepEqual(names, want) {
		t.Errorf("families %q, want %q", names, want)
	}
}

// TestRunIsNeverGreenForNothing holds that a run which checked nothing is an
// error.
func TestRunIsNeverGreenForNothing(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	for _, name := range []string{"lode", "", "schema", "primitives"} {
		if _, err := vectors.Run(context.Background(), hsm, vectors.Options{Families: []string{name}}); err == nil {
			t.Errorf("a run of family %q succeeds", name)
		}
	}
}

func TestRunStopsWithTheModule(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	report, err := vectors.Run(ctx, hsm, vectors.Options{})
	if !errors.Is(err, context.Canceled) || errors.Is(err, vectors.ErrFailed) {
		t.Errorf("error %v, want that of the module", err)
	}
	if report.Cases() != 0 {
		t.Errorf("%d cases reported, none was answered", report.Cases())
	}
}

// A broken is a module whose line breaks: of many operations it answers the first
// few, and alone it does not answer one of them, or none.
type broken struct {
	mac.HSM
	after int
	mute  mac.Op
	gone  bool
	alone int
}

var errLine = errors.New("the line is broken")

func (b *broken) Do(ctx context.Context, ops []mac.Op) error {
	if len(ops) == 1 {
		b.alone++
		if b.gone || reflect.DeepEqual(ops[0], b.mute) {
			ops[0].Err = errLine
			return errLine
		}
		return b.HSM.Do(ctx, ops)
	}
	for i := b.after; i < len(ops); i++ {
		if i == b.after && b.mute.Kind == 0 {
			b.mute = ops[i].Clone()
		}
		ops[i].Err = errLine
	}
	return b.HSM.Do(ctx, ops[:b.after])
}

// One reply that cannot be read is one failure, and a module that is gone is not
// waited for again and again.
func TestRunAsksAgain(t *testing.T) {
	const after = 19
	n := 0
	for _, f := range vectors.All() {
		if f.Name == "load" {
			n = len(f.Vectors)
		}
	}
	for _, c := range []struct {
		gone            bool
		failures, alone int
	}{{false, 1, n - after}, {true, n - after, 3}} {
		b := &broken{HSM: engine(t, reference.Backend{}, vectors.Keys()), after: after, gone: c.gone}
		report, err := vectors.Run(t.Context(), b, vectors.Options{Families: []string{"load"}})
		if !errors.Is(err, vectors.ErrFailed) || len(report.Failures()) != c.failures || b.alone != c.alone {
			t.Errorf("gone %t: %d of %d failures, asked alone %d times: %v", c.gone, len(report.Failures()), c.failures, b.alone, err)
		}
	}
}

// A refusing module computes nothing: it refuses what must be refused, and says
// of the rest that it lacks it.
type refusing struct{ mac.HSM }

func (r refusing) Do(ctx context.Context, ops []mac.Op) error {
	err := r.HSM.Do(ctx, ops)
	for i := range ops {
		if ops[i].Err == nil {
			ops[i].Withdraw()
			ops[i].Err = mac.ErrUnsupported
		}
	}
	return err
}

func TestPartialIsNotForNothing(t *testing.T) {
	hsm := refusing{engine(t, reference.Backend{}, vectors.Keys())}
	report, err := vectors.Run(t.Context(), hsm, vectors.Options{Partial: true})
	if !errors.Is(err, vectors.ErrFailed) || len(report.Failures()) != 0 || report.Passed() == 0 {
		t.Errorf("%d failures, %d passed: %v", len(report.Failures()), report.Passed(), err)
	}
}

func TestRunWithoutKeys(t *testing.T) {
	report, err := vectors.Run(context.Background(), engine(t, reference.Backend{}, nil), vectors.Options{})
	if !errors.Is(err, vectors.ErrFailed) {
		t.Errorf("error %v, want ErrFailed", err)
	}
	for _, f := range report.Families {
		if f.Cases > 0 && len(f.Failures) == 0 {
			t.Errorf("%s passes without a key", f.Name)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	hsm := engine(b, reference.Backend{}, vectors.Keys())
	for b.Loop() {
		if _, err := vectors.Run(context.Background(), hsm, vectors.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
