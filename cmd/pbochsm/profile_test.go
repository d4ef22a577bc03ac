package main

import (
	"os"
	"strings"
	"testing"

	"pbochsm/keystore"
)

// docs/profiles.md has a line for each ready-made profile, and for each switch
// one with all its readings in their order.
func TestProfilesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range keystore.Schemes() {
		if !strings.Contains(string(text), "\n| `"+s.Name+"` | ") {
			t.Errorf("no line about the profile %s", s.Name)
		}
	}
	for _, s := range keystore.Switches() {
		line := "\n| `" + s.Name + "` | `" + strings.Join(s.Readings, "`, `") + "` | "
		if !strings.Contains(string(text), line) {
			t.Errorf("no line that begins %q", line)
		}
	}
}
