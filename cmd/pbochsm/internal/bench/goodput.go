package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A flood is more than a server has time for. Requests come at a rate, in
// bursts, to one connection after the other, whether or not those before are
// answered; what a connection does not take at once is lost. An answer is good
// if it is right and comes by the deadline.
type flood struct {
	rate     float64 // requests per second
	deadline time.Duration
	size     [2]int // of a request and of its reply
	script   Script // of as many requests as there are cards, and the first burst again
}

const (
	floodConns = 50
	burst      = 128
	// inTime is how soon an answer must come to be good.
	inTime = 100 * time.Millisecond
)

// A flooded is what became of the requests of a flood.
type flooded struct {
	elapsed                           time.Duration
	offered, good, late, busy, untold uint64 // of which: late answers, status 16, not taken by the connection
}

func (r *flooded) rate() float64 { return float64(r.good) / r.elapsed.Seconds() / 1e3 }

func (r *flooded) String() string {
	of := func(n uint64) float64 { return 100 * float64(n) / float64(max(1, r.offered)) }
	return fmt.Sprintf("of %.4g k/s offered %.1f %% good, %.1f %% late, %.1f %% refused, %.1f %% not taken",
		float64(r.offered)/r.elapsed.Seconds()/1e3, of(r.good), of(r.late), of(r.busy), of(r.untold))
}

// floodMultiples are how many times the capacity is offered; the first is what
// the others are held against.
var floodMultiples = []float64{1, 2, 5, 10}

// flatGoal is how much of the goodput must be left at the last of them.
const flatGoal = 0.9

func goodputName(multiple float64) string {
	return fmt.Sprintf("goodput, offered %g × the capacity / offered 1 ×", multiple)
}

const peakName = "peak memory, offered 10 × the capacity / offered 1 ×"

// goodputGroup offers a daemon more than it can do, and tells how much of what
// it can do is left.
func goodputGroup(ctx context.Context, o *Options) error {
	if !canFlood {
		o.skip("goodput", goodputName(10), errors.New("needs Linux"))
		return nil
	}
	daemon, err := startDaemon(ctx, o.Program, 1)
	if err != nil {
		return err
	}
	defer daemon.stop()
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, cards)
	if err != nil {
		return err
	}
	capacity, err := measureCapacity(ctx, o, daemon, e)
	if err != nil {
		return err
	}
	f := newFlood(e)
	results := make([][]*flooded, len(floodMultiples))
	ratios := make([][]float64, len(floodMultiples))
	peaks := make([]float64, len(floodMultiples))
	for range o.Turns {
		for i, multiple := range floodMultiples {
			f.rate = multiple * capacity
			r, err := f.run(ctx, plainDial(daemon.addrs[0]), o.Time)
			if err != nil {
				return err
			}
			results[i] = append(results[i], r)
			ratios[i] = append(ratios[i], r.rate()/results[0][len(results[i])-1].rate())
			peaks[i] = max(peaks[i], daemon.peakMemory())
		}
	}
	tellGoodput(o, results, ratios)
	first, last := peaks[0], peaks[len(peaks)-1]
	o.tell(Row{Group: "goodput", Name: peakName, Ours: last, Yardstick: first, Unit: "MiB"}, []float64{last / max(first, 1e-9)}, 0)
	return nil
}

func tellGoodput(o *Options, results [][]*flooded, ratios [][]float64) {
	for i := 1; i < len(floodMultiples); i++ {
		goal := 0.0
		if i == len(floodMultiples)-1 {
			goal = flatGoal
		}
		last := results[i][len(results[i])-1]
		row := Row{Group: "goodput", Name: goodputName(floodMultiples[i]), Unit: "k/s", Note: last.String()}
		row.Ours, row.Yardstick = goodRate(results[i]), goodRate(results[0])
		o.tell(row, ratios[i], goal)
	}
}

func goodRate(results []*flooded) float64 {
	var rates []float64
	for _, r := range results {
		rates = append(rates, r.rate())
	}
	return median(rates)
}

// measureCapacity gives how many requests a second the daemon answers at most,
// to as many connections and in bursts of the same size.
func measureCapacity(ctx context.Context, o *Options, daemon *process, e *exam) (float64, error) {
	l := Load{Dial: plainDial(daemon.addrs[0]), Conns: floodConns, Depth: burst, Scripts: e.loadScripts(2*floodConns, burst)}
	d, err := l.Open(ctx)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	r, err := d.Run(ctx, o.Time)
	if err != nil {
		return 0, err
	}
	return r.Rate(), nil
}

func newFlood(e *exam) *flood {
	s := e.loadScripts(1, cards)[0]
	f := &flood{deadline: inTime, size: [2]int{len(s.Requests) / cards, len(s.Replies) / cards}}
	f.script.Requests = append(s.Requests, s.Requests[:burst*f.size[0]]...)
	f.script.Replies = s.Replies
	return f
}

// peakMemory is the most that a process has had resident, in MiB; 0 if the
// system does not tell.
func (p *process) peakMemory() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return field(string(text), "VmHWM:") / 1024
}

// field reads the number behind a name in a file of /proc.
func field(text, name string) (n float64) {
	if _, after, ok := strings.Cut(text, name); ok {
		_, _ = fmt.Sscan(after, &n)
	}
	return n
}
