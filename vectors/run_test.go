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
