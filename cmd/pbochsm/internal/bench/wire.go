package bench

import (
	"context"
	"fmt"
	"math"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A shape is how a server is driven, what is compared, and the goal: requests
// per second, at least, or median latency, at most.
type shape struct {
	conns, depth int
	latency      bool
	goal         float64 // 0: none
}

var shapes = []shape{{1, 1, true, 1.15}, {50, 1, false, 0}, {50, 16, false, 1.4}, {50, 128, false, 2.5}}

// cards is how many cards the requests are of.
const cards = 4096

// wireGroup sets authorisations of loads (WA) over TCP against redis-server
// answering PING, both driven in the same way, in turns; and in WA's place a
// server that computes nothing, so that it is seen what there was to be reached.
func wireGroup(ctx context.Context, o *Options) error {
	redis, missing := startRedis(ctx)
	if missing != nil {
		for _, s := range shapes {
			o.skip("wire", s.row("wire", "WA", "redis PING").Name, missing)
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
	one := e.loadScripts(1, 1)[0]
	echo, noEcho := startEcho(ctx, o, len(one.Requests), len(one.Replies))
	if noEcho == nil {
		defer echo.stop()
	}
	for _, s := range shapes {
		scripts := e.loadScripts(2*s.conns, s.depth)
		theirs := s.load(redis, pingScripts(s.depth))
		if err := o.contest(ctx, s.row("wire", "WA", "redis PING"), s, s.load(daemon, scripts), theirs); err != nil {
			return err
		}
		row := s.row("wire", "echo in C", "redis PING")
		if noEcho != nil {
			o.skip(row.Group, row.Name, noEcho)
			continue
		}
		s.goal = 0
		if err := o.contest(ctx, row, s, s.load(echo, echoScripts(scripts, s.depth)), theirs); err != nil {
			return err
		}
	}
	return nil
}

// row is one of a contest in this shape.
func (s shape) row(group, who, yardstick string) Row {
	r := Row{Group: group, Name: fmt.Sprintf("%s, %d connection(s) × %d / %s", who, s.conns, s.depth, yardstick), Unit: "k/s"}
	if s.latency {
		r.Name, r.Unit = r.Name+", median latency", "µs"
	}
	return r
}

// load drives a server in this shape over plain TCP.
func (s shape) load(server *process, scripts []Script) Load {
	return Load{Server: server, Dial: plainDial(server.addrs[0]), Conns: s.conns, Depth: s.depth, Scripts: scripts}
}

// contest drives two servers in turns.
func (o *Options) contest(ctx context.Context, row Row, s shape, ours, theirs Load) error {
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
	var values, cpu, own [2][]float64
	var ratios []float64
	for turn := range o.Turns {
		for k := range drivers {
			i := (k + turn) % 2 // who begins changes too
			r, err := drivers[i].Run(ctx, o.Time)
			if err != nil {
				return err
			}
			row.Latency[i].Merge(r.Latency)
			v := r.Rate() / 1e3
			if s.latency {
				v = float64(r.Latency.ValueAtQuantile(50)) / 1e3
			}
			values[i] = append(values[i], v)
			cpu[i] = append(cpu[i], r.each(r.CPU))
			own[i] = append(own[i], r.each(r.Own))
		}
		ratios = append(ratios, values[0][turn]/math.Max(values[1][turn], 1e-9))
	}
	row.Ours, row.Yardstick = median(values[0]), median(values[1])
	row.CPU = [2]float64{median(cpu[0]), median(cpu[1])}
	row.Generator = [2]float64{median(own[0]), median(own[1])}
	goal := s.goal
	if s.latency {
		goal = -goal
	}
	o.tell(row, ratios, goal)
	return nil
}
