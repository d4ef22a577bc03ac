package settlement_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/mac"
)

func gzipped(t *testing.T, text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t *testing.T, text []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(text, nil)
}

// Whatever form a file has, exactly the planted errors are found in it.
func TestFindsThePlantedErrors(t *testing.T) {
	csv, wrongInCSV := made(t, sample.Options{Records: 3000, Errors: 300, Seed: 1})
	fixed, wrongInFixed := made(t, sample.Options{Records: 3000, Errors: 300, Seed: 2, Writer: settlement.NewFixedWriter()})
	layout, err := settlement.ReadLayout(strings.NewReader(settlement.NewFixedWriter().Layout()))
	if err != nil {
		t.Fatal(err)
	}
	plain := func(_ *testing.T, text []byte) []byte { return text }
	crlf := func(_ *testing.T, text []byte) []byte {
		return append([]byte("\xEF\xBB\xBF"), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))...)
	}
	noEnd := func(_ *testing.T, text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) }
	for _, c := range []struct {
		name   string
		text   []byte
		want   []byte
		format settlement.Format
		stored func(*testing.T, []byte) []byte
	}{
		{"csv", csv, wrongInCSV, &settlement.CSV{}, plain},
		{"csv as a Windows program writes it", csv, wrongInCSV, &settlement.CSV{}, crlf},
		{"no line feed at the end", csv, wrongInCSV, &settlement.CSV{}, noEnd},
		{"gzip", csv, wrongInCSV, &settlement.CSV{}, gzipped},
		{"zstd", csv, wrongInCSV, &settlement.CSV{}, zstandard},
		{"fixed", fixed, wrongInFixed, layout, plain},
		{"fixed gzip", fixed, wrongInFixed, layout, gzipped},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(fast(t), write(t, "file", c.stored(t, c.text)))
			o.Format, o.Chunk = c.format, 4<<10
			s, got := verdicts(t, o)
			if diff := cmp.Diff(string(c.want), wrong(got)); diff != "" {
				t.Errorf("found otherwise than planted:\n%s", diff)
			}
			if n := strings.Count(got, "\n") - 1; n != 3000 || s.Records != 3000 || s.Count(settlement.OK) != 2700 {
				t.Errorf("%d verdicts, %d records, %d ok; want 3000, 3000, 2700", n, s.Records, s.Count(settlement.OK))
			}
			if !errors.Is(s.Err(), mac.ErrVerify) {
				t.Errorf("the summary's error is %v", s.Err())
			}
		})
	}
}

func TestSeveralFilesAndStdin(t *testing.T) {
	first, wrongInFirst := made(t, sample.Options{Records: 500, Errors: 5, Seed: 3})
	second, wrongInSecond := made(t, sample.Options{Records: 700, Errors: 7, Seed: 4})
	o := options(fast(t), write(t, "first", first), settlement.Stdin)
	o.Stdin = bytes.NewReader(gzipped(t, second))
	_, got := verdicts(t, o)
	want := string(wrongInFirst) + strings.ReplaceAll(strings.TrimPrefix(string(wrongInSecond), settlement.VerdictHeader), "1,", "2,")
	want = strings.TrimPrefix(want, settlement.VerdictHeader)
	got = strings.TrimPrefix(wrong(got), settlement.VerdictHeader)
	var inSecond int
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "2,") {
			inSecond++
		}
	}
	if n := strings.Count(want, "\n"); strings.Count(got, "\n") != n || inSecond != 7 {
		t.Errorf("%d wrong records, %d of them in the second file; want %d and 7:\n%s", strings.Count(got, "\n"), inSecond, n, got)
	}
}

func TestSumsUpByTerminal(t *testing.T) {
	file, _ := made(t, sample.Options{Records: 4000, Errors: 40, Seed: 5})
	o := options(fast(t), write(t, "file", file))
	o.Chunk = 8 << 10
	s, _ := verdicts(t, o)
	var sum uint64
	last := ""
	for _, terminal := range s.Terminals {
		sum += terminal.Counts.Sum()
		if terminal.Terminal <= last {
			t.Errorf("terminal %s after %s", terminal.Terminal, last)
		}
		last = terminal.Terminal
	}
	if want := s.Records - s.Count(settlement.Malformed); sum != want || len(s.Terminals) != 40 {
		t.Errorf("%d terminals have %d records, want 40 with %d", len(s.Terminals), sum, want)
	}
}

func TestUnreadableInput(t *testing.T) {
	file, _ := made(t, sample.Options{Records: 2000, Seed: 6})
	squeezed := gzipped(t, file)
	for _, c := range []struct {
		name, want string
		content    []byte
	}{
		{"gzip cut short", "unexpected EOF", squeezed[:len(squeezed)/2]},
		{"empty", "the file is empty", nil},
		{"a picture", "not enough columns", []byte("\x89PNG\r\n\x1A\n")},
		{"a first line without end", "longer than", bytes.Repeat([]byte("a,"), 64<<10)},
		{"a column twice", "two columns tac", []byte("tac,tac\n")},
		{"too few columns", "lacks amount", []byte("operation,set,version,algorithm,new-balance,online-counter,type,terminal,date,time,tac\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := settlement.Run(t.Context(), options(yes{}, write(t, "file", c.content)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := settlement.Run(t.Context(), options(yes{}, filepath.Join(t.TempDir(), "none"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func TestSparesItsInput(t *testing.T) {
	file, _ := made(t, sample.Options{Records: 10, Seed: 7})
	name := write(t, "file", file)
	o := options(yes{}, name)
	o.Out = name
	if _, err := settlement.Run(t.Context(), o); err == nil || read(t, name) != string(file) {
		t.Errorf("the input was written over (%v)", err)
	}
}

// A module that fails says nothing of the record at hand.
func TestStopsWithTheModule(t *testing.T) {
	file, _ := made(t, sample.Options{Records: 1000, Seed: 8})
	gone := errors.New("gone")
	for name, hsm := range map[string]mac.HSM{
		"as a whole":  &failing{after: 2, err: gone},
		"in one part": &failing{after: 2, err: gone, single: true},
	} {
		o := options(hsm, write(t, "file", file))
		o.Chunk = 4 << 10
		if _, err := settlement.Run(t.Context(), o); !errors.Is(err, gone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe() // an input that never ends
	go func() {
		_, _ = out.Write([]byte(settlement.NewCSVWriter().Head()))
		cancel()
	}()
	o := options(yes{}, settlement.Stdin)
	o.Stdin = in
	_, err := settlement.Run(ctx, o)
	_ = out.Close()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
