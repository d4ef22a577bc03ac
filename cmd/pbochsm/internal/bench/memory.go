package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/protocol"
)

// memoryGroup tells what an idle connection takes and what a request leaves
// for the collector.
func memoryGroup(ctx context.Context, o *Options) error {
	if err := idleRow(ctx, o); err != nil {
		return err
	}
	return allocationRow(ctx, o)
}

const mostIdle = 80 // MiB

func idleRow(ctx context.Context, o *Options) error {
	name := fmt.Sprintf("resident memory with %d idle connections", o.Idle)
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		o.skip("memory", name, errors.New("this system does not tell it"))
		return nil
	}
	daemon, err := startDaemon(ctx, o.Program, 1)
	if err != nil {
		return err
	}
	defer daemon.stop()
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, 64)
	if err != nil {
		return err
	}
	l := Load{Dial: plainDial(daemon.addrs[0]), Conns: o.Idle, Depth: 1, Scripts: e.loadScripts(64, 1)}
	d, err := l.Open(ctx)
	if err != nil {
		o.skip("memory", name, err) // a limit of descriptors, most likely
		return nil
	}
	defer d.Close()
	if _, err := d.Run(ctx, 0); err != nil { // each asks once
		return err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", daemon.cmd.Process.Pid))
	if err != nil {
		return err
	}
	var size, resident float64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return err
	}
	mib := resident * float64(os.Getpagesize()) / (1 << 20)
	o.Told(Row{Group: "memory", Name: name, Ours: mib, Unit: "MiB", Goal: fmt.Sprintf("≤ %d", mostIdle), Missed: mib > mostIdle})
	return nil
}

// allocationRow counts the allocations of this process while a server in it
// answers; the client allocates nothing.
func allocationRow(ctx context.Context, o *Options) error {
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, 256)
	if err != nil {
		return err
	}
	server := &protocol.Server{HSM: mac.NewEngine(e.live, lanes.New()), Keys: e.live, Rand: bytes.NewReader(nil), Now: time.Now}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	c, err := plainDial(listener.Addr().String())(ctx)
	if err != nil {
		return err
	}
	perRequest, err := countAllocations(c, e.loadScripts(1, 16)[0], 16)
	_ = c.Close()
	if err = errors.Join(err, server.Shutdown(ctx), <-served); err != nil {
		return err
	}
	o.Told(Row{
		Group: "memory", Name: "allocations per request on the service path", Ours: perRequest, Unit: "",
		Goal: "0", Missed: perRequest >= 0.01,
	})
	return nil
}

func countAllocations(c net.Conn, s Script, depth int) (float64, error) {
	const warm, rounds = 100, 1000
	replies := make([]byte, len(s.Replies))
	var before, after runtime.MemStats
	for i := range warm + rounds {
		if i == warm {
			runtime.ReadMemStats(&before)
		}
		if _, err := c.Write(s.Requests); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, replies); err != nil {
			return 0, err
		}
		if !bytes.Equal(replies, s.Replies) {
			return 0, errWrong
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(rounds*depth), nil
}
