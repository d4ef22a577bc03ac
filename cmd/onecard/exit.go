package main

import (
	"fmt"
	"io"
	"strings"

	"pbochsm/cmd/internal/cmdline"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

// report prints err for a person, a line for each thing that is wrong, and
// gives the exit code that stands for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "onecard: error: %s\n", strings.TrimSpace(line))
	}
	if hint, ok := cmdline.HintOf(err); ok {
		fmt.Fprintf(stderr, "onecard: hint: %s\n", hint)
	}
	if cmdline.IsUsage(err) {
		return exitUsage
	}
	return exitFailure
}
