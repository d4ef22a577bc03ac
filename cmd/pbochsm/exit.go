package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac"
)

// Exit codes.
const (
	exitDone     = 0
	exitFailure  = 1
	exitUsage    = 2
	exitMismatch = 3 // a MAC or TAC did not verify
)

// report prints err for a person and gives the exit code that stands for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "pbochsm: error: %s\n", oneLine(err.Error()))
	if hint, ok := cmdline.HintOf(err); ok {
		fmt.Fprintf(stderr, "pbochsm: hint: %s\n", hint)
	}
	switch {
	case cmdline.IsUsage(err):
		return exitUsage
	case errors.Is(err, mac.ErrVerify):
		return exitMismatch
	}
	return exitFailure
}

// oneLine keeps a library's error that spans lines on the one line promised.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func warn(c *cli.Context, format string, a ...any) {
	fmt.Fprintf(c.App.ErrWriter, "pbochsm: warning: "+format+"\n", a...)
}
