package settlement

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"pbochsm/mac"
)

// A silent module leaves the operations as they are.
type silent struct{}

func (silent) Do(context.Context, []mac.Op) error { return nil }

// FuzzLines reads any bytes as records. Each line must get one verdict, and
// the same one however the input is cut into chunks, so that no line is ever
// judged by what stands in another; and lines that are read by their shapes must
// become what the parser makes of them.
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
	f.Add([]byte(strings.Repeat(line+"\n", 9)), true)
	f.Add([]byte("L   0011223344556677 0000100001112233445566000000010002AABBCCDD\nP\n"), false)
	large, small, both := newJudge(64<<10), newJudge(512), newComparison()
	f.Fuzz(func(t *testing.T, text []byte, asCSV bool) {
		var format Format = layout
		if asCSV {
			format = csv
		}
		whole, records := large.judge(t, format, text)
		cut, _ := small.judge(t, format, text)
		if whole != cut && longest(text) < 512 {
			t.Fatalf("cut into small chunks:\n%s\nin large ones:\n%s", cut, whole)
		}
		p, err := format.open(&headReader{in: bufio.NewReader(strings.NewReader(""))})
		if err != nil {
			t.Fatal(err)
		}
		both.agree(t, p, text)
		if want := countRecords(text); records != want || strings.Count(whole, "\n") != want {
			t.Fatalf("%d records in %d lines:\n%s", records, want, whole)
		}
	})
}

// longest is the length of the longest line.
func longest(text []byte) (n int) {
	for line := range bytes.Lines(text) {
		n = max(n, len(line))
	}
	return n
}

// countRecords is how many lines are not blank.
func countRecords(text []byte) (n int) {
	for line := range bytes.Lines(text) {
		if len(withoutEnd(line)) > 0 {
			n++
		}
	}
	return n
}

// A judgeOfText is the stages of a run without their goroutines.
type judgeOfText struct {
	chunk  *chunk
	worker *worker
	buffer []byte
}

func newJudge(size int) *judgeOfText {
	w := &worker{hsm: silent{}, needs: newKindNeeds(), lines: newVerdictLine(), write: true}
	return &judgeOfText{newChunk(), w, make([]byte, size)}
}

// judge gives the lines of the verdict file, and the number of records that
// the tally has.
func (j *judgeOfText) judge(t *testing.T, format Format, text []byte) (verdicts string, records int) {
	in := bufio.NewReaderSize(bytes.NewReader(text), maxLine)
	p, err := format.open(&headReader{in: in})
	if err != nil {
		t.Fatal(err)
	}
	s := &cutter{in: in, parser: p, file: 1, line: 1}
	var out strings.Builder
	for {
		err := s.next(j.chunk, j.buffer)
		if errors.Is(err, io.EOF) {
			return out.String(), records
		}
		if err != nil {
			t.Fatal(err)
		}
		if j.worker.work(t.Context(), j.chunk); j.chunk.err != nil {
			t.Fatal(j.chunk.err)
		}
		out.Write(j.chunk.verdicts)
		for _, abouts := range j.chunk.tally.reasons {
			for _, n := range abouts {
				records += int(n)
			}
		}
	}
}
