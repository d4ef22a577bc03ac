package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"pbochsm/cmd/pbochsm/internal/settlement"
)

// A progress tells on stderr how far a run is: a bar on a terminal, and
// otherwise a line now and then.
type progress struct {
	out      io.Writer
	bar      *progressbar.ProgressBar
	every    time.Duration
	begun    time.Time
	told     time.Time
	first    settlement.Progress // where the run was when it began
	started  bool
	terminal bool
}

func newProgress(c *cli.Context) *progress {
	p := &progress{out: c.App.ErrWriter, every: c.Duration("log-interval"), begun: time.Now(), told: time.Now()}
	if f, ok := c.App.ErrWriter.(*os.File); ok {
		p.terminal = term.IsTerminal(int(f.Fd()))
	}
	return p
}

// step is called after every chunk of the input.
func (p *progress) step(now settlement.Progress) {
	if !p.started {
		p.started, p.first = true, now
	}
	if p.terminal {
		p.draw(now)
		return
	}
	if time.Since(p.told) >= p.every {
		p.told = time.Now()
		fmt.Fprintf(p.out, "pbochsm: %s\n", p.text(now))
	}
}

// draw moves the bar. It shows bytes of the files, as these are known
// beforehand, and has the records in its text.
func (p *progress) draw(now settlement.Progress) {
	if p.bar == nil {
		size := now.Size
		if size == 0 {
			size = -1 // a spinner
		}
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(p.out), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	p.bar.Describe(fmt.Sprintf("%d records, %s/s", now.Records, p.rate(now)))
	if now.Size == 0 {
		_ = p.bar.Set64(now.Read)
		return
	}
	_ = p.bar.Set64(min(now.Read, now.Size-1)) // the last chunks are still on their way
}

// text is the progress in words.
func (p *progress) text(now settlement.Progress) string {
	text := fmt.Sprintf("%d records, %s/s", now.Records, p.rate(now))
	if now.Size == 0 {
		return text
	}
	text += fmt.Sprintf(", %.1f %%", 100*min(1, float64(now.Read)/float64(now.Size)))
	if did := now.Read - p.first.Read; did > 0 {
		left := float64(now.Size-now.Read) / float64(did) * float64(time.Since(p.begun))
		text += fmt.Sprintf(", %s left", time.Duration(max(0, left)).Round(time.Second))
	}
	return text
}

// rate is the records per second of this run, as a person reads it.
func (p *progress) rate(now settlement.Progress) string {
	n := float64(now.Records-p.first.Records) / max(time.Since(p.begun).Seconds(), 1e-3)
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f M", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
