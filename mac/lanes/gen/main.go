// Gen writes the wiring and the rounds of the pure Go core, from the tables of
// the standard and the netlists of the S-boxes.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "round64_gen.go", "file to write")
	flag.Parse()
	source, err := core64()
	if err == nil {
		err = os.WriteFile(*out, source, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen: error:", err)
		os.Exit(1)
	}
}
