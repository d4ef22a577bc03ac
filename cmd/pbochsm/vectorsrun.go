package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/vectors"
)

func vectorsRunCommand(asJSON cli.Flag) *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "hold a daemon, or this program, against the vectors",
		ArgsUsage: "[FAMILY...]",
		Description: "Prints a line for each family and for all together; failures go to stderr. It exits with 0 only\n" +
			"if every vector was answered as it says, and at least one was.",
		Flags: append([]cli.Flag{
			asJSON,
			&cli.StringFlag{Name: "junit", TakesFile: true, Usage: "write a JUnit file too, as CI systems read it"},
			&cli.BoolFlag{Name: "partial", Usage: "skip vectors of which the module says (47) that it cannot compute such things"},
		}, targetFlags()...),
		Action: runVectors,
	}
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
	junit := func(vectors.Report) error { return nil }
	if c.IsSet("junit") { // before the run: a name that cannot be written is told at once
		f, err := os.Create(c.String("junit"))
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // closed below; after an error nobody reads it
		junit = func(r vectors.Report) error {
			if err := r.WriteJUnit(f); err != nil {
				return err
			}
			return f.Close()
		}
	}
	report, failed := vectors.Run(c.Context, hsm, vectors.Options{Families: c.Args().Slice(), Partial: c.Bool("partial")})
	if err := junit(report); err != nil {
		return err
	}
	if c.Bool("json") {
		if err := json.NewEncoder(c.App.Writer).Encode(report); err != nil {
			return err
		}
		return failed
	}
	if err := printReport(c.App.Writer, report); err != nil {
		return err
	}
	tell(c, report.Failures())
	return failed
}

// printReport prints a line for each family, and one for all.
func printReport(out io.Writer, r vectors.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAMILY\tCASES\tPASSED\tFAILED\tSKIPPED")
	for _, f := range r.Families {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d%s\n", f.Name, f.Cases, f.Passed(), len(f.Failures), len(f.Skipped), reasons(f.Skipped))
	}
	if len(r.Families) > 1 {
		fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\n", r.Cases(), r.Passed(), len(r.Failures()), len(r.Skipped()))
	}
	return w.Flush()
}

// reasons says why vectors were skipped, each reason once.
func reasons(skipped []vectors.Skip) string {
	var all []string
	for _, s := range skipped {
		if !slices.Contains(all, s.Reason) {
			all = append(all, s.Reason)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, "; ")
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
