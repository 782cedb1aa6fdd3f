package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
)

// evaluated runs `hydraulics evaluate` with these arguments.
func evaluated(t *testing.T, args ...string) (out, logs string, err error) {
	t.Helper()
	var o, l bytes.Buffer
	cmd := newEvaluateCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&o)
	cmd.SetErr(&l)
	err = cmd.ExecuteContext(t.Context())
	return o.String(), l.String(), err
}

func TestEvaluate(t *testing.T) {
	images, report := filepath.Join(t.TempDir(), "images"), filepath.Join(t.TempDir(), "report")
	if err := plankton.WriteImages(images, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(images, "demo-rod", "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out, logs, err := evaluated(t, "--model", "demo/demo-plankton.onnx", "--out", report, images)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "images    16 of 8 classes\naccuracy  1.0000\n") || !strings.Contains(logs, "left out: demo-rod/notes.txt: it is no PNG\n") {
		t.Errorf("%s%s", out, logs)
	}
	for _, name := range []string{"report.txt", "report.json", "report.csv", "report.html", "predictions.csv"} {
		if text, err := os.ReadFile(filepath.Join(report, name)); err != nil || !bytes.Contains(text, []byte("demo-spiral")) {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{images}, "--model: want an ONNX file"},
		{[]string{"--model", "demo/demo-plankton.onnx", "--format", "pdf", images}, `--format: "pdf" is not one of text, json, csv, html`},
		{[]string{"--model", "none.onnx", images}, "none.onnx"},
		{[]string{"--model", "demo/demo-plankton.onnx", report}, "holds no folders"},
		{[]string{"--model", "demo/demo-plankton.onnx"}, "accepts 1 arg"},
	} {
		if _, _, err := evaluated(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %s", c.args, err, c.want)
		}
	}
}
