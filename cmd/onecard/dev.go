package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/mac"
)

func devCommand() *cli.Command {
	return &cli.Command{
		Name:  "dev",
		Usage: "run everything to develop against: daemon with published test keys, API, ledger, simulated cards",
		Description: "Nothing has to be configured. What was done stays in --data until --fresh, or a reset in the console.\n" +
			"It listens on this machine only, and no money in it is real.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8080", Usage: "address of the API; port 0 takes a free one"},
			&cli.StringFlag{Name: "hsm-listen", Value: "127.0.0.1:1500", Usage: "address of the daemon"},
			&cli.StringFlag{Name: "data", Value: filepath.Join("data", "sandbox"), Usage: "folder of the ledger and the simulated cards"},
			&cli.BoolFlag{Name: "fresh", Usage: "forget what is in the folder"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of the random numbers: the same seed and requests give the same run"},
			&cli.TimestampFlag{Name: "clock", Layout: time.RFC3339, Usage: "hold the clock at this time, as in 2026-11-23T09:15:00+08:00"},
			&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "debug, info, warn or error"},
		},
		Action: dev,
	}
}

func dev(c *cli.Context) (err error) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)

	log, err := newLogger(c.App.ErrWriter, config.Log{Level: c.String("log-level")})
	if err != nil {
		return cmdline.Usage(err)
	}
	o := devOptions{
		listen: c.String("listen"), hsm: c.String("hsm-listen"), dir: c.String("data"), fresh: c.Bool("fresh"),
		seed: c.Uint64("seed"), hold: c.Timestamp("clock"), log: log,
	}
	s, err := startSandbox(c.Context, o)
	if err != nil {
		return err
	}
	s.tell(c.App.Writer)
	select {
	case err = <-s.front.failed:
	case <-signals:
	}
	return errors.Join(err, s.stop(c.Context))
}

type devOptions struct {
	listen, hsm, dir string
	fresh            bool
	seed             uint64
	hold             *time.Time
	log              *slog.Logger
}

// A sandbox is everything that "onecard dev" runs.
type sandbox struct {
	o      devOptions
	daemon *testDaemon
	world  *sim.World
	front  *front
	addr   string
}

// startSandbox listens first, so that two sandboxes never share a folder.
func startSandbox(ctx context.Context, o devOptions) (s *sandbox, err error) {
	s = &sandbox{o: o, front: &front{log: o.log, failed: make(chan error, 1)}}
	if err := o.check(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, cmdline.Hint(err, "is a sandbox running there already? --listen takes another address, port 0 a free one")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close(), s.stop(ctx))
		}
	}()
	if s.daemon, err = startTestDaemon(ctx, o.hsm, o.log); err != nil {
		return s, err
	}
	if err := o.prepare(); err != nil {
		return s, err
	}
	if s.world, err = openWorld(ctx, o, s.daemon); err != nil {
		return s, err
	}
	s.addr = s.front.serve(&http.Server{
		Handler: s.world, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}, l, nil)
	return s, nil
}

// check keeps the sandbox on this machine and off folders that hold real keys.
func (o *devOptions) check() error {
	for _, addr := range []string{o.listen, o.hsm} {
		local, err := config.Loopback(addr)
		if err != nil {
			return cmdline.Usage(err)
		}
		if !local {
			return cmdline.Usagef("%s is not a loopback address: a sandbox stays on this machine", addr)
		}
	}
	if _, err := os.Stat(filepath.Join(o.dir, "keystore.age")); err == nil {
		return cmdline.Usage(fmt.Errorf("%s holds a keystore: %w", o.dir, sim.ErrReal))
	}
	return nil
}

// sandboxMark is a file that says whose the folder is.
const sandboxMark = "sandbox"

// prepare makes the folder, and leaves alone one that is not a sandbox's.
func (o *devOptions) prepare() error {
	entries, err := os.ReadDir(o.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(o.dir, sandboxMark)); err != nil {
			return cmdline.Hint(cmdline.Usagef("%s holds something that is not a sandbox", o.dir), "choose an empty folder with --data")
		}
		if o.fresh {
			if err := os.RemoveAll(o.dir); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.dir, sandboxMark), []byte("test keys, simulated cards, no real money\n"), 0o600)
}

// openWorld builds the system in the folder, with the sandbox around it.
func openWorld(ctx context.Context, o devOptions, daemon *testDaemon) (*sim.World, error) {
	cfg := sandboxConfig(o.dir, daemon.addr)
	kinds, err := sandboxKinds()
	if err != nil {
		return nil, err
	}
	clock := sim.NewClock(time.Now)
	if o.hold != nil {
		clock.Set(*o.hold, true)
	}
	return sim.Open(ctx, sim.Options{
		Dir: o.dir, Seed: o.seed, Keys: sandboxKeys, Kinds: kinds, Zone: cfg.Zone(), Clock: clock, Explainer: daemon.explainer,
		Build: func(ctx context.Context, w *sim.World) (*sim.Instance, error) {
			return buildInstance(ctx, cfg, w, clock, o)
		},
	})
}

// buildInstance is a system like that of serve, with the faults in its seams.
func buildInstance(ctx context.Context, cfg *config.Config, w *sim.World, clock *sim.Clock, o devOptions) (*sim.Instance, error) {
	if err := ledger.Migrate(ctx, dsn(cfg)); err != nil {
		return nil, err
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("onecard sandbox %d", o.seed))
	random := &lockedReader{r: rand.NewChaCha8(seed)}
	s, err := openSystem(ctx, cfg, parts{
		clock: clock.Now, rand: random, log: o.log, fatal: func(err error) { o.log.Error("ledger", "error", err) },
		hsm: func(h mac.HSM) mac.HSM { return w.Module(h, cfg.HSM.Timeout) }, books: w.Ledger, sandbox: w.Handler(), afterToken: w.AfterToken,
	})
	if err != nil {
		return nil, err
	}
	desk, err := newDesk(cfg, s, w, clock, random)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &sim.Instance{API: s.api, Books: desk, Close: s.close}, nil
}

// tell prints where everything is and what to try.
func (s *sandbox) tell(w io.Writer) {
	url := "http://" + s.addr
	card := s.world.Deck().Cards()[0].No
	fmt.Fprintf(w, "onecard sandbox: published test keys and simulated cards; no money here is real\n\n")
	for _, line := range [][2]string{
		{"api", url},
		{"docs", url + "/docs/"},
		{"console", url + "/_sim/"},
		{"daemon", s.daemon.addr},
		{"data", s.o.dir},
		{"APPM key", sandboxKeys["APPM"]},
		{"WEBM key", sandboxKeys["WEBM"]},
		{"TERM key", sandboxKeys["TERM"]},
	} {
		fmt.Fprintf(w, "%-9s %s\n", line[0], line[1])
	}
	fmt.Fprintf(w, `
try, in another terminal:
  bin/onecard demo --api %[1]s
  curl -s %[1]s/_sim/cards/%[2]s
  curl -s %[1]s/_sim/sign -d '{"path":"/tuxedo/now","body":{"OrigionDomain":"APPM","ChannelNo":"01"}}'

Ctrl-C ends it.
`, url, card)
}

// stop ends what was started, the front first.
func (s *sandbox) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var errs []error
	if s.world != nil {
		s.world.EndStreams()
	}
	errs = append(errs, s.front.shut(ctx))
	if s.world != nil {
		errs = append(errs, s.world.Close())
	}
	if s.daemon != nil {
		errs = append(errs, s.daemon.stop(ctx))
	}
	return errors.Join(errs...)
}
