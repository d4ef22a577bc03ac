package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/mac"
	"pbochsm/protocol"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:   "status",
		Usage:  "ask a daemon how it is",
		Flags:  append(wireFlags(), &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}),
		Action: status,
	}
}

// A condition is what a daemon tells of itself.
type condition struct {
	Check    string `json:"check"`
	Firmware string `json:"firmware"`
	Sockets  int    `json:"sockets"`

	Tokens []tokenState `json:"tokens,omitempty"`
}

func status(c *cli.Context) error {
	client, err := dial(c)
	if err != nil {
		return err
	}
	defer client.Close()
	out, err := askCondition(c, client)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(out)
	}
	fmt.Fprintf(c.App.Writer, "storage master key %s, firmware %s, up to %d connections\n",
		out.Check, out.Firmware, out.Sockets)
	for _, t := range out.Tokens {
		fmt.Fprintln(c.App.Writer, protocol.TokenState(t))
	}
	return nil
}

// A tokenState is what a daemon tells of one of its tokens.
type tokenState struct {
	Name    string `json:"name"`
	Serving bool   `json:"serving"`
	TAC     string `json:"tac"`
}

func askCondition(c *cli.Context, client *protocol.Client) (condition, error) {
	diagnosis, err := client.Diagnostics(c.Context)
	if err != nil {
		return condition{}, err
	}
	state, err := client.Status(c.Context)
	if err != nil {
		return condition{}, err
	}
	out := condition{Check: diagnosis.Check.String(), Firmware: diagnosis.Firmware, Sockets: state.Sockets}
	tokens, err := client.Tokens(c.Context)
	if errors.Is(err, mac.ErrInvalid) {
		err = nil // a daemon of before there were tokens
	}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, tokenState(t))
	}
	return out, err
}
