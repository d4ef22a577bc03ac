package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac"
	"pbochsm/mac/explain"
	"pbochsm/mac/lanes"
)

// explainCommand has one command for each operation, with the operation's own
// flags.
func explainCommand() *cli.Command {
	var commands []*cli.Command
	for _, kind := range mac.Kinds() {
		commands = append(commands, &cli.Command{
			Name:   kind.String(),
			Usage:  operationUsage[kind],
			Flags:  explainFlags(kind),
			Action: func(c *cli.Context) error { return explainOperation(c, kind) },
		})
	}
	return &cli.Command{
		Name:  "explain",
		Usage: "show an operation step by step, and find the mistake behind a wrong MAC",
		Description: "Give the operation as you asked it, with \"explain\" before its name. It is computed in this process: with the\n" +
			"published test keys, or with the keys of --data. Keys of a production store are not shown, nor anything that\n" +
			"they encipher. docs/explain.md tells how to read it.",
		Subcommands: commands,
	}
}

func explainFlags(kind mac.Kind) []cli.Flag {
	flags := operationFlags(kind)
	if name, made := answerName(kind); made {
		flags = append(flags, &cli.StringFlag{Name: name, Usage: "what another computed in place of the answer, hex digits, to be held against it"})
	}
	return append(flags, dataFlag(), passphraseFlag(),
		&cli.BoolFlag{Name: "local", Hidden: true, Usage: "as always"},
		&cli.StringFlag{Name: "addr", Hidden: true, Usage: "a daemon shows no key"})
}

// answerName is the flag of what an operation makes.
func answerName(kind mac.Kind) (name string, made bool) {
	if kind.Commands() {
		return "command", true
	}
	answer, made := kind.Answers()
	return answer.String(), made
}

func explainOperation(c *cli.Context, kind mac.Kind) error {
	if c.IsSet("addr") {
		return cmdline.Hint(cmdline.Usagef("a daemon explains nothing: no key leaves it"),
			"leave --addr away for the published test keys, or give the keystore with --data")
	}
	op, err := readOp(c, kind)
	if err != nil {
		return cmdline.Usage(err)
	}
	expect, err := readExpected(c, kind)
	if err != nil {
		return cmdline.Usage(err)
	}
	live, err := localKeys(c)
	if err != nil {
		return err
	}
	e := explain.Explainer{Keys: live, HSM: mac.NewEngine(live, lanes.New())}
	x, err := e.Explain(c.Context, op, expect)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		encoder := json.NewEncoder(c.App.Writer)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(x)
	} else {
		tellExplanation(c.App.Writer, x)
	}
	return errors.Join(err, x.Err())
}

// readExpected reads what another computed in place of the answer; nil if
// nothing is said.
func readExpected(c *cli.Context, kind mac.Kind) ([]byte, error) {
	name, made := answerName(kind)
	if !made || !c.IsSet(name) {
		return nil, nil
	}
	b, err := hex.DecodeString(c.String(name))
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("--%s: not hexadecimal digits", name)
	}
	if want := len(mac.MAC{}); !kind.Commands() && len(b) != want {
		return nil, fmt.Errorf("--%s: want %d digits, got %d", name, 2*want, 2*len(b))
	}
	return b, nil
}
