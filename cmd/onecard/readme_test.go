package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs what the READMEs show of this program against a sandbox, and
// compares what comes out. "······" stands for what differs each time.
func TestReadme(t *testing.T) {
	p, url := devProcess(t, filepath.Join(t.TempDir(), "sandbox"))
	for _, name := range []string{"README.md", "README.zh.md"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, b := range regexp.MustCompile("(?s)```console\n\\$ bin/onecard ([^\n]*)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			shown++
			out := onecard(t, "", append(strings.Fields(b[1]), "--api", url)...)
			pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(b[2])), "······", `\S+`)
			if ok, err := regexp.MatchString("^"+pattern+"$", strings.TrimSpace(out)); !ok || err != nil {
				t.Errorf("%s:\n$ bin/onecard %s\n%s\nwant\n%s", name, b[1], out, b[2])
			}
		}
		if shown == 0 {
			t.Errorf("%s shows nothing of onecard", name)
		}
	}
	p.stop()
}

// TestOperationsGuide looks at a fresh sandbox's ledger, while the sandbox runs,
// as docs/operations.md shows it.
func TestOperationsGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)`sandbox.yaml`.*?```yaml\n(.*?)```\n\n```console\n\\$ onecard ([^\n]*) --config sandbox.yaml\n(.*?)```").
		FindSubmatch(text)
	if shown == nil {
		t.Fatal("docs/operations.md does not show how to look at the sandbox's ledger")
	}
	dir := filepath.Join(t.TempDir(), "sandbox")
	p, _ := devProcess(t, dir)
	file := filepath.Join(t.TempDir(), "sandbox.yaml")
	config := strings.Replace(string(shown[1]), "data/sandbox", dir, 1)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := onecard(t, "", append(strings.Fields(string(shown[2])), "--config", file)...); out != string(shown[3]) {
		t.Errorf("onecard %s: %swant %s", shown[2], out, shown[3])
	}
	p.stop()
}
