// Package alerts has promtool test the alert rules of configs/prometheus.
package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// promtoolEnv names the program; without it the one of the PATH is taken.
const promtoolEnv = "HYDRAULICS_PROMTOOL"

func TestRules(t *testing.T) {
	promtool := os.Getenv(promtoolEnv)
	if promtool == "" {
		found, err := exec.LookPath("promtool")
		if err != nil {
			t.Skip("promtool is not here: install prometheus, or name it in " + promtoolEnv + "; make integration fetches it")
		}
		promtool = found
	}
	for _, args := range [][]string{{"check", "rules", "hydraulics.rules.yaml"}, {"test", "rules", "hydraulics.test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = filepath.Join("..", "..", "..", "configs", "prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}
