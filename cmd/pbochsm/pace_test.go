package main

import (
	"runtime"
	"testing"
)

// The runtime is set up for event loops, and not where the operator has done so.
func TestPace(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	for set, want := range map[string]int{"": 2 * n, "1": n} {
		t.Setenv("GOMAXPROCS", set)
		pace()
		if got := runtime.GOMAXPROCS(n); got != want {
			t.Errorf("GOMAXPROCS=%q: %d, want %d", set, got, want)
		}
	}
}
