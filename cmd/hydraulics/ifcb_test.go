package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeatures is the command line of hydraulics ifcb features.
func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "D20220522T003051_IFCB134_00042.png")
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		out  string // what it begins with
		err  string // a part of it, empty for none
	}{
		"defaults":  {[]string{path}, "id,width,height,", ""},
		"all flags": {[]string{path, "--algorithm", "v4", "--format", "json", "--raw", "--pixels-per-micron", "2", "--products", dir}, "[\n{\"id\":", ""},
		"no path":   {nil, "", "requires at least 1 arg"},
		"zero":      {[]string{path, "--pixels-per-micron", "0"}, "", "--pixels-per-micron"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := newIFCBCommand()
			var out, logs strings.Builder
			cmd.SetOut(&out)
			cmd.SetErr(&logs)
			cmd.SilenceUsage = true
			cmd.SetArgs(append([]string{"features"}, c.args...))
			err := cmd.ExecuteContext(t.Context())
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if !strings.HasPrefix(out.String(), c.out) {
				t.Errorf("it writes %s", out.String())
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "D20220522T003051_IFCB134_00042_features_v4.csv")); err != nil {
		t.Error(err)
	}
}
