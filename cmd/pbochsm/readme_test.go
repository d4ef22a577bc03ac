package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs what the README and the guides show, in their order, and compares what comes out. `make run` is the daemon of the test, on a free port.
func TestReadme(t *testing.T) {
	for _, name := range []string{"README.md", "README.zh.md", "docs/settlement.md", "docs/card.md", "docs/explain.md"} {
		t.Run(name, func(t *testing.T) { runReadme(t, filepath.Join("../..", name)) })
	}
}

func runReadme(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	runExamples(t, name, string(text), readmeDir(t), readmeDaemon(t))
}

// runExamples runs the examples of a text, which speaks of port 1500, with a
// port that is free.
func runExamples(t *testing.T, name, text, dir, port string) {
	blocks := regexp.MustCompile("(?s)```(console|python)\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(blocks) < 3 {
		t.Fatalf("%s shows only %d examples", name, len(blocks))
	}
	for _, b := range blocks {
		body := regexp.MustCompile(`\b1500\b`).ReplaceAllString(b[2], port)
		if b[1] == "python" {
			runPython(t, dir, body)
			continue
		}
		for _, example := range strings.Split("\n"+body, "\n$ ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
			if strings.HasSuffix(command, "<<END") {
				document, rest, _ := strings.Cut(want, "\nEND\n")
				command, want = command+"\n"+document+"\nEND\n", rest
			}
			if command == "make run" || strings.HasPrefix(command, "bin/onecard ") { // which has its own test
				continue
			}
			if strings.HasPrefix(command, "bin/pbochsm serve ") {
				guideDaemon(t, dir, strings.Fields(command), want)
				continue
			}
			got, _ := shell(dir, "bash", "-c", command).CombinedOutput()
			if strings.HasPrefix(command, "kill -HUP ") {
				awaitReload(t, dir)
			}
			if !matches(string(got), want) {
				t.Errorf("%s:\n$ %s\n%s\nwant\n%s", name, command, got, want)
			}
		}
	}
}

// readmeDir is a folder in which bin/pbochsm is this program.
func readmeDir(t *testing.T) string {
	dir := t.TempDir()
	program, err := exec.LookPath("pbochsm")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin/pbochsm")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readmeDaemon(t *testing.T) (port string) {
	_, addr := listening(t, "serve", "--dev", "--listen", "127.0.0.1:0")
	return addr[strings.LastIndex(addr, ":")+1:]
}

// runPython compares what the script prints with the comments of its print
// calls.
func runPython(t *testing.T, dir, script string) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return // it is an example in a language that a machine may lack
	}
	got, _ := shell(dir, python, "-c", script).CombinedOutput()
	for _, want := range regexp.MustCompile(`(?m)^print.*# (.*)$`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(string(got), want[1]) {
			t.Errorf("python prints %s, want %s", got, want[1])
		}
	}
}

func shell(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd
}

// matches compares line by line; "······" stands for what differs each time,
// and an example without output shows a command whose output is long.
func matches(got, want string) bool {
	if strings.TrimSpace(want) == "" {
		return !strings.Contains(got, "error")
	}
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = strings.ReplaceAll(pattern, "······", `\S+`)
	ok, err := regexp.MatchString("^"+pattern+"$", strings.TrimSpace(got))
	return ok && err == nil
}
