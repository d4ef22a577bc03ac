package settlement_test

import (
	"bytes"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
)

// A run of five times as many records allocates no more: neither what it holds
// nor what it throws away grows with its input.
func TestMemoryIsFlat(t *testing.T) {
	text, _ := made(t, sample.Options{Records: 1000, Errors: 10, Seed: 21})
	head := bytes.IndexByte(text, '\n') + 1
	allocated := func(times int) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		o := options(yes{}, settlement.Stdin)
		o.Stdin = io.MultiReader(bytes.NewReader(text[:head]), &repeated{text: text[head:], times: times})
		o.Out = filepath.Join(t.TempDir(), "out")
		s, err := settlement.Run(t.Context(), o)
		if err != nil || s.Records != uint64(1000*times) {
			t.Fatalf("%v (%v)", s, err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1)
	few, many := allocated(200), allocated(1000)
	if many > few+1<<20 {
		t.Errorf("200 thousand records allocate %d bytes, a million %d", few, many)
	}
	if many > 32<<20 {
		t.Errorf("a run allocates %d bytes", many)
	}
}

// repeated is a text, so many times.
type repeated struct {
	text  []byte
	times int
	at    int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.times > 0 {
		c := copy(p[n:], r.text[r.at:])
		n += c
		if r.at += c; r.at == len(r.text) {
			r.at = 0
			r.times--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
