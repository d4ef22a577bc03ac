// Package cmdline is what the programs of this module have in common on their
// command lines: how wrong usage is told from failure, hints, and commands that
// refuse what they would otherwise ignore.
package cmdline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// A usageError is the caller's: the command line cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage says that err is the caller's: the command line cannot be carried out.
func Usage(err error) error { return usageError{err} }

// Usagef is Usage of what fmt.Errorf makes.
func Usagef(format string, a ...any) error { return Usage(fmt.Errorf(format, a...)) }

// IsUsage tells whether err is the caller's.
func IsUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

// A hintedError tells, besides what is wrong, what to do about it.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

// Hint adds to err what to do about it.
func Hint(err error, format string, a ...any) error {
	return hintedError{err, fmt.Sprintf(format, a...)}
}

// HintOf gives what to do about err, where something is known.
func HintOf(err error) (hint string, ok bool) {
	var h hintedError
	ok = errors.As(err, &h)
	return h.hint, ok
}

// WrongUsage is what a command does about flags that it cannot read.
func WrongUsage(_ *cli.Context, err error, _ bool) error { return Usage(err) }

// Strict makes every command report wrong usage in the same way, refuse
// arguments that it would otherwise ignore, and leave help to those who ask.
func Strict(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.OnUsageError = WrongUsage
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 {
			c.Subcommands = Strict(c.Subcommands)
			c.Action = NoSubcommand
			continue
		}
		c.Before = noArguments(c.ArgsUsage != "")
	}
	return commands
}

// NoSubcommand is the action of a command that only groups others.
func NoSubcommand(c *cli.Context) error {
	if c.Args().Present() {
		err := Usagef("unknown command %q", c.Args().First())
		if near := cli.SuggestCommand(c.Command.Subcommands, c.Args().First()); near != "" {
			return Hint(err, "%s", near)
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
				return Hint(Usagef("flag %s stands after an argument", a), "put flags before arguments")
			}
		}
		if !taken && c.Args().Present() {
			return Usagef("unexpected argument %q", c.Args().First())
		}
		return nil
	}
}
