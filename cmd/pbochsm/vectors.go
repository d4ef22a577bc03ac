package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/vectors"
)

func vectorsCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}
	return &cli.Command{
		Name:  "vectors",
		Usage: "the conformance vectors",
		Subcommands: []*cli.Command{
			{
				Name:      "list",
				Usage:     "list the families; with names, list their vectors",
				ArgsUsage: "[FAMILY...]",
				Flags:     []cli.Flag{asJSON},
				Action:    listVectors,
			},
			{
				Name:      "run",
				Usage:     "hold a daemon, or this program, against the vectors",
				ArgsUsage: "[FAMILY...]",
				Flags:     append([]cli.Flag{asJSON}, targetFlags()...),
				Action:    runVectors,
			},
		},
	}
}

// chosen gives the families that the arguments name, all if there are none.
func chosen(c *cli.Context) ([]vectors.Family, error) {
	if !c.Args().Present() {
		return vectors.All(), nil
	}
	var families []vectors.Family
	for _, name := range c.Args().Slice() {
		f, err := vectors.Read(name)
		if err != nil {
			return nil, cmdline.Hint(cmdline.Usagef("no family of vectors is called %q", name), "pbochsm vectors list shows them")
		}
		families = append(families, f)
	}
	return families, nil
}

func listVectors(c *cli.Context) error {
	families, err := chosen(c)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(families)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	if !c.Args().Present() {
		fmt.Fprintln(w, "FAMILY\tVECTORS\tABOUT")
		for _, f := range families {
			fmt.Fprintf(w, "%s\t%d\t%s\n", f.Name, len(f.Vectors), f.Comment)
		}
		return w.Flush()
	}
	fmt.Fprintln(w, "VECTOR\tEXPECT\tABOUT")
	for _, f := range families {
		for _, v := range f.Vectors {
			fmt.Fprintf(w, "%s\t%s\t%s\n", v.ID, v.Expect, v.Comment)
		}
	}
	return w.Flush()
}

func runVectors(c *cli.Context) error {
	if _, err := chosen(c); err != nil {
		return err
	}
	hsm, done, err := openTarget(c)
	if err != nil {
		return err
	}
	defer done()
	report, failed := vectors.Run(c.Context, hsm, vectors.Options{Families: c.Args().Slice()})
	if c.Bool("json") {
		if err := json.NewEncoder(c.App.Writer).Encode(report); err != nil {
			return err
		}
		return failed
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAMILY\tVECTORS\tFAILED")
	for _, f := range report.Families {
		fmt.Fprintf(w, "%s\t%d\t%d\n", f.Name, f.Cases, len(f.Failures))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	tell(c, report.Failures())
	return failed
}

// toldFailures is how many failures a person is shown; a module without the
// keys fails them all.
const toldFailures = 20

func tell(c *cli.Context, failures []vectors.Failure) {
	for i, f := range failures {
		if i == toldFailures {
			fmt.Fprintf(c.App.ErrWriter, "and %d more: --json shows them all\n", len(failures)-i)
			return
		}
		fmt.Fprintln(c.App.ErrWriter, f)
	}
}
