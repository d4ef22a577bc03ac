//go:build unix

package settlement_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"syscall"
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
				var ours, theirs cost
				for b.Loop() {
					ours.add(b, func() (time.Duration, error) {
						before := processor(b)
						_, err := settlement.Run(b.Context(), o)
						return processor(b) - before, err
					})
					theirs.add(b, func() (time.Duration, error) {
						wc := exec.Command("wc", "-l", name)
						err := wc.Run()
						return wc.ProcessState.UserTime() + wc.ProcessState.SystemTime(), err
					})
				}
				b.ReportMetric(ours.passed.Seconds()/theirs.passed.Seconds(), "×wc")
				b.ReportMetric(ours.processor.Seconds()/theirs.processor.Seconds(), "×wc-cpu")
				b.ReportMetric(float64(ours.processor.Nanoseconds())/records/float64(b.N), "cpu-ns/record")
				b.ReportMetric(records*float64(b.N)/ours.passed.Seconds()/1e6, "M/s")
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

// A cost is the time that turns have taken, by the clock and of all cores.
type cost struct{ passed, processor time.Duration }

func (c *cost) add(b *testing.B, turn func() (time.Duration, error)) {
	start := time.Now()
	used, err := turn()
	if err != nil {
		b.Fatal(err)
	}
	c.passed += time.Since(start)
	c.processor += used
}

// processor is the processor time that this process has used.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
