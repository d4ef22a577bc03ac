package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/bench"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure this program against yardsticks that run beside it",
		Description: "Prints ratios: TACs against OpenSSL's legacy DES, a daemon against redis-server answering PING,\n" +
			"TLS against plain, settlement files against wc -l; and memory. Every answer is checked.\n" +
			"What needs a program that is missing is left out, with the reason. docs/performance.md tells the rest.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "only", Usage: "run this `GROUP` alone: " + strings.Join(bench.Groups(), ", ") + "; repeat"},
			&cli.DurationFlag{Name: "time", Value: 2 * time.Second, Usage: "how long each turn of a contender lasts"},
			&cli.IntFlag{Name: "turns", Value: 5, Usage: "`NUMBER` of turns of each; the median ratio counts"},
			&cli.IntFlag{Name: "records", Value: 4_000_000, Usage: "`NUMBER` of records in the settlement file"},
			&cli.IntFlag{Name: "idle", Value: 10_000, Usage: "`NUMBER` of idle connections"},
			&cli.StringFlag{Name: "html", TakesFile: true, Usage: "write a page with charts of the latencies to this `FILE`"},
		},
		Action: runBench,
	}
}

func runBench(c *cli.Context) (err error) {
	o := bench.Options{
		Time: c.Duration("time"), Turns: c.Int("turns"), Records: c.Int("records"), Idle: c.Int("idle"),
		Only: c.StringSlice("only"),
	}
	for _, name := range o.Only {
		if !slices.Contains(bench.Groups(), name) {
			return cmdline.Usagef("--only: %q is none of %s", name, strings.Join(bench.Groups(), ", "))
		}
	}
	if min(o.Turns, o.Records, o.Idle) < 1 || o.Time <= 0 {
		return cmdline.Usagef("--time, --turns, --records and --idle are at least 1")
	}
	if o.Program, err = os.Executable(); err != nil {
		return err
	}
	if o.Dir, err = os.MkdirTemp("", "pbochsm-bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	var rows []bench.Row
	o.Told = func(r bench.Row) {
		rows = append(rows, r)
		fmt.Fprintln(c.App.Writer, r.Line())
		fmt.Fprint(c.App.Writer, r.Share())
		fmt.Fprint(c.App.Writer, r.Plot())
	}
	ctx, stop := untilStopped(c)
	defer stop()
	if err := bench.Run(ctx, o); err != nil {
		return err
	}
	return writePage(c.String("html"), rows)
}

func writePage(name string, rows []bench.Row) (err error) {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return bench.WriteHTML(f, rows)
}
