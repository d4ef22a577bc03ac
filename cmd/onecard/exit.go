package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

// A usageError is the caller's: the command line cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// A hintedError tells, besides what is wrong, what to do about it.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

func hint(err error, format string, a ...any) error {
	return hintedError{err, fmt.Sprintf(format, a...)}
}

// report prints err for a person, a line for each thing that is wrong, and
// gives the exit code that stands for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "onecard: error: %s\n", strings.TrimSpace(line))
	}
	var h hintedError
	if errors.As(err, &h) {
		fmt.Fprintf(stderr, "onecard: hint: %s\n", h.hint)
	}
	var u usageError
	if errors.As(err, &u) {
		return exitUsage
	}
	return exitFailure
}

func wrongUsage(_ *cli.Context, err error, _ bool) error { return usageError{err} }

// noSubcommand is the action of a command that only groups others.
func noSubcommand(c *cli.Context) error {
	if c.Args().Present() {
		err := usagef("unknown command %q", c.Args().First())
		if near := cli.SuggestCommand(c.Command.Subcommands, c.Args().First()); near != "" {
			return hint(err, "%s", near)
		}
		return err
	}
	return cli.ShowSubcommandHelp(c)
}

// noArguments refuses what follows the flags, unless the command takes some. A
// flag after an argument would be taken for one: say so.
func noArguments(taken bool) cli.BeforeFunc {
	return func(c *cli.Context) error {
		for _, a := range c.Args().Slice() {
			if strings.HasPrefix(a, "-") && len(a) > 1 {
				return hint(usagef("flag %s stands after an argument", a), "put flags before arguments")
			}
		}
		if !taken && c.Args().Present() {
			return usagef("unexpected argument %q", c.Args().First())
		}
		return nil
	}
}
