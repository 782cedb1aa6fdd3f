package onnx

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// steps counts the kinds of steps of a file.
func steps(t *testing.T, name string) map[string]int {
	t.Helper()
	kinds := map[string]int{}
	for _, s := range loadFile(t, filepath.Join("testdata/tensors", name+".onnx")).plan.steps {
		kind := fmt.Sprintf("%T", s)
		if b, ok := s.(*bodyStep); ok {
			kind = fmt.Sprintf("%T", b.body)
		}
		kinds[kind]++
	}
	return kinds
}

// TestBlocksAreFused: of a block of today's networks no addition, activation or move is left that a product can take over.
func TestBlocksAreFused(t *testing.T) {
	for name, without := range map[string][]string{
		"convnext_block":           {"*onnx.loadStep", "*onnx.storeStep", "*onnx.moveBody", "*onnx.zipBody", "*onnx.mapBody", "*onnx.actStep", "*onnx.affineStep", "*onnx.binaryStep"},
		"vision_transformer_block": {"*onnx.mapBody", "*onnx.actStep", "*onnx.normBody"},
	} {
		t.Run(name, func(t *testing.T) {
			kinds := steps(t, name)
			for kind, n := range kinds {
				if slices.Contains(without, kind) {
					t.Errorf("%d of %s are left: %v", n, kind, kinds)
				}
			}
		})
	}
}

// TestLongRowsInParts: a product of more rows than stay in the cache gives what it gives of the rows by themselves.
func TestLongRowsInParts(t *testing.T) {
	const rows, depth, cols = 5003, 112, 24
	for _, k := range kernelSets() {
		in, out := &value{h: 1, w: 1, c: rows * depth}, &value{h: 1, w: 1, c: rows * cols}
		o := &op{kind: opConv, in: []*value{in}, out: out, win: onePixel, w: numbers("w", depth*cols), bias: numbers("b", cols), groups: 1, rows: rows, act: act{kind: actGelu}}
		run := func(long int) []float32 {
			pl := &planner{k: k, packed: make([]float32, 0, packedSize(o, k.nr)), places: map[*value]place{in: {buf: &buffer{}}, out: {buf: &buffer{off: rows * depth}}}}
			pl.emit(o)
			s := &Session{arena: append(numbers("a", rows*depth), make([]float32, rows*cols+arenaSlack)...)}
			c := pl.steps[0].(*convStep)
			c.part = min(c.part, long)
			c.run(s)
			return s.arena[rows*depth:][:rows*cols]
		}
		whole, parts := run(rows), run(60)
		if !slices.Equal(whole, parts) {
			t.Errorf("%s: parts of a row give other numbers than the row", k.name)
		}
	}
}
