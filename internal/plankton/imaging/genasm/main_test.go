package main

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

func TestFilesAreUpToDate(t *testing.T) {
	stale, err := asm.Stale("..", files())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("internal/plankton/imaging/%s is not what genasm writes: run go generate ./internal/plankton/imaging", name)
	}
}
