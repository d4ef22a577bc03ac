package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v2"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/protocol"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve the API",
		Description: "Prints a line \"listening ADDRESS\" to stdout once it serves, with \"tls\" behind the address if it is\n" +
			"TLS, and \"metrics ADDRESS\" where metrics have a listener of their own.\n" +
			"SIGHUP takes up changed certificates; SIGTERM finishes what is under way and exits with 0.",
		Flags:  []cli.Flag{configFlag()},
		Action: serve,
	}
}

func serve(c *cli.Context) (err error) {
	signals := make(chan os.Signal, 2)
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
	pace(cfg)
	s := &server{cfg: cfg, log: log, fatal: make(chan error, 1), metrics: prometheus.NewRegistry()}
	if err := s.open(c.Context); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.system.close()) }()
	return s.run(c, signals)
}

// A server is "onecard serve" between its start and its drain.
type server struct {
	cfg     *config.Config
	log     *slog.Logger
	system  *system
	metrics *prometheus.Registry
	fatal   chan error

	certificate *protocol.Credentials // of the API's TLS
}

// open connects to the daemons and the ledger. A security module that does not
// answer yet does not keep the API from starting: it is not ready until then.
func (s *server) open(ctx context.Context) (err error) {
	s.system, err = openSystem(ctx, s.cfg, parts{
		clock: time.Now, rand: randomness, log: s.log, metrics: s.metrics,
		fatal: func(err error) {
			select {
			case s.fatal <- err:
			default: // one is enough to end on
			}
		},
	})
	return err
}

func (s *server) run(c *cli.Context, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(c.Context)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() { s.system.pool.Watch(ctx) })
	work.Go(func() { s.reconcileEvery(ctx) })
	work.Go(func() { every(ctx, s.cfg.Reconcile.Verify, s.verify) })

	f := &front{log: s.log, failed: make(chan error, 2)}
	if err := s.listen(c, f); err != nil {
		return err
	}
	s.measureCertificates()
	for {
		select {
		case err := <-f.failed:
			return err
		case err := <-s.fatal:
			// What was promised may not be on disk: nothing more may be answered.
			return fmt.Errorf("ledger: %w", err)
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				s.reload()
				continue
			}
			return s.drain(ctx, f, sig)
		}
	}
}

// listen opens the listeners and tells their addresses.
func (s *server) listen(c *cli.Context, f *front) error {
	var t *tls.Config
	note := ""
	if s.cfg.TLS.On() {
		var err error
		if s.certificate, err = openCertificate(s.cfg.TLS); err != nil {
			return err
		}
		t, note = s.certificate.Server(), " tls"
	}
	addr, err := f.open(s.system.api.Server(), s.cfg.Listen, t, s.system.api.Limit)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "listening %s%s\n", addr, note)
	if s.cfg.Metrics == "" {
		return nil
	}
	if addr, err = f.open(s.monitoring(), s.cfg.Metrics, nil, s.system.api.Limit); err == nil {
		fmt.Fprintf(c.App.Writer, "metrics %s\n", addr)
	}
	return err
}

// monitoring answers what needs no token, and nothing else.
func (s *server) monitoring() *http.Server {
	m := s.system.api.Server()
	m.Handler = s.system.api.Probes()
	return m
}

// drain says not ready, and finishes what is under way.
func (s *server) drain(ctx context.Context, f *front, sig os.Signal) error {
	s.log.Info("draining", "signal", sig.String())
	s.system.api.Drain()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeouts.Drain)
	defer cancel()
	if err := f.shut(ctx); err != nil {
		s.log.Warn("drain was cut short", "error", err)
	}
	s.log.Info("stopped")
	return nil
}
