package onnx

import (
	"slices"
	"strings"
	"testing"
)

// twoOutputs has scores y = relu(x) + 1 of two values, an embedding e = relu(x)
// concatenated twice, and an output that this engine cannot make.
func twoOutputs(outs ...[]byte) []byte {
	graph := append([][]byte{info(11, "x", 1, 2), tensorOf("one", []float32{1}, 1),
		nodeOf("Relu", []string{"x"}, "r"), nodeOf("Add", []string{"r", "one"}, "y"),
		nodeOf("Concat", []string{"r", "r"}, "e", intAttrOf("axis", 1)), nodeOf("Det", []string{"x"}, "other")}, outs...)
	return fileOf(13, graph...)
}

func TestOutputs(t *testing.T) {
	y, e, other := info(12, "y", 1, 2), info(12, "e", 1, 4), info(12, "other", 1)
	scores, embedding := []float32{2, 1}, []float32{1, 0, 1, 0}
	for _, c := range []struct {
		name string
		outs [][]byte
		opts Options
		want [][]float32
		err  string
	}{
		{"by name", [][]byte{y, e, other}, Options{Output: "y"}, [][]float32{scores}, ""},
		{"both by name", [][]byte{y, other}, Options{Output: "y", Embed: true, Embedding: "e"}, [][]float32{scores, embedding}, ""},
		{"a tensor that others read", [][]byte{y, other}, Options{Output: "y", Embed: true, Embedding: "r"}, [][]float32{scores, {1, 0}}, ""},
		{"the same twice", [][]byte{y, other}, Options{Output: "y", Embed: true, Embedding: "y"}, [][]float32{scores, scores}, ""},
		{"no such output", [][]byte{y, e}, Options{Output: "z"}, nil, `no node makes the output "z"`},
		{"one that is not supported", [][]byte{y, e, other}, Options{Output: "other"}, nil, "Det"},
	} {
		t.Run(c.name, func(t *testing.T) { checkOutputs(t, twoOutputs(c.outs...), c.opts, c.want, c.err) })
	}
}

// TestOutputsBySize: all that is there must be known then.
func TestOutputsBySize(t *testing.T) {
	file := fileOf(13, info(11, "x", 1, 2), nodeOf("Relu", []string{"x"}, "y"),
		nodeOf("Concat", []string{"y", "x"}, "e", intAttrOf("axis", 1)), info(12, "e", 1, 4), info(12, "y", 1, 2))
	checkOutputs(t, file, Options{Labels: 2}, [][]float32{{1, 0}}, "")
	checkOutputs(t, file, Options{Labels: 2, Embed: true}, [][]float32{{1, 0}, {1, 0, 1, -2}}, "")
	checkOutputs(t, file, Options{Labels: 3}, nil, "the model has 2 outputs (e, y), of which 0 have a value for each of 3 labels: name the one")
	one := fileOf(13, info(11, "x", 1, 2), nodeOf("Relu", []string{"x"}, "y"), info(12, "y", 1, 2))
	checkOutputs(t, one, Options{Embed: true}, nil, "the model has 1 outputs: name the tensor that is the embedding")
}

func checkOutputs(t *testing.T, file []byte, opts Options, want [][]float32, wrong string) {
	t.Helper()
	opts.Height, opts.Width = 1, 1
	m, err := Load(file, opts)
	if wrong != "" {
		if err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("got %v, expected %s", err, wrong)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := [][]float32{make([]float32, m.OutputSize())}
	if n := m.EmbeddingSize(); n > 0 {
		got = append(got, make([]float32, n))
	}
	if err := m.NewSession().Run([]float32{1, -2}, got...); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
