package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/config"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "top up a simulated card, and print every step",
		Description: "It talks to the sandbox at --api. If none runs there and --api is not given, it starts one of its own\n" +
			"for the length of the demonstration.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "api", Value: "http://127.0.0.1:8080", Usage: "a running \"onecard dev\""},
			&cli.BoolFlag{Name: "all", Usage: "one load from each source of money, a torn write and its rewrite, and an unload"},
		},
		Action: demo,
	}
}

func demo(c *cli.Context) error {
	base := c.String("api")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return cmdline.Usagef("--api %q is no address, as http://127.0.0.1:8080 is one", base)
	}
	if local, err := config.Loopback(u.Host); err != nil || !local {
		return cmdline.Usagef("%s is not a sandbox of this machine", base)
	}
	s := &script{out: c.App.Writer, client: newSimClient(base)}
	if err := s.client.find(c.Context); err != nil {
		if c.IsSet("api") {
			return cmdline.Hint(err, "start one with: onecard dev")
		}
		stop, err := s.startOwn(c)
		if err != nil {
			return err
		}
		defer stop()
	}
	acts := []act{onlinePayment}
	if c.Bool("all") {
		acts = append(acts, prepaid, rechargeCardLoad, corporateLoad, cashLoad, tornLoad, unloadCard)
	}
	for _, a := range acts {
		if err := a(c.Context, s); err != nil {
			return err
		}
	}
	s.say("\nDone.")
	return nil
}

// startOwn runs a sandbox on free ports until stop is called.
func (s *script) startOwn(c *cli.Context) (stop func(), err error) {
	dir, err := os.MkdirTemp("", "onecard-demo-")
	if err != nil {
		return nil, err
	}
	log, err := newLogger(c.App.ErrWriter, config.Log{Level: "error"})
	if err != nil {
		return nil, err
	}
	own, err := startSandbox(c.Context, devOptions{listen: "127.0.0.1:0", hsm: "127.0.0.1:0", dir: dir, seed: 1, log: log})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.client = newSimClient("http://" + own.addr)
	s.say("No sandbox is running: this one lasts for the demonstration. \"onecard dev\" runs one to stay.")
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), 10*time.Second)
		defer cancel()
		if err := errors.Join(own.stop(ctx), os.RemoveAll(dir)); err != nil {
			fmt.Fprintf(c.App.ErrWriter, "onecard: warning: %v\n", err)
		}
	}, nil
}

// An act is one scene of the demonstration.
type act func(context.Context, *script) error

// A script prints what happens as it happens.
type script struct {
	out    io.Writer
	client *simClient
	step   int
}

func (s *script) say(format string, a ...any) { fmt.Fprintf(s.out, format+"\n", a...) }

// title begins a scene.
func (s *script) title(format string, a ...any) {
	s.step = 0
	s.say("\n"+format, a...)
}

// tell is one numbered step.
func (s *script) tell(who, format string, a ...any) {
	s.step++
	s.say("%3d  %-15s %s", s.step, who, fmt.Sprintf(format, a...))
}
