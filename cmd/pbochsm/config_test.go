package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// TestDocumentedSettings holds that docs/operations.md shows every setting
// with its default.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if shown == nil {
		t.Fatal("docs/operations.md shows no settings")
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, shown[1], 0o600); err != nil {
		t.Fatal(err)
	}
	var got config
	if err := got.readFile(file); err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Data, want.PassphraseFile = got.Data, got.PassphraseFile
	if len(got.Tokens) == 0 {
		got.Tokens = nil // an empty list and none are the same
	}
	if len(got.SJL05.Keys) == 0 {
		got.SJL05.Keys = nil // so are an empty table and none
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("docs/operations.md shows %+v, the program has %+v", got, want)
	}
}
