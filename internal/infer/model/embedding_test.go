package model

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEmbedding: a tensor of the graph that the manifest names comes with the
// scores, which stay what they are.
func TestEmbedding(t *testing.T) {
	file, manifest := demo(t)
	named := func(output string) []byte {
		return bytes.Replace(manifest, []byte("output: probabilities"), []byte("output: "+output), 1)
	}
	dir := folder(t, map[string][]byte{"m.onnx": file, "m.yaml": named("{scores: 'Identity:0', embedding: 'functional_1/global_average_pooling2d_1/Mean_Squeeze__109:0'}"),
		"plain.onnx": file, "plain.yaml": manifest, "wrong.onnx": file, "wrong.yaml": named("{score: x}"), "none.onnx": file, "none.yaml": named("{embedding: x}")})
	images := [][]byte{testImage(t, "gray"), testImage(t, "rgb")}
	plain := open(t, Options{Model: filepath.Join(dir, "plain.onnx"), Scores: true}).Classify(t.Context(), images)
	got := open(t, Options{Model: filepath.Join(dir, "m.onnx"), Scores: true, Embedding: true}).Classify(t.Context(), images)
	for i, r := range got {
		if r.Err != nil || !slices.Equal(r.Scores, plain[i].Scores) || len(r.Embedding) < 8 || slices.Equal(r.Embedding, got[1-i].Embedding) {
			t.Errorf("image %d: %+v", i, r)
		}
		if r.By.Preparation() != plain[i].By.Preparation() {
			t.Errorf("the preparation is %s, of the same model with one output %s", r.By.Preparation(), plain[i].By.Preparation())
		}
	}
	if r := open(t, Options{Model: filepath.Join(dir, "m.onnx")}).Classify(t.Context(), images)[0]; r.Err != nil || r.Embedding != nil {
		t.Errorf("nobody asked for an embedding: %+v", r)
	}
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{Model: "wrong.onnx"}, "output: unknown key score"},
		{Options{Model: "none.onnx", Embedding: true}, `no node makes the output "x"`},
		{Options{Model: "plain.onnx", Embedding: true}, "name the tensor that is the embedding"},
		{Options{Model: "m.onnx", Embedding: true, Others: []string{"m.onnx"}}, "one model in this process only"},
	} {
		c.opts.Model = filepath.Join(dir, c.opts.Model)
		if _, err := Open(c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, expected %s", err, c.want)
		}
	}
}
