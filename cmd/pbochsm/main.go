// Command pbochsm is a software HSM for the PBOC electronic purse (电子钱包): a
// daemon that checks MAC1, makes MAC2 and verifies TACs, and the tools to give
// it keys, to ask it questions and to hold it, or any other implementation,
// against the conformance vectors.
//
// It writes data to stdout and everything meant for people to stderr. It exits
// with 0 when done, 1 on failure, 2 on wrong usage, and 3 when a MAC or TAC did
// not verify.
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
		Name:                 "pbochsm",
		Usage:                "software HSM for the PBOC electronic purse",
		Version:              version,
		EnableBashCompletion: true,
		Suggest:              true,
		ExitErrHandler:       func(*cli.Context, error) {}, // run alone exits
		Commands: []*cli.Command{
			auditCommand(),
			initCommand(),
			keyCommand(),
			profileCommand(),
			passphraseCommand(),
			serveCommand(),
			statusCommand(),
			tacCommand(),
			tokenCommand(),
			vectorsCommand(),
			benchCommand(),
			versionCommand(),
			cardCommand(),
			completionCommand(),
			explainCommand(),
		},
	}
	app.Commands = append(app.Commands, operationCommands()...)
	app.Action = cmdline.NoSubcommand
	app.OnUsageError = cmdline.WrongUsage
	app.Commands = cmdline.Strict(app.Commands)
	return app
}
