// Gen writes the wiring and the rounds of the pure Go cores, and the vector
// cores in assembly, from the tables of the standards and the netlists of the
// S-boxes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"pbochsm/mac/lanes/gen/sm4"
	"pbochsm/mac/lanes/gen/vector"
)

// files is what to write, by name.
var files = map[string]func() ([]byte, error){
	"round64_gen.go":  core64,
	"core256_amd64.s": func() ([]byte, error) { return vector.Core(256) },
	"core8_amd64.s":   vector.Few,
	"core512_amd64.s": func() ([]byte, error) { return vector.Core(512) },
	"sm4round_gen.go": sm4Round,
	"sm4x256_amd64.s": func() ([]byte, error) { return sm4.Core(256) },
	"sm4x512_amd64.s": func() ([]byte, error) { return sm4.Core(512) },
}

func main() {
	dir := flag.String("dir", ".", "directory to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen: error:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for name, source := range files {
		text, err := source()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
