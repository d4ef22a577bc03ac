package settlement

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pbochsm/mac"
)

// A silent module leaves the operations as they are.
type silent struct{}

func (silent) Do(context.Context, []mac.Op) error { return nil }

// FuzzLines reads any bytes as records. Each line must get one verdict, and
// the same one however the input is cut into chunks, so that no line is ever
// judged by what stands in another.
func FuzzLines(f *testing.F) {
	layout := &Layout{
		Columns: []Place{
			{"operation", 1, 4}, {"factor-1", 5, 17}, {"amount", 22, 8}, {"type", 30, 2}, {"terminal", 32, 12},
			{"terminal-serial", 44, 8}, {"new-balance", 44, 8}, {"online-counter", 52, 4}, {"tac", 56, 8},
		},
		Operations: map[string]string{"L": "load-tac", "P": "purchase-tac"},
		Constants:  map[string]string{"set": "A1", "version": "01", "algorithm": "00", "date": "20240229", "time": "235959"},
	}
	csv := &CSV{Columns: Names()}
	op := mac.Op{Kind: mac.KindLoadTAC, Levels: 2}
	line := string(NewCSVWriter().Append(nil, &op))
	f.Add([]byte(line+"\n"), true)
	f.Add([]byte(line+"\r\n\n"+line[1:]+"\n\""+line+"\""), true)
	f.Add([]byte(strings.ReplaceAll(line, ",", `","`)), true)
	f.Add([]byte("L   0011223344556677 0000100001112233445566000000010002AABBCCDD\nP\n"), false)
	f.Add(bytes.Repeat([]byte("x"), 70<<10), false)
	f.Fuzz(func(t *testing.T, text []byte, asCSV bool) {
		var format Format = layout
		if asCSV {
			format = csv
		}
		if len(text) >= 4 && (bytes.HasPrefix(text, []byte{0x1F, 0x8B}) || bytes.HasPrefix(text, []byte{0x28, 0xB5})) {
			return // compressed
		}
		whole, records := fuzzRun(t, format, text, 1<<20)
		small, _ := fuzzRun(t, format, text, maxLine+2)
		if whole != small {
			t.Fatalf("cut into small chunks:\n%s\nin one:\n%s", small, whole)
		}
		if want := countRecords(text); records != want || strings.Count(whole, "\n") != int(want)+1 {
			t.Fatalf("%d records in %d lines:\n%s", records, want, whole)
		}
	})
}

// countRecords is how many lines are not blank.
func countRecords(text []byte) (n uint64) {
	for line := range bytes.Lines(text) {
		if len(withoutEnd(line)) > 0 {
			n++
		}
	}
	return n
}

func fuzzRun(t *testing.T, format Format, text []byte, chunk int) (string, uint64) {
	dir := t.TempDir()
	o := Options{
		Files: []string{Stdin}, Stdin: bytes.NewReader(text), Format: format, HSM: silent{}, Workers: 2,
		Chunk: chunk, Out: filepath.Join(dir, "out"), Now: time.Now, Interval: time.Hour,
	}
	s, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return string(got), s.Records
}
