package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// devProcess runs "onecard dev" on free ports.
func devProcess(t *testing.T, dir string, more ...string) (p *process, url string) {
	t.Helper()
	p = launch(t, append([]string{"dev", "--listen", "127.0.0.1:0", "--hsm-listen", "127.0.0.1:0", "--data", dir}, more...)...)
	url = p.line("api ")
	p.line("Ctrl-C")
	return p, url
}

// The client, written from the document alone, with a card of its own, drives
// every endpoint of the sandbox.
func TestClientDrivesDev(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	p, url := devProcess(t, dir)
	out := python(t, "drive.py", url, filepath.Join(dir, "fixtures.json"))
	if strings.Count(out, "\n") != 6 {
		t.Errorf("the client says:\n%s", out)
	}
	p.stop()
	sound(t, sandboxFile(t, dir))
	if strings.Contains(p.stderr.String(), "error") {
		t.Errorf("the log:\n%s", p.stderr)
	}
}

// The demonstration plays every scene, against a sandbox of its own and
// against one that runs, again and again.
func TestDemo(t *testing.T) {
	p, url := devProcess(t, filepath.Join(t.TempDir(), "sandbox"))
	for _, c := range []struct {
		args                     []string
		initializations, confirm int
	}{
		{[]string{"demo", "--api", url}, 1, 1},
		{[]string{"demo", "--api", url, "--all"}, 9, 8},
		{[]string{"demo", "--api", url, "--all"}, 9, 8},
	} {
		out := onecard(t, "", c.args...)
		if got := strings.Count(out, "INITIALIZE"); got != c.initializations {
			t.Errorf("onecard %v: %d initializations:\n%s", c.args, got, out)
		}
		if got := strings.Count(out, "CONFIRMED"); got != c.confirm {
			t.Errorf("onecard %v: %d confirmed:\n%s", c.args, got, out)
		}
	}
	p.stop()
	if _, stderr, err := tryOnecard("", "demo", "--api", url); err == nil || !strings.Contains(stderr, "onecard dev") {
		t.Errorf("without a sandbox: %v, %s", err, stderr)
	}
}

// With the clock held, the same seed and the same requests give the same run,
// byte for byte; another seed gives another one.
func TestSeededRuns(t *testing.T) {
	run := func(seed string) (all []string) {
		dir := filepath.Join(t.TempDir(), "sandbox")
		p, url := devProcess(t, dir, "--seed", seed, "--clock", "2026-11-23T09:15:00+08:00")
		all = append(all, onecard(t, "", "demo", "--api", url, "--all"))
		p.stop()
		for _, name := range []string{"cards.json", "fixtures.json"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		return append(all, onecard(t, "", "ledger", "export", "--config", sandboxFile(t, dir)))
	}
	first, again, other := run("7"), run("7"), run("8")
	for i, what := range []string{"the demonstration", "the cards", "the fixtures", "the journal"} {
		if diff := cmp.Diff(first[i], again[i]); diff != "" {
			t.Errorf("%s differs under one seed:\n%s", what, diff)
		}
		// Money and states are the same for every seed.
		if what != "the journal" && first[i] == other[i] {
			t.Errorf("%s is the same under another seed", what)
		}
	}
}

// From nothing to a completed load: one command, which leaves nothing behind.
func TestDemoAlone(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Chdir(temp)
	out := onecard(t, "", "demo")
	if !strings.Contains(out, "the order is CONFIRMED") || !strings.Contains(out, "Done.") {
		t.Errorf("onecard demo:\n%s", out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What was done stays; --fresh forgets it.
func TestDevKeepsItsWorld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	p, url := devProcess(t, dir)
	onecard(t, "", "demo", "--api", url)
	kept, err := os.ReadFile(filepath.Join(dir, "cards.json"))
	if err != nil || strings.Count(string(kept), `"No"`) != 8 {
		t.Errorf("the cards after a demonstration: %s, %v", kept, err)
	}
	p.stop()
	p, url = devProcess(t, dir)
	onecard(t, "", "demo", "--api", url)
	p.stop()
	kept, _ = os.ReadFile(filepath.Join(dir, "cards.json"))
	if strings.Count(string(kept), `"No"`) != 9 {
		t.Errorf("the cards after another one: %s", kept)
	}
	p, _ = devProcess(t, dir, "--fresh")
	p.stop()
	kept, _ = os.ReadFile(filepath.Join(dir, "cards.json"))
	if strings.Count(string(kept), `"No"`) != 7 {
		t.Errorf("the cards of a fresh world: %s", kept)
	}
}

// A sandbox stays on this machine and away from real keys and other folders.
func TestDevRefuses(t *testing.T) {
	keys, other := t.TempDir(), t.TempDir()
	for _, f := range []string{filepath.Join(keys, "keystore.age"), filepath.Join(other, "diary.txt")} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"the network", "loopback", []string{"--listen", "0.0.0.0:0"}},
		{"the daemon on the network", "loopback", []string{"--hsm-listen", ":0"}},
		{"a keystore", "published test keys", []string{"--data", keys}},
		{"somebody's folder", "not a sandbox", []string{"--data", other}},
		{"somebody's folder, fresh", "not a sandbox", []string{"--data", other, "--fresh"}},
		{"a production configuration", "config", []string{"--config", "x"}},
	} {
		args := append([]string{"dev", "--listen", "127.0.0.1:0", "--hsm-listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "new")}, c.args...)
		out, stderr, err := tryOnecard("", args...)
		if err == nil || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %v, %s%s", c.name, err, out, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(other, "diary.txt")); err != nil {
		t.Errorf("the folder of somebody else: %v", err)
	}
}

// sandboxFile is the sandbox's configuration as a file, for the commands that
// want one.
func sandboxFile(t *testing.T, dir string) string {
	t.Helper()
	cfg := sandboxConfig(dir, "127.0.0.1:1500")
	return configFile(t, cfg)
}

// sound fails unless the ledger of a configuration holds.
func sound(t *testing.T, file string) {
	t.Helper()
	if out := onecard(t, "", "ledger", "verify", "--config", file); !strings.Contains(out, ": 0 faults") {
		t.Errorf("ledger verify: %s", out)
	}
}
