package settlement_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/mac"
)

// The time of a run is set against that of "wc -l" of the same file, which
// reads it and looks at every byte: as many turns each, one
// after the other. "text" has a module that costs nothing; "lanes" verifies.
func BenchmarkAgainstWC(b *testing.B) {
	const records = 1_000_000
	for _, f := range []struct {
		name string
		w    *settlement.Writer
	}{{"csv", settlement.NewCSVWriter()}, {"fixed", settlement.NewFixedWriter()}} {
		layout, err := settlement.ReadLayout(bytes.NewReader([]byte(settlement.NewFixedWriter().Layout())))
		if err != nil {
			b.Fatal(err)
		}
		text, _ := made(b, sample.Options{Records: 1000, Seed: 31, Writer: f.w, Keys: []mac.KeyID{{Set: 0xA1, Version: 1}}})
		head := len(f.w.Head())
		name := write(b, "file", nil)
		fill(b, name, io.MultiReader(bytes.NewReader(text[:head]), &repeated{text: text[head:], times: records / 1000}))
		for _, m := range []struct {
			name string
			hsm  mac.HSM
		}{{"text", yes{}}, {"lanes", fast(b)}} {
			b.Run(f.name+"/"+m.name, func(b *testing.B) {
				o := options(m.hsm, name)
				if f.name == "fixed" {
					o.Format = layout
				}
				o.Out = name + ".out"
				var ours, theirs time.Duration
				for b.Loop() {
					ours += clock(b, func() error { _, err := settlement.Run(b.Context(), o); return err })
					theirs += clock(b, func() error { return exec.Command("wc", "-l", name).Run() })
				}
				b.ReportMetric(float64(ours)/float64(theirs), "×wc")
				b.ReportMetric(records*float64(b.N)/ours.Seconds()/1e6, "M/s")
				b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "wc-ms")
			})
		}
	}
}

func fill(b *testing.B, name string, text io.Reader) {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, text); err != nil {
		b.Fatal(err)
	}
}

func clock(b *testing.B, do func() error) time.Duration {
	start := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
