package onnx

import (
	"fmt"
	"math"
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
		"vision_transformer_block": {"*onnx.mapBody", "*onnx.actStep", "*onnx.normBody", "*onnx.binaryStep"},
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

// TestGeluInSteps: a Gelu that is written in steps is one, wherever the half is.
func TestGeluInSteps(t *testing.T) {
	start := [][]byte{info(11, "x", 1, 4), info(12, "y", 1, 4), tensorOf("root", []float32{math.Sqrt2}), tensorOf("one", []float32{1}), tensorOf("half", []float32{0.5}),
		nodeOf("Div", []string{"x", "root"}, "small"), nodeOf("Erf", []string{"small"}, "erf"), nodeOf("Add", []string{"erf", "one"}, "sum")}
	for name, nodes := range map[string][][]byte{
		"half last":       {nodeOf("Mul", []string{"x", "sum"}, "twice"), nodeOf("Mul", []string{"twice", "half"}, "y")},
		"half first":      {nodeOf("Mul", []string{"x", "half"}, "less"), nodeOf("Mul", []string{"less", "sum"}, "y")},
		"half of the sum": {nodeOf("Mul", []string{"half", "sum"}, "less"), nodeOf("Mul", []string{"less", "x"}, "y")},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Load(fileOf(17, slices.Concat(start, nodes)...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(m.plan.steps) != 1 {
				t.Errorf("%d steps, expected 1", len(m.plan.steps))
			}
			in, got := []float32{-2, -0.5, 1, 3}, make([]float32, 4)
			if err := m.NewSession().Run(in, got); err != nil {
				t.Fatal(err)
			}
			for i, v := range in {
				if want := 0.5 * float64(v) * math.Erfc(-float64(v)/math.Sqrt2); !agrees(got[i], want) {
					t.Errorf("of %g it is %g, expected %g", v, got[i], want)
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
