package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
)

func tacGenerateCommand() *cli.Command {
	return &cli.Command{
		Name:  "generate",
		Usage: "make a settlement file to test with, with the published test keys",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "records", Value: 1000, Usage: "`NUMBER` of records"},
			&cli.Uint64Flag{Name: "errors", Usage: "`NUMBER` of records in which something is wrong"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "the same `NUMBER` makes the same file"},
			&cli.StringFlag{Name: "format", Value: "csv", Usage: "csv, or fixed for columns of fixed width"},
			&cli.StringFlag{Name: "out", TakesFile: true, Usage: "write to this `FILE` instead of stdout"},
			&cli.StringFlag{Name: "expect", TakesFile: true, Usage: "write to this `FILE` what verify must find wrong, as it stands in its verdict file"},
			&cli.StringFlag{Name: "layout", TakesFile: true, Usage: "write to this `FILE` the layout of --format fixed"},
			&cli.StringSliceFlag{Name: "key", Usage: "published TAC key to use, set/version/algorithm; repeat; otherwise all of them"},
		},
		Action: tacGenerate,
	}
}

func tacGenerate(c *cli.Context) (err error) {
	o, err := sampleOptions(c)
	if err != nil {
		return cmdline.Usage(err)
	}
	if c.IsSet("layout") {
		if err := os.WriteFile(c.String("layout"), []byte(o.Writer.Layout()), 0o600); err != nil {
			return err
		}
	}
	file, closeFile, err := create(c.String("out"), c.App.Writer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	expect, closeExpect, err := create(c.String("expect"), io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeExpect()) }()
	ctx, stop := untilStopped(c)
	defer stop()
	return sample.Write(ctx, o, file, expect)
}

func sampleOptions(c *cli.Context) (sample.Options, error) {
	o := sample.Options{
		Records: c.Uint64("records"), Errors: c.Uint64("errors"), Seed: c.Uint64("seed"),
		Workers: runtime.GOMAXPROCS(0),
	}
	switch c.String("format") {
	case "csv":
		o.Writer = settlement.NewCSVWriter()
	case "fixed":
		o.Writer = settlement.NewFixedWriter()
	default:
		return o, fmt.Errorf("--format: %q is neither csv nor fixed", c.String("format"))
	}
	if c.IsSet("layout") && c.String("format") != "fixed" {
		return o, errors.New("--layout is for --format fixed")
	}
	if o.Errors > o.Records {
		return o, fmt.Errorf("--errors: %d in %d records", o.Errors, o.Records)
	}
	for _, text := range c.StringSlice("key") {
		id, err := parseKeyID(text)
		if err != nil {
			return o, err
		}
		o.Keys = append(o.Keys, id)
	}
	return o, nil
}

// create opens a file to write, or gives otherwise if it has no name.
func create(name string, otherwise io.Writer) (io.Writer, func() error, error) {
	if name == "" {
		return otherwise, func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}

// splitList takes a list apart at its commas.
func splitList(text string) []string { return strings.Split(text, ",") }
