package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
				Name:      "export",
				Usage:     "write the files of all families, with their schema, into a directory",
				ArgsUsage: "DIR",
				Action:    exportVectors,
			},
			vectorsRunCommand(asJSON),
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

func exportVectors(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("want one directory")
	}
	_, err := vectors.Export(c.Args().First())
	if errors.Is(err, fs.ErrExist) {
		return cmdline.Hint(err, "export into a new directory")
	}
	return err
}
