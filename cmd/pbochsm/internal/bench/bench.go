package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Options say how long to measure and with which programs.
type Options struct {
	Program string        // this program, which is run as a daemon
	Dir     string        // for files that are made and forgotten
	Time    time.Duration // of one turn of one server
	Turns   int           // how often each takes its turn; the median ratio counts
	Records int           // of the settlement file
	Idle    int           // connections
	Only    []string      // groups to run; all if empty
	Told    func(Row)     // called with each row as it is ready
}

// Groups are what can be measured, in order.
func Groups() []string { return []string{"lanes", "wire", "goodput", "tls", "memory", "settlement"} }

// A Row is one measurement beside its yardstick.
type Row struct {
	Group     string
	Name      string
	Ours      float64
	Yardstick float64
	Ratio     float64
	Unit      string
	Goal      string // what the ratio, or ours where there is no yardstick, is to be
	Missed    bool   // the goal
	Skipped   string // why there are no numbers
	Note      string // what else there is to say

	CPU       [2]float64                 // of the servers, ns for each request; 0: not told
	Generator [2]float64                 // the same of the load generator
	Latency   [2]*hdrhistogram.Histogram // ours and the yardstick's, nanoseconds; may be nil
}

// A group gives its rows.
type group func(ctx context.Context, o *Options) error

// Run measures every group that is wanted. What is missing on this machine is
// told in a row; an error is a wrong answer, or a measurement that broke off.
func Run(ctx context.Context, o Options) error {
	groups := map[string]group{
		"lanes": lanesGroup, "wire": wireGroup, "goodput": goodputGroup, "tls": tlsGroup,
		"memory": memoryGroup, "settlement": settlementGroup,
	}
	for _, name := range Groups() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, name) {
			continue
		}
		if err := groups[name](ctx, &o); err != nil {
			return fmt.Errorf("bench: %s: %w", name, err)
		}
	}
	if len(o.Only) == 0 {
		o.skipOthers()
	}
	return nil
}

// skipOthers tells the rows that are measured by other parts of the source tree:
// no program has a C compiler's token client, or the ledger, in it.
func (o *Options) skipOthers() {
	for _, name := range []string{"token path / the same chain in C", "ledger / fdatasync, pgbench", "money endpoint / fdatasync, pgbench -N"} {
		o.skip("others", name, errors.New("make bench, in the source tree, measures it beside these"))
	}
}

// skip tells a row that cannot be measured here.
func (o *Options) skip(group, name string, why error) {
	o.Told(Row{Group: group, Name: name, Skipped: why.Error()})
}

// tell tells a row with its ratio held against a goal: at least that much, or
// at most if it is negative.
func (o *Options) tell(r Row, ratios []float64, goal float64) {
	r.Ratio = median(ratios)
	switch {
	case goal > 0:
		r.Goal, r.Missed = fmt.Sprintf("≥ %.3g ×", goal), r.Ratio < goal
	case goal < 0:
		r.Goal, r.Missed = fmt.Sprintf("≤ %.3g ×", -goal), r.Ratio > -goal
	}
	o.Told(r)
}

// median is the middle one, or the mean of the two.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}
