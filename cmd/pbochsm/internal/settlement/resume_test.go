package settlement_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/mac"
)

// A failing module answers a number of batches and then no more.
type failing struct {
	mac.HSM
	after  int64
	err    error
	single bool // the error is that of one operation
	asked  atomic.Int64
}

func (f *failing) Do(ctx context.Context, ops []mac.Op) error {
	if f.asked.Add(1) <= f.after {
		if f.HSM == nil {
			return yes{}.Do(ctx, ops)
		}
		return f.HSM.Do(ctx, ops)
	}
	if !f.single {
		return f.err
	}
	ops[len(ops)/2].Err = f.err
	return nil
}

// A run that is stopped again and again, and taken up again, finds the same as
// one that is not.
func TestResumedRunIsTheSame(t *testing.T) {
	csv, _ := made(t, sample.Options{Records: 1500, Errors: 40, Seed: 11})
	more, _ := made(t, sample.Options{Records: 900, Errors: 20, Seed: 12})
	for name, stored := range map[string]func(*testing.T, []byte) []byte{
		"plain": func(_ *testing.T, b []byte) []byte { return b }, "gzip": gzipped, "zstd": zstandard,
	} {
		t.Run(name, func(t *testing.T) {
			files := []string{write(t, "a", stored(t, csv)), write(t, "b", stored(t, more))}
			whole := options(fast(t), files...)
			whole.Chunk = 8 << 10
			wantSummary, want := verdicts(t, whole)

			o := whole
			o.Interval = 0
			o.Out, o.State = filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "state")
			stops := 0
			var s *settlement.Summary
			for done := false; !done; stops++ {
				o.HSM = &failing{HSM: fast(t), after: int64(3 + stops%3), err: errors.New("gone")}
				var err error
				s, err = settlement.Run(t.Context(), o)
				done = err == nil
				if stops%2 == 0 { // what a crash may leave behind the last state
					appendTo(t, o.Out, "1,99,mism")
				}
			}
			if _, again := verdicts(t, o); again != want || stops < 4 {
				t.Errorf("after %d stops the verdicts differ from those of one run", stops-1)
			}
			if a, b := inJSON(t, s), inJSON(t, wantSummary); a != b {
				t.Errorf("after %d stops the summary is\n%s\nwant\n%s", stops-1, a, b)
			}
		})
	}
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRefusesAnotherRunsState(t *testing.T) {
	csv, _ := made(t, sample.Options{Records: 300, Seed: 13})
	for _, c := range []struct {
		name, want string
		change     func(*testing.T, *settlement.Options)
	}{
		{"nothing", "", func(*testing.T, *settlement.Options) {}},
		{"other keys", "keys have changed", func(_ *testing.T, o *settlement.Options) { o.Keys = "others" }},
		{"other constants", "constants", func(_ *testing.T, o *settlement.Options) {
			o.Format = &settlement.CSV{Constants: settlement.Constants{Values: map[string]string{"set": "01"}}}
		}},
		{"another file", "file 1 has changed", func(t *testing.T, o *settlement.Options) {
			o.Files = []string{write(t, "other", append(csv, csv[:0]...))}
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(o.Files[0], later, later); err != nil {
				t.Fatal(err)
			}
		}},
		{"a longer file", "file 1 has changed", func(t *testing.T, o *settlement.Options) { appendTo(t, o.Files[0], "\n") }},
		{"one file more", "it has 1 files", func(_ *testing.T, o *settlement.Options) { o.Files = append(o.Files, o.Files[0]) }},
		{"no verdict file", "verdict file", func(_ *testing.T, o *settlement.Options) { o.Out = "" }},
		{"a shortened verdict file", "has been shortened", func(t *testing.T, o *settlement.Options) {
			if err := os.Truncate(o.Out, 10); err != nil {
				t.Fatal(err)
			}
		}},
		{"a broken state", "state file", func(t *testing.T, o *settlement.Options) {
			if err := os.WriteFile(o.State, []byte(`{"format":`), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a state of another version", "no state file of this version", func(t *testing.T, o *settlement.Options) {
			if err := os.WriteFile(o.State, []byte(`{"format":99,"file":1}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"standard input", "cannot be taken up again", func(_ *testing.T, o *settlement.Options) { o.Files = []string{settlement.Stdin} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(&failing{after: 3, err: errors.New("gone")}, write(t, "file", csv))
			o.Chunk, o.Interval = 4<<10, 0
			o.Out, o.State = filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "state")
			if _, err := settlement.Run(t.Context(), o); err == nil {
				t.Fatal("the run was meant to fail")
			}
			c.change(t, &o)
			o.HSM = yes{}
			_, err := settlement.Run(t.Context(), o)
			if c.want == "" {
				if err != nil {
					t.Errorf("an unchanged run cannot be taken up again: %v", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
