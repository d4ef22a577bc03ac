package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Script is what a connection says, in one write, and what must come back.
type Script struct{ Requests, Replies []byte }

// A Load is how a server is driven: as many connections, each of which sends
// Depth requests, waits for the replies to all of them, and begins anew.
type Load struct {
	Dial    func(context.Context) (net.Conn, error)
	Conns   int
	Depth   int
	Scripts []Script // of Depth requests each; a connection takes one after the other
	Server  *process // whose processor time is told; nil: nobody's
	Spread  bool     // a goroutine for each connection, even where one thread could drive them all
}

// A Result is what came of driving a server for a while.
type Result struct {
	Requests uint64
	Elapsed  time.Duration
	CPU      time.Duration           // of the server
	Own      time.Duration           // processor time of the load generator
	Latency  *hdrhistogram.Histogram // nanoseconds from a write to the last of its replies
}

// Rate is the requests per second.
func (r *Result) Rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// each is what one request had of d, in nanoseconds.
func (r *Result) each(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(r.Requests) }

// newHistogram has three digits, from 100 ns to a minute.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(100, int64(time.Minute), 3)
}

// A Driver has the connections of a Load open, so that servers can take turns.
type Driver struct {
	load  Load
	conns []net.Conn
	poll  *poller // nil: each connection has a goroutine
}

// answerTime is how long a reply may take.
const answerTime = 30 * time.Second

// errWrong is a reply that is not the one that must come.
var errWrong = errors.New("bench: a wrong reply")

// Open connects.
func (l Load) Open(ctx context.Context) (*Driver, error) {
	d := &Driver{load: l}
	for range l.Conns {
		c, err := l.Dial(ctx)
		if err != nil {
			d.Close()
			return nil, err
		}
		d.conns = append(d.conns, c)
	}
	if l.Spread {
		return d, nil
	}
	var err error
	if d.poll, err = newPoller(&d.load, d.conns); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Close hangs up.
func (d *Driver) Close() {
	if d.poll != nil {
		d.poll.close()
	}
	for _, c := range d.conns {
		_ = c.Close()
	}
}

// Run drives the server for that long, at least one script on each connection.
// It fails at the first reply that is wrong.
func (d *Driver) Run(ctx context.Context, long time.Duration) (*Result, error) {
	before, own := d.load.Server.cpuTime(), ownTime()
	r, err := d.run(ctx, long)
	if err != nil {
		return nil, err
	}
	r.CPU, r.Own = d.load.Server.cpuTime()-before, ownTime()-own
	return r, nil
}

func (d *Driver) run(ctx context.Context, long time.Duration) (*Result, error) {
	if d.poll != nil {
		return d.poll.run(ctx, long)
	}
	results := make([]Result, len(d.conns))
	failures := make([]error, len(d.conns))
	start := time.Now()
	var all sync.WaitGroup
	for i, c := range d.conns {
		all.Go(func() { failures[i] = d.drive(ctx, c, i, start.Add(long), &results[i]) })
	}
	all.Wait()
	sum := &Result{Elapsed: time.Since(start), Latency: newHistogram()}
	for i := range results {
		sum.Requests += results[i].Requests
		if results[i].Latency != nil {
			sum.Latency.Merge(results[i].Latency)
		}
	}
	return sum, errors.Join(failures...)
}

func (d *Driver) drive(ctx context.Context, c net.Conn, i int, end time.Time, r *Result) error {
	r.Latency = newHistogram()
	replies := make([]byte, 0, 1<<10)
	_ = c.SetDeadline(end.Add(answerTime))
	for now := time.Now(); now.Before(end) || r.Requests == 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &d.load.Scripts[i%len(d.load.Scripts)]
		i++
		if cap(replies) < len(s.Replies) {
			replies = make([]byte, len(s.Replies))
		}
		replies = replies[:len(s.Replies)]
		if _, err := c.Write(s.Requests); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, replies); err != nil {
			return err
		}
		if !bytes.Equal(replies, s.Replies) {
			return fmt.Errorf("%w: %.40q, want %.40q", errWrong, replies, s.Replies)
		}
		then := now
		now = time.Now()
		_ = r.Latency.RecordValue(int64(now.Sub(then)))
		r.Requests += uint64(d.load.Depth)
	}
	return nil
}
