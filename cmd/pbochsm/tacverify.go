package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/settlement"
)

func tacVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "verify the TACs of settlement files, plain, gzip or zstd; - is stdin",
		ArgsUsage: "FILE...",
		Description: "A file is CSV with named columns, or has the layout of --layout. The columns are\n" +
			"operation, set, version, algorithm, factor-1 to factor-4, and the fields of the\n" +
			"operations by the names of their flags. docs/settlement.md tells the rest.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "out", TakesFile: true, Usage: "write the verdict of every record to this `FILE`, CSV"},
			&cli.StringFlag{Name: "resume", TakesFile: true, Usage: "keep in this `FILE` how far the run is, and begin there if it exists"},
			&cli.DurationFlag{Name: "checkpoint", Value: 5 * time.Second, Usage: "how often --resume writes it"},
			&cli.BoolFlag{Name: "json", Usage: "sum up in JSON, with every terminal"},
			&cli.StringFlag{Name: "layout", TakesFile: true, Usage: "the files have columns of fixed width, which this YAML `FILE` describes"},
			&cli.StringFlag{Name: "columns", Usage: "`NAMES` of the columns, separated by commas, of a CSV file without a first line of them"},
			&cli.StringFlag{Name: "separator", Value: ",", Usage: "`CHARACTER` between the values of a CSV file, or the word tab"},
			&cli.IntFlag{Name: "connections", Value: 4, Usage: "to each daemon of --addr, which may be several, separated by commas"},
			&cli.DurationFlag{Name: "log-interval", Value: 10 * time.Second, Usage: "between two lines about the progress, where stderr is no terminal"},
		}, constantFlags(), targetFlags()),
		Action: tacVerify,
	}
}

func tacVerify(c *cli.Context) error {
	if !c.Args().Present() {
		return cmdline.Usagef("which FILE?")
	}
	if slices.Index(c.Args().Slice(), settlement.Stdin) >= 0 && c.IsSet("resume") {
		return cmdline.Usagef("what comes from stdin cannot be taken up again: --resume needs files")
	}
	format, err := readFormat(c)
	if err != nil {
		return err
	}
	v, err := openVerifier(c)
	if err != nil {
		return err
	}
	defer v.close()
	ctx, stop := untilStopped(c)
	defer stop()
	shown := newProgress(c)
	summary, err := settlement.Run(ctx, settlement.Options{
		Files: c.Args().Slice(), Stdin: c.App.Reader, Format: format,
		HSM: v.hsm, Workers: v.workers, Keys: v.keys,
		Out: c.String("out"), State: c.String("resume"),
		Now: time.Now, Interval: c.Duration("checkpoint"), Progress: shown.step,
	})
	shown.close()
	if err != nil {
		return explainStop(c, err)
	}
	if err := printSummary(c, summary); err != nil {
		return err
	}
	return summary.Err()
}

// readFormat gives the form of the files that the flags describe.
func readFormat(c *cli.Context) (settlement.Format, error) {
	constants := readConstants(c)
	if c.IsSet("layout") {
		if c.IsSet("columns") || c.IsSet("separator") {
			return nil, cmdline.Usagef("--columns and --separator are for CSV, --layout is for columns of fixed width")
		}
		f, err := os.Open(c.String("layout"))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		layout, err := settlement.ReadLayout(f)
		if err != nil {
			return nil, fmt.Errorf("layout %s: %w", c.String("layout"), err)
		}
		return layout.With(constants), nil
	}
	separator := c.String("separator")
	if separator == "tab" {
		separator = "\t"
	}
	if len(separator) != 1 {
		return nil, cmdline.Usagef("--separator: %q is not one character", separator)
	}
	format := &settlement.CSV{Separator: separator[0], Constants: constants}
	if c.IsSet("columns") {
		format.Columns = splitList(c.String("columns"))
	}
	return format, nil
}

// explainStop tells what a run that did not come to its end leaves behind.
func explainStop(c *cli.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		err = errors.New("stopped before the end")
	}
	switch {
	case errors.Is(err, settlement.ErrChanged):
		return cmdline.Hint(err, "to begin anew, delete %s", c.String("resume"))
	case c.IsSet("resume"):
		return cmdline.Hint(err, "the same command goes on where this run stopped")
	}
	return err
}

func printSummary(c *cli.Context, s *settlement.Summary) error {
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(s)
	}
	return tabulate(c.App.Writer, s)
}
