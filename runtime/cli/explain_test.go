package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/failures"
)

// explained runs a command and gives what it printed.
func explained(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out := new(bytes.Buffer)
	root := Root("hydraulics")
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestExplain(t *testing.T) {
	all, err := explained(t, "explain")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures.All() {
		if !strings.Contains(all, f.Code+"  "+f.Title) {
			t.Errorf("the list has no %s", f.Code)
		}
		got, err := explained(t, "explain", strings.ToLower(f.Code))
		if err != nil || !strings.Contains(got, f.Cause) || !strings.Contains(got, f.Remedy) {
			t.Errorf("%s: %v\n%s", f.Code, err, got)
		}
	}
	if got, err := explained(t, "explain", "H9999"); err == nil || err.Error() != `no failure has the code H9999; "hydraulics explain" lists them` {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestLintNamesCodes looks for the code of each mistake in a file.
func TestLintNamesCodes(t *testing.T) {
	tests := []struct{ name, text, code string }{
		{"a key", "worker:\n  bootstrap.servesr: a:1\n", "H1001"},
		{"a value", "worker:\n  offset.flush.interval.ms: soon\n", "H1003"},
		{"a class", "worker: {key.converter: string, value.converter: string}\nconnectors:\n  a: {connector.class: nothing}\n", "H1004"},
		{"a variable", "worker:\n  bootstrap.servers: ${env:HYDRAULICS_NOT_SET}\n", "H1005"},
		{"a file of secrets", "worker:\n  bootstrap.servers: ${file:nosuch.properties:pw}\n", "H1005"},
		{"no class", "connectors:\n  a: {topics: t}\n", "H1002"},
		{"no YAML", "worker: [\n", "H1007"},
		{"no connector", "worker:\n  bootstrap.servers: a:1\n", "H1010"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if got, _ := explained(t, "lint", file); !strings.Contains(got, "["+tt.code+"]") {
				t.Errorf("want %s:\n%s", tt.code, got)
			}
		})
	}
}
