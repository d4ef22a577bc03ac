package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onSmallDisk runs "onecard serve" on a disk of 3 MiB, most of which a ballast
// fills; SIGUSR1 throws it off. When the process has ended, what "ledger verify"
// and "ledger export" say is in the folder OUT. The disk is a tmpfs in a mount
// namespace of its own, so it needs no rights and leaves nothing behind.
const onSmallDisk = `set -e
mount -t tmpfs -o size=3m none "$DISK"
cp "$FROM"/* "$DISK"/
head -c 2m /dev/zero >"$DISK/ballast"
trap 'rm -f "$DISK/ballast"' USR1
onecard serve --config "$CONFIG" &
served=$!
trap 'kill -TERM $served' TERM
code=129
while [ $code -gt 128 ]; do
	set +e; wait $served; code=$?; set -e
	kill -0 $served 2>/dev/null || break
done
rm -f "$DISK/ballast"
onecard ledger verify --config "$CONFIG" >"$OUT/verify"
onecard ledger export --config "$CONFIG" >"$OUT/export"
exit $code`

// On a full disk nothing is booked and everybody is told so; what was answered
// is there, and when there is room again the same process goes on.
func TestDiskFull(t *testing.T) {
	if out, err := exec.Command("unshare", "--map-root-user", "--mount", "true").CombinedOutput(); err != nil {
		if os.Getenv("REQUIRE_UNSHARE") != "" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("no mount namespace can be had here: %v; REQUIRE_UNSHARE=1 makes this a failure", err)
	}
	hsm, _ := daemon(t)
	cfg := servedConfig(t, hsm)
	furnish(t, configFile(t, cfg), cfg)
	disk, out := t.TempDir(), t.TempDir()
	for name, value := range map[string]string{"DISK": disk, "FROM": filepath.Dir(cfg.Database.SQLite), "OUT": out} {
		t.Setenv(name, value)
	}
	cfg.Database.SQLite = filepath.Join(disk, "ledger.db")
	t.Setenv("CONFIG", configFile(t, cfg))
	p := launchProgram(t, "unshare", "--map-root-user", "--mount", "sh", "-c", onSmallDisk)
	api, ready := p.line("listening "), "http://"+p.line("metrics ")+"/readyz"

	till, answered := newTerminal(t, api, 1), 0
	var refusal string
	for answered < 10000 && refusal == "" {
		if err := till.load(); err != nil {
			refusal = err.Error()
		} else {
			answered++
		}
	}
	if answered == 0 || !strings.Contains(refusal, `"9004"`) {
		t.Fatalf("after %d loads: %s\n%s", answered, refusal, p.stderr)
	}
	// Something small may still fit.
	refused := 1
	waitFor(t, func() bool {
		if err := till.load(); err != nil {
			refused++
		} else {
			answered++
		}
		return status(t, ready) == http.StatusServiceUnavailable
	}, p.stderr)
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		if err := till.load(); err != nil {
			refused++
			return false
		}
		return true
	}, p.stderr)
	for range 10 {
		if err := till.load(); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	if code := status(t, ready); code != http.StatusOK {
		t.Errorf("with room again it is ready: %d", code)
	}
	p.stop()
	verify, err := os.ReadFile(filepath.Join(out, "verify"))
	if err != nil || !strings.Contains(string(verify), ": 0 faults") {
		t.Errorf("ledger verify: %s, %v", verify, err)
	}
	journal, err := os.ReadFile(filepath.Join(out, "export"))
	if got, want := strings.Count(string(journal), `"source":"PREPAID"`), answered+11; err != nil || got != want {
		t.Errorf("%d loads are booked, %d were answered and %d refused: %v", got, want, refused, err)
	}
	if !strings.Contains(p.stderr.String(), "level=ERROR") {
		t.Errorf("the log says nothing:\n%s", p.stderr)
	}
}
