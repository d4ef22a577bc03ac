package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

func serveCommand() *cli.Command {
	d := defaults()
	return &cli.Command{
		Name:  "serve",
		Usage: "run the daemon",
		Description: "Prints a line \"listening ADDRESS\" for each listener to stdout once it serves, with \"tls\"\n" +
			"behind the address of the TLS one, and \"sjl05\" behind that of the SJL05 dialect.\n" +
			"SIGHUP takes up a changed keystore and changed certificates; SIGTERM finishes what has arrived and exits with 0.",
		Flags: []cli.Flag{
			dataFlag(),
			passphraseFlag(),
			&cli.StringFlag{Name: "config", TakesFile: true, Usage: "YAML file; flags win over it"},
			&cli.BoolFlag{Name: "dev", Usage: "serve the published test keys, on loopback only"},
			&cli.StringFlag{Name: "listen", DefaultText: d.Listen, Usage: "plain TCP address; port 0 takes a free one"},
			&cli.BoolFlag{Name: "plain-remote", Usage: "allow plain TCP on an address that is not loopback"},
			&cli.StringFlag{Name: "tls-listen", Usage: "TLS address, as in 0.0.0.0:2500"},
			&cli.StringFlag{Name: "tls-cert", TakesFile: true, Usage: "certificate chain of the daemon, PEM"},
			&cli.StringFlag{Name: "tls-key", TakesFile: true, Usage: "its private key, PEM"},
			&cli.StringFlag{Name: "tls-client-ca", TakesFile: true, Usage: "CA whose clients are admitted, PEM"},
			&cli.IntFlag{Name: "header-length", DefaultText: "4", Usage: "bytes before the command, 0 to 255"},
			&cli.Uint64Flag{Name: "min-epoch", Usage: "refuse a keystore that was saved fewer times"},
			&cli.StringFlag{Name: "audit", Usage: "directory of the audit log: no MAC is answered that is not on record there"},
			&cli.StringFlag{Name: "audit-head", Usage: "file, on another disk, that is kept told where the audit log ends"},
			&cli.StringFlag{Name: "terminal-serials", Usage: "file of the serials of terminals without a PSAM; without it there are none"},
			&cli.StringFlag{Name: "sjl05", Usage: "plain TCP address of the SJL05 dialect, for keys with the right raw; see docs/sjl05.md"},
			&cli.StringFlag{Name: "log-level", DefaultText: d.Log.Level, Usage: "debug, info, warn or error"},
			&cli.StringFlag{Name: "log-format", DefaultText: d.Log.Format, Usage: "text or json"},
		},
		Action: serve,
	}
}

func serve(c *cli.Context) error {
	// From the first moment on: a signal during the start is not lost, and
	// takes effect when there is something for it to take effect on.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	defer signal.Stop(signals)

	cfg, err := readConfig(c)
	if err != nil {
		return err
	}
	log, err := newLogger(c.App.ErrWriter, cfg.Log)
	if err != nil {
		return err
	}
	if err := harden(); err != nil {
		log.Warn("memory of this process may be read by others", "error", err)
	}
	pace()
	backend := lanes.New()
	if err := selfTest(c.Context, backend); err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	tokens, err := openTokens(c.Context, &cfg, log)
	if err != nil {
		return err
	}
	defer tokens.close()
	keys, err := openServed(c, &cfg, log, tokens)
	if err != nil {
		return err
	}
	defer keys.close()
	hsm, closeAudit, err := keys.audited(&cfg, log, mac.NewEngine(keys.live, tokens.homes(backend)))
	if err != nil {
		return err
	}
	hsm, closeSerials, err := withSerials(&cfg, log, hsm)
	if err != nil {
		return errors.Join(err, closeAudit())
	}
	doors, err := listen(&cfg, newServer(&cfg, log, tokens.states, keys.live, hsm))
	if err != nil {
		return errors.Join(err, closeSerials(), closeAudit())
	}
	d := daemon{cfg: &cfg, log: log, keys: keys, signals: signals, doors: doors}
	return errors.Join(d.run(c), closeSerials(), closeAudit())
}

// selfTest holds the arithmetic that is going to serve against every vector.
func selfTest(ctx context.Context, backend mac.Backend) error {
	live, err := testKeys()
	if err != nil {
		return err
	}
	_, err = vectors.Run(ctx, mac.NewEngine(live, backend), vectors.Options{})
	return err
}

func testKeys() (*keystore.Live, error) {
	snapshot, err := vectors.Snapshot()
	if err != nil {
		return nil, err
	}
	return keystore.NewLive(snapshot), nil
}

func newServer(cfg *config, log *slog.Logger, tokens func() []protocol.TokenState, keys mac.Keys, hsm mac.HSM) *protocol.Server {
	return &protocol.Server{
		HSM: hsm, Keys: keys, Rand: random, Now: time.Now, Logger: log, Tokens: tokens,
		Format: protocol.Format{Header: cfg.HeaderLength, Limit: cfg.MaxFrame},
		Limits: protocol.Limits{
			Handshake: cfg.Timeouts.Handshake, Frame: cfg.Timeouts.Frame,
			Idle: cfg.Timeouts.Idle, Write: cfg.Timeouts.Write, Wait: cfg.Timeouts.Wait,
			Connections: cfg.Limits.Connections, PerClient: cfg.Limits.PerClient, Handshakes: cfg.Limits.Handshakes,
		},
	}
}

// A daemon is its servers with their keys, between the start and the drain.
type daemon struct {
	cfg     *config
	log     *slog.Logger
	keys    *served
	signals <-chan os.Signal
	doors   []door
}

// run serves until a signal ends it.
func (d *daemon) run(c *cli.Context) error {
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	failed := make(chan error, len(d.doors))
	for _, door := range d.doors {
		go func() { failed <- door.server.Serve(ctx, door.listener) }()
		fmt.Fprintf(c.App.Writer, "listening %s%s\n", door.listener.Addr(), door.note)
	}
	for {
		select {
		case err := <-failed:
			if err == nil {
				err = errors.New("a listener ended")
			}
			return err
		case s := <-d.signals:
			if s == syscall.SIGHUP {
				d.reload()
				continue
			}
			return d.drain(ctx, s)
		}
	}
}

// reload takes up what has changed on the disk: keys, and certificates.
func (d *daemon) reload() {
	d.keys.reload(d.log)
	for _, door := range d.doors {
		if door.own == nil {
			continue
		}
		if err := door.own.Reload(time.Now()); err != nil {
			d.log.Error("the certificates on the disk cannot be used, the old ones stay", "error", err)
			continue
		}
		d.log.Info("certificates taken up", "not_after", door.own.NotAfter())
	}
}

// drain finishes what has arrived. A client that keeps the drain from ending
// in time is cut off; that is still a clean end.
func (d *daemon) drain(ctx context.Context, s os.Signal) error {
	d.log.Info("draining", "signal", s.String())
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeouts.Drain)
	defer cancel()
	servers := map[*protocol.Server]bool{} // more than one door may lead to one
	for _, door := range d.doors {
		servers[door.server] = true
	}
	var all sync.WaitGroup
	for server := range servers {
		all.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				d.log.Warn("drain was cut short", "error", err)
			}
		})
	}
	all.Wait()
	d.log.Info("stopped")
	return nil
}
