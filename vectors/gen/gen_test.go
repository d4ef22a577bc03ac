package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// byHand are the files that no program writes.
var byHand = []string{"primitives.json", "published-load.json", "published-purchase.json", "schema.json"}

// TestCommittedFilesAreGenerated holds that the generated files are what this
// program writes, each time the same, and that there are no others.
func TestCommittedFilesAreGenerated(t *testing.T) {
	first, second := written(t), written(t)
	for name, text := range first {
		if !bytes.Equal(text, second[name]) {
			t.Errorf("%s is written differently each time", name)
		}
		committed, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(text, committed) {
			t.Errorf("%s is not what go run ./vectors/gen writes", name)
		}
	}
	files, err := filepath.Glob("../*.json")
	if err != nil {
		t.Fatal(err)
	}
	known := append(slices.Collect(maps.Keys(first)), byHand...)
	for _, f := range files {
		if !slices.Contains(known, filepath.Base(f)) {
			t.Errorf("%s is written neither by hand nor by this program", f)
		}
	}
	if len(files) != len(known) {
		t.Errorf("%d files, want %d", len(files), len(known))
	}
}

// written gives what the program writes, by file name.
func written(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	if err := write(dir, filepath.Join(t.TempDir(), "fingerprints")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatal("nothing was written")
	}
	return files
}

func TestNextCarries(t *testing.T) {
	for in, want := range map[string]string{"0000": "0001", "00FF": "0100", "0123": "0124", "FFFF": "0000"} {
		if got := next(in); got != want {
			t.Errorf("next(%s) = %s, want %s", in, got, want)
		}
	}
}

// TestCommittedFingerprintsAreGenerated holds the file that package keystore
// refuses published keys by.
func TestCommittedFingerprintsAreGenerated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fingerprints")
	if err := write(t.TempDir(), file); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../keystore/published_vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("keystore/published_vectors.txt is not what go run ./vectors/gen writes")
	}
}
