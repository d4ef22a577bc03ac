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
