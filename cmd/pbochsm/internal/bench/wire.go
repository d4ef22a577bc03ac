package bench

import (
	"context"
	"fmt"
	"math"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A shape is how a server is driven, and the goal: requests per second against
// the yardstick or, negative, median latency against it.
type shape struct {
	conns, depth int
	goal         float64
}

var shapes = []shape{{1, 1, -1.15}, {50, 1, 0}, {50, 16, 1.4}, {50, 128, 2.5}}

// cards is how many cards the requests are of.
const cards = 4096

// wireGroup sets authorisations of loads (WA) over TCP against redis-server
// answering PING, both driven in the same way, in turns.
func wireGroup(ctx context.Context, o *Options) error {
	redis, missing := startRedis(ctx)
	if missing != nil {
		for _, s := range shapes {
			o.skip("wire", s.name("redis PING"), missing)
		}
		return nil
	}
	defer redis.stop()
	daemon, err := startDaemon(ctx, o.Program, 1)
	if err != nil {
		return err
	}
	defer daemon.stop()
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, cards)
	if err != nil {
		return err
	}
	for _, s := range shapes {
		ours := Load{Server: daemon, Dial: plainDial(daemon.addrs[0]), Conns: s.conns, Depth: s.depth, Scripts: e.loadScripts(2*s.conns, s.depth)}
		theirs := Load{Server: redis, Dial: plainDial(redis.addrs[0]), Conns: s.conns, Depth: s.depth, Scripts: pingScripts(s.depth)}
		if err := o.contest(ctx, Row{Group: "wire", Name: s.name("redis PING")}, s.goal, ours, theirs); err != nil {
			return err
		}
	}
	return nil
}

func (s shape) name(yardstick string) string {
	name := fmt.Sprintf("WA, %d connection(s) × %d / %s", s.conns, s.depth, yardstick)
	if s.goal < 0 {
		name += ", median latency"
	}
	return name
}

// contest drives two servers in turns.
func (o *Options) contest(ctx context.Context, row Row, goal float64, ours, theirs Load) error {
	loads := [2]Load{ours, theirs}
	var drivers [2]*Driver
	for i, l := range loads {
		d, err := l.Open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		drivers[i] = d
		row.Latency[i] = newHistogram()
	}
	var values [2][]float64
	var ratios []float64
	var cpu [2][]float64
	for turn := range o.Turns {
		for k := range drivers {
			i := (k + turn) % 2 // who begins changes too
			r, err := drivers[i].Run(ctx, o.Time)
			if err != nil {
				return err
			}
			row.Latency[i].Merge(r.Latency)
			v := r.Rate() / 1e3
			if goal < 0 {
				v = float64(r.Latency.ValueAtQuantile(50)) / 1e3
			}
			values[i] = append(values[i], v)
			cpu[i] = append(cpu[i], float64(r.CPU.Nanoseconds())/float64(r.Requests))
		}
		ratios = append(ratios, values[0][turn]/math.Max(values[1][turn], 1e-9))
	}
	row.Ours, row.Yardstick, row.Unit = median(values[0]), median(values[1]), "k/s"
	if goal < 0 {
		row.Unit = "µs"
	}
	row.CPU = [2]float64{median(cpu[0]), median(cpu[1])}
	o.tell(row, ratios, goal)
	return nil
}
