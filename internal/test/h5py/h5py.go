// Package h5py reads files with Python's scientific libraries, for tests of what writes them.
package h5py

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Variable names a Python that has h5py and pandas: python3 -m venv DIR && DIR/bin/pip install h5py pandas, and then
// DIR/bin/python.
const Variable = "HYDRAULICS_H5PY_PYTHON"

// Check runs a script and compares what it prints with a file; it writes the file instead if update says so. It skips
// the test without such a Python.
func Check(t *testing.T, want string, update bool, script string, args ...string) {
	t.Helper()
	python := os.Getenv(Variable)
	if python == "" {
		t.Skip(Variable + " is not set: a Python with h5py and pandas to read the files with; without one the bytes are held to those that were read before")
	}
	var wrong bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, append([]string{script}, args...)...)
	cmd.Stderr = &wrong
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &wrong)
	}
	if update {
		if err := os.WriteFile(want, said, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(recorded, said) {
		t.Errorf("%s no longer says what %s has, but\n%s", script, want, said)
	}
}
