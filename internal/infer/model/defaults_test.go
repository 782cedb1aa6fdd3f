package model

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/configs"
)

// TestOriginalsModel: a model as the original hydraulics has it, 224 x 224 and
// 50 outputs, runs without a manifest: nearest neighbour, values / 255, the
// original's classes. testdata/make_models.py recorded ONNX Runtime's answer.
func TestOriginalsModel(t *testing.T) {
	text, err := os.ReadFile("testdata/models.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Best int
		Prob float64
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	text, err = fs.ReadFile(configs.FS, "ifcb/classes.txt")
	if err != nil {
		t.Fatal(err)
	}
	classes, err := ParseLabels(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fifty", "external"} {
		c := open(t, Options{Model: filepath.Join("testdata/models", name+".onnx")})
		r := c.Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
		if r.Err != nil || r.Class != classes[want.Best] || math.Abs(float64(r.Prob)-want.Prob) > 1e-5 {
			t.Errorf("%s: %+v, expected class %d with %g", name, r, want.Best, want.Prob)
		}
	}
}

// TestExternalWeights: weights in a second file count into the digest, and the
// file must be there.
func TestExternalWeights(t *testing.T) {
	model, err := os.ReadFile("testdata/models/external.onnx")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile("testdata/models/external.data")
	if err != nil {
		t.Fatal(err)
	}
	version := func(weights []byte) string {
		dir := folder(t, map[string][]byte{"m.onnx": model, "external.data": weights})
		r := open(t, Options{Model: filepath.Join(dir, "m.onnx")}).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r.Model
	}
	other := make([]byte, len(weights))
	if a, b := version(weights), version(other); a == b {
		t.Errorf("other weights are the same version %s", a)
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"missing", map[string][]byte{"m.onnx": model}, "its weights are in a file that must lie beside it"},
		{"cut off", map[string][]byte{"m.onnx": model, "external.data": weights[:100]}, "beyond the end of external.data"},
	} {
		if _, err := Open(Options{Model: filepath.Join(folder(t, c.files), "m.onnx")}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
