package main

import (
	"bytes"
	"os"
	"testing"
)

func TestFilesAreUpToDate(t *testing.T) {
	for file, want := range map[string][]byte{"kernel_amd64.s": generate(), "kernel_amd64_decl.go": declarations()} {
		have, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("internal/plankton/imaging/%s is not what genasm writes: run go generate ./internal/plankton/imaging", file)
		}
	}
}
