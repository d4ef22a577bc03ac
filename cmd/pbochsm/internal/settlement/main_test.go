package settlement_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A yes is a module that finds every record right, at no cost: what is left
// is the work of this package.
type yes struct{}

func (yes) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		ops[i].Err = nil
	}
	return nil
}

// engine has the published test keys.
func engine(t testing.TB, backend mac.Backend) mac.HSM {
	t.Helper()
	keys, err := vectors.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(keys)
	return mac.NewEngine(live, backend)
}

func fast(t testing.TB) mac.HSM { t.Helper(); return engine(t, lanes.New()) }
func slow(t testing.TB) mac.HSM { t.Helper(); return engine(t, reference.Backend{}) }

// options verify files with two workers.
func options(hsm mac.HSM, files ...string) settlement.Options {
	return settlement.Options{
		Files: files, Format: &settlement.CSV{}, HSM: hsm, Workers: 2, Keys: "test keys",
		Now: time.Now, Interval: time.Hour,
	}
}

// made is a file of sample records, and what must be found wrong in it.
func made(t testing.TB, o sample.Options) (file, expect []byte) {
	t.Helper()
	if o.Writer == nil {
		o.Writer = settlement.NewCSVWriter()
	}
	o.Workers = 2
	var lines, list bytes.Buffer
	if err := sample.Write(t.Context(), o, &lines, &list); err != nil {
		t.Fatal(err)
	}
	return lines.Bytes(), list.Bytes()
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// verdicts runs o and gives its summary and its verdict file.
func verdicts(t testing.TB, o settlement.Options) (*settlement.Summary, string) {
	t.Helper()
	if o.Out == "" {
		o.Out = filepath.Join(t.TempDir(), "verdicts.csv")
	}
	s, err := settlement.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, read(t, o.Out)
}

// wrong leaves the lines of a verdict file that are about wrong records, and
// its head.
func wrong(verdicts string) string {
	var left strings.Builder
	for line := range strings.Lines(verdicts) {
		if !strings.Contains(line, ",ok,") {
			left.WriteString(line)
		}
	}
	return left.String()
}
