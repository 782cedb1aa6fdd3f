//go:build mutations

package mutations

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMutationsAreCaught makes each mistake in turn, in an overlay that only the
// compiler sees, and wants its test to fail.
func TestMutationsAreCaught(t *testing.T) {
	for _, m := range mutations(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), "go", "test", "-C", root, "-overlay", m.overlay(t),
				"-count=1", "-timeout=3m", "-run", m.pattern(), m.pkg).CombinedOutput()
			switch text := string(out); {
			case err == nil:
				t.Errorf("survived %s: no test of it fails\n%s", m.test, text)
			case strings.Contains(text, "--- FAIL: "+strings.ReplaceAll(m.test, " ", "_")) || strings.Contains(text, "panic: "):
			default:
				t.Errorf("neither caught nor survived, %v:\n%s", err, text)
			}
		})
	}
}

// pattern gives what selects the test.
func (m *mutation) pattern() string {
	parts := strings.Split(m.test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(strings.ReplaceAll(p, " ", "_")) + "$"
	}
	return strings.Join(parts, "/")
}

// overlay writes the file with the mistake, and what go test -overlay reads.
func (m *mutation) overlay(t *testing.T) string {
	t.Helper()
	text, err := m.mutated()
	if err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed, index := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{changed: []byte(text), index: data} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return index
}
