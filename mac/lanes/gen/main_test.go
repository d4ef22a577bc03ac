package main

import (
	"bytes"
	"os"
	"testing"
)

func TestGeneratedFileIsUpToDate(t *testing.T) {
	want, err := core64()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../round64_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("round64_gen.go is not what the generator writes: run go generate ./mac/lanes")
	}
}
