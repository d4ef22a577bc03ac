package settlement_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
)

// Whatever a file has been turned into, both ways to compute judge it alike.
func TestVerdictsAreThoseOfTheReference(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 0))
		text, _ := made(t, sample.Options{Records: 400, Errors: 30, Seed: seed})
		head := bytes.IndexByte(text, '\n') + 1
		for range 200 {
			at := head + random.IntN(len(text)-head)
			text[at] = "0123456789ABCDEFabcdef,,\"\n\r x-"[random.IntN(30)]
		}
		name := write(t, "file", text)
		_, got := verdicts(t, options(fast(t), name))
		_, want := verdicts(t, options(slow(t), name))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: lanes judge otherwise than the reference:\n%s", seed, diff)
		}
	}
}

// The same seed makes the same file, and the errors are as many as asked for.
func TestSamplesAreWhatWasAskedFor(t *testing.T) {
	for _, c := range []struct{ records, errors uint64 }{{0, 0}, {1, 0}, {1, 1}, {5000, 1}, {5000, 4999}, {5000, 5000}, {4096, 17}} {
		o := sample.Options{Records: c.records, Errors: c.errors, Seed: 9}
		file, expect := made(t, o)
		again, expectAgain := made(t, o)
		if !bytes.Equal(file, again) || !bytes.Equal(expect, expectAgain) {
			t.Errorf("%d records: not the same again", c.records)
		}
		o.Seed++
		if other, _ := made(t, o); c.records > 0 && bytes.Equal(file, other) {
			t.Errorf("%d records: another seed makes the same file", c.records)
		}
		if lines, planted := bytes.Count(file, []byte("\n")), bytes.Count(expect, []byte("\n")); uint64(lines) != c.records+1 || uint64(planted) != c.errors+1 {
			t.Errorf("%d lines, %d of them wrong; want %d and %d", lines-1, planted-1, c.records, c.errors)
		}
	}
	if err := sample.Write(t.Context(), sample.Options{Records: 1, Errors: 2, Workers: 1, Writer: settlement.NewCSVWriter()}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("two errors in one record")
	}
}
