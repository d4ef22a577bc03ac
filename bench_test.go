package pbochsm_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What Go benchmarks print becomes rows in the form of "pbochsm bench".
func TestRowsOfGoBenchmarks(t *testing.T) {
	awk, err := exec.LookPath("awk")
	if err != nil {
		t.Skip(err)
	}
	run := func(text string) (string, error) {
		c := exec.CommandContext(t.Context(), awk, "-f", ".ci/bench.awk")
		c.Stdin = strings.NewReader(text)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	got, err := run(`goos: linux
BenchmarkSQLite
BenchmarkSQLite/callers=1
BenchmarkSQLite/callers=1-2         	   50000	     20000 ns/op	      5000 fdatasync/s	      4000 sales/s	         0.8 x
BenchmarkSQLite/callers=64-2        	   50000	     20000 ns/op	      5000 fdatasync/s	     36000 sales/s	         7.2 x
BenchmarkSQLite/callers=1024-2      	   50000	     20000 ns/op	      5000 fdatasync/s	     50000 sales/s	        10 x
BenchmarkLoad/softhsm/batches_of_64-2         	1	         0 ns/op	     90000 ns/load	     80000 ns/load-in-C	         1.125 ratio
--- SKIP: BenchmarkMoney
    money_test.go:41: needs pgbench
PASS
`)
	want := []string{
		"sales, 64 callers, SQLite / fdatasync  3.6e+04 / 5000  /s  =  7.20 ×  goal ≥ 7 × reached",
		"sales, 1024 callers, SQLite / fdatasync  5e+04 / 5000  /s  =  10.00 ×  goal ≥ 14 × missed",
		"load in SoftHSM, one worker / the same chain in C  9e+04 / 8e+04  ns  =  1.12 ×  goal ≤ 1.15 × reached",
		"BenchmarkMoney left out: needs pgbench",
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if err != nil || len(lines) != len(want) {
		t.Fatalf("%v, %d rows, want %d:\n%s", err, len(lines), len(want), got)
	}
	for i, w := range want {
		if g := strings.Join(strings.Fields(lines[i]), " "); g != strings.Join(strings.Fields(w), " ") {
			t.Errorf("row %q, want %q", g, w)
		}
	}
	if got, err := run("--- FAIL: BenchmarkMoney\nFAIL\n"); err == nil || !strings.Contains(got, "FAIL") {
		t.Errorf("a benchmark that failed: %v, %q", err, got)
	}
}
