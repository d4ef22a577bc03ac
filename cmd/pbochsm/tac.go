package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/pbochsm/internal/settlement"
)

func tacCommand() *cli.Command {
	return &cli.Command{
		Name:        "tac",
		Usage:       "settlement files: verify the TACs in them",
		Subcommands: []*cli.Command{tacVerifyCommand(), tacGenerateCommand()},
	}
}

// constantFlags give the values that all records of a file share.
func constantFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "operation", Usage: "what the records are, where no column says it: " + operationNames()},
		&cli.StringFlag{Name: "set", Usage: "key set, 2 hex digits, where no column says it"},
		&cli.StringFlag{Name: "version", Usage: "key version, likewise"},
		&cli.StringFlag{Name: "algorithm", Usage: "algorithm identifier, likewise"},
		&cli.StringSliceFlag{Name: "factor", Usage: "outer factor of all records, 16 hex digits; repeat, outermost authority first; the columns factor-1 … come after these"},
	}
	for _, f := range settlement.Fields() {
		flags = append(flags, &cli.StringFlag{
			Name: f.String(), Category: "the same in all records",
			Usage: fmt.Sprintf("%s, %d hex digits, where no column says it", f.Chinese(), 2*f.Width()),
		})
	}
	return flags
}

func operationNames() string {
	var names []string
	for _, k := range settlement.Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, " or ")
}

// readConstants gathers the flags of constantFlags that are set.
func readConstants(c *cli.Context) settlement.Constants {
	constants := settlement.Constants{Values: map[string]string{}, Factors: c.StringSlice("factor")}
	names := []string{"operation", "set", "version", "algorithm"}
	for _, f := range settlement.Fields() {
		names = append(names, f.String())
	}
	for _, name := range names {
		if c.IsSet(name) {
			constants.Values[name] = c.String(name)
		}
	}
	return constants
}

// untilStopped is the context of a command that may run for hours: it ends
// when the user or the system asks the program to stop.
func untilStopped(c *cli.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
}
