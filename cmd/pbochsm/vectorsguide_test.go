package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestVectorsGuide runs what docs/vectors.md shows: its programs, which have
// nothing of ours, and the commands.
func TestVectorsGuide(t *testing.T) {
	for program, required := range map[string]string{"python3": "REQUIRE_PYTHON", "openssl": "REQUIRE_OPENSSL"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv(required) != "" {
				t.Fatal(err)
			}
			t.Skipf("%v; %s=1 makes this a failure", err, required)
		}
	}
	const name = "../../docs/vectors.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := readmeDir(t)
	programs := regexp.MustCompile("(?s)```py\n(# ([a-z]+\\.py) .*?)```").FindAllStringSubmatch(string(text), -1)
	if len(programs) != 2 {
		t.Fatalf("%s shows %d programs, want 2", name, len(programs))
	}
	for _, p := range programs {
		if err := os.WriteFile(filepath.Join(dir, p[2]), []byte(p[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runExamples(t, name, string(text), dir, readmeDaemon(t))
}
