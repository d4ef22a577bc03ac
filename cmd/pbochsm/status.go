package main

import (
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

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
	_, err = fmt.Fprintf(c.App.Writer, "storage master key %s, firmware %s, up to %d connections\n",
		out.Check, out.Firmware, out.Sockets)
	return err
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
	return condition{Check: diagnosis.Check.String(), Firmware: diagnosis.Firmware, Sockets: state.Sockets}, nil
}
