package onnx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBatchThatMoved: where a file fixes a batch, its axis may go elsewhere and
// come back; what would take it for another axis is refused by name.
func TestBatchThatMoved(t *testing.T) {
	perm := func(p ...int64) []byte { return intsAttrOf("perm", p...) }
	axis := func(a int64) []byte { return intAttrOf("axis", a) }
	scale := tensorOf("scale", []float32{2, 3, 5}, 3)
	product := tensorOf("product", []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 3)
	tokens := [][]byte{intsOf("tokens", 0, 3, 4), nodeOf("Reshape", []string{"x", "tokens"}, "a"), nodeOf("Transpose", []string{"a"}, "b", perm(0, 2, 1))} // 4 tokens of 3
	for _, c := range []struct {
		name    string
		nodes   [][]byte
		refused string
	}{
		{"tokens first, and back", [][]byte{nodeOf("Transpose", []string{"b"}, "c", perm(1, 0, 2)), scale, nodeOf("Mul", []string{"c", "scale"}, "d"), nodeOf("Softmax", []string{"d"}, "e", axis(0)),
			nodeOf("Transpose", []string{"e"}, "y", perm(1, 0, 2))}, ""},
		{"an axis before it that is picked", [][]byte{intsOf("heads", 0, 4, 3, 1), nodeOf("Reshape", []string{"b", "heads"}, "c"), nodeOf("Transpose", []string{"c"}, "d", perm(2, 0, 3, 1)), intsOf("at", 1),
			nodeOf("Gather", []string{"d", "at"}, "e", axis(0)), intsOf("zero", 0), nodeOf("Squeeze", []string{"e", "zero"}, "y")}, ""},
		{"one axis more", [][]byte{intsOf("zero", 0), nodeOf("Unsqueeze", []string{"b", "zero"}, "c"), product, nodeOf("MatMul", []string{"c", "product"}, "d"), nodeOf("Squeeze", []string{"d", "zero"}, "y")}, ""},
		{"letters", [][]byte{product, nodeOf("Einsum", []string{"b", "product"}, "c", strAttrOf("equation", "ntc,cd->dnt")), nodeOf("Transpose", []string{"c"}, "y", perm(1, 0, 2))}, ""},
		{"another shape", [][]byte{nodeOf("Transpose", []string{"b"}, "c", perm(1, 0, 2)), intsOf("rows", 8, 12), nodeOf("Reshape", []string{"c", "rows"}, "y")}, "node my/y (Reshape): the batch of 8, which the file fixes, is axis 1 of its input"},
		{"scores of images", [][]byte{nodeOf("Transpose", []string{"b"}, "c", perm(1, 0, 2)), nodeOf("Softmax", []string{"c"}, "y", axis(1))}, "node my/y (Softmax): the batch of 8"},
		{"a mean of images", [][]byte{nodeOf("Transpose", []string{"b"}, "c", perm(2, 1, 0)), nodeOf("ReduceMean", []string{"c"}, "y", intsAttrOf("axes", 1))}, "node my/y (ReduceMean): the batch of 8"},
		{"an output that is not of one image", [][]byte{nodeOf("Transpose", []string{"b"}, "y", perm(1, 0, 2))}, "output y has the axes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := func(batch int64) []byte {
				parts := append([][]byte{info(11, "x", batch, 3, 2, 2), info(12, "y", batch)}, tokens...)
				return fileOf(13, append(parts, c.nodes...)...)
			}
			m, err := Load(of(8), Options{Layout: "NCHW"})
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("error %v, expected %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			one, err := Load(of(1), Options{Layout: "NCHW"})
			if err != nil {
				t.Fatal(err)
			}
			var got [2][]float32
			for i, m := range []*Model{m, one} {
				got[i] = make([]float32, m.OutputSize())
				if err := m.NewSession().Run([]float32{1, -2, 3, 4, 0.5, -6, 7, 8, -9, 1.5, 2.5, 3.5}, got[i]); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(got[1], got[0]); diff != "" {
				t.Errorf("of a batch of 8, not of 1: %s", diff)
			}
		})
	}
}
