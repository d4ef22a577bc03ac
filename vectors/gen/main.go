// Command gen writes the generated vectors. Run it at the root of the
// repository:
//
//	go run ./vectors/gen
//
// What it writes is a function of this source and of the published families,
// nothing else. It knows the layouts of the transactions in its own words
// (recipes.go) and takes only the arithmetic from mac/reference; a test of
// package vectors recomputes every MAC with the openssl command.
//
// [PBOC]: docs/pboc.md
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", "vectors", "folder to write the families into")
	prints := flag.String("fingerprints", "keystore/published_vectors.txt", "file to write the fingerprints of their keys into")
	flag.Parse()
	if err := write(*dir, *prints); err != nil {
		fmt.Fprintln(os.Stderr, "gen: error:", err)
		os.Exit(1)
	}
}

func write(dir, prints string) error {
	families, err := generate()
	if err != nil {
		return err
	}
	for _, f := range families {
		text, err := format(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return writeFingerprints(prints, families)
}
