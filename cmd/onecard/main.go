// Command onecard is the recharge API for cards with a PBOC electronic purse
// (电子钱包) over HTTP, with a ledger that neither loses nor doubles a fen. Keys
// stay in the security module, which is the daemon of pbochsm; onecard decides
// who pays for what, and books it.
//
// "onecard dev" is everything in one process, to try and to develop against;
// "onecard serve" is the API alone, for production.
//
// It writes data to stdout and everything meant for people to stderr. It exits
// with 0 when done, 1 on failure, and 2 on wrong usage.
//
// [API]: docs/api.md
package main

import (
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
)

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program from its arguments to its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := newApp()
	app.Reader, app.Writer, app.ErrWriter = stdin, stdout, stderr
	return report(stderr, app.Run(args))
}

func newApp() *cli.App {
	app := &cli.App{
		Name:                 "onecard",
		Usage:                "recharge API for purse cards, with its ledger",
		EnableBashCompletion: true,
		Suggest:              true,
		HideVersion:          true,
		ExitErrHandler:       func(*cli.Context, error) {}, // run alone exits
		Commands: []*cli.Command{
			devCommand(),
			demoCommand(),
			serveCommand(),
			configCommand(),
			ledgerCommand(),
		},
	}
	app.Action = cmdline.NoSubcommand
	app.OnUsageError = cmdline.WrongUsage
	app.Commands = cmdline.Strict(app.Commands)
	return app
}
