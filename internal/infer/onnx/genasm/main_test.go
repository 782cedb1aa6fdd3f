package main

import (
	"bytes"
	"os"
	"testing"
)

func TestFilesAreUpToDate(t *testing.T) {
	for file, want := range files() {
		have, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("internal/infer/onnx/%s is not what genasm writes: run go generate ./internal/infer/onnx", file)
		}
	}
}
