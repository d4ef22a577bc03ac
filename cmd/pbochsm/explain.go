package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

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
	commands = append(commands, explainTACCommand())
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
	return append(append(flags, storeFlags()...),
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
	from, err := readSaid(c)
	if err != nil {
		return cmdline.Usage(err)
	}
	return from.explain(kind)
}

// explain explains the operation that is said to be of kind.
func (s said) explain(kind mac.Kind) error {
	if s.c.IsSet("addr") {
		return cmdline.Hint(cmdline.Usagef("a daemon explains nothing: no key leaves it"),
			"leave --addr away for the published test keys, or give the keystore with --data")
	}
	op := mac.Op{Kind: kind}
	if err := s.read(&op); err != nil {
		return cmdline.Usage(err)
	}
	expect, err := s.expected(kind)
	if err != nil {
		return cmdline.Usage(err)
	}
	live, err := localKeys(s.c)
	if err != nil {
		return err
	}
	e := explain.Explainer{Keys: live, HSM: mac.NewEngine(live, lanes.New())}
	x, err := e.Explain(s.c.Context, op, expect)
	if err != nil {
		return err
	}
	if s.c.Bool("json") {
		err = writeJSON(s.c.App.Writer, x)
	} else {
		tellExplanation(s.c.App.Writer, x)
	}
	return errors.Join(err, x.Err())
}

// writeJSON writes v for people to read as well.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// expected is what another computed in place of the answer: the flag says it, or
// the command that gave it to the card has it; nil if nobody says.
func (s said) expected(kind mac.Kind) ([]byte, error) {
	name, made := answerName(kind)
	if !made {
		return nil, nil
	}
	answer, isMAC := kind.Answers()
	if !s.c.IsSet(name) {
		if s.t != nil && isMAC {
			v, _ := s.t.Field(answer)
			return v, nil
		}
		return nil, nil
	}
	b, err := hex.DecodeString(s.c.String(name))
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("--%s: not hexadecimal digits", name)
	}
	if want := len(mac.MAC{}); isMAC && len(b) != want {
		return nil, fmt.Errorf("--%s: want %d digits, got %d", name, 2*want, 2*len(b))
	}
	return b, nil
}
