package onnx

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// opCase is one answer of ONNX Runtime in testdata/ops.json.
type opCase struct {
	Name   string
	Axes   string
	Shape  []int
	Lo, Hi float64
	Dims   []int
	Output string
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func loadFile(t *testing.T, file string) *Model {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(data, Options{Fill: onnxtest.Fill})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOperators compares small graphs, one per operator and attribute, with
// ONNX Runtime.
func TestOperators(t *testing.T) {
	var doc struct{ Cases []opCase }
	readJSON(t, "testdata/ops.json", &doc)
	if len(doc.Cases) < 80 {
		t.Fatalf("only %d cases", len(doc.Cases))
	}
	for _, c := range doc.Cases {
		t.Run(c.Name, func(t *testing.T) {
			file := filepath.Join("testdata/ops", c.Name+".onnx")
			c.check(t, loadFile(t, file))
			if !strings.HasPrefix(c.Name, "quantise") {
				return
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range append(intKernelSets(), kernelSets()...) { // in integers and in floats
				m, err := loadWith(data, Options{Fill: onnxtest.Fill}, k)
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, m)
			}
		})
	}
}

// TestTensors compares graphs of what transformers are made of with ONNX
// Runtime, on each instruction set.
func TestTensors(t *testing.T) {
	var doc struct{ Cases []opCase }
	readJSON(t, "testdata/tensors.json", &doc)
	if len(doc.Cases) < 50 {
		t.Fatalf("only %d cases", len(doc.Cases))
	}
	for _, c := range doc.Cases {
		t.Run(c.Name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata/tensors", c.Name+".onnx"))
			if err != nil {
				t.Fatal(err)
			}
			layout := c.Axes // some graphs do not tell
			if layout == "NC" {
				layout = ""
			}
			for _, k := range kernelSets() {
				m, err := loadWith(data, Options{Fill: onnxtest.Fill, Layout: layout}, k)
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, m)
			}
		})
	}
}

// check compares what a model gives with ONNX Runtime's answer.
func (c opCase) check(t *testing.T, m *Model) {
	t.Helper()
	if got := m.OutputDims(); !slices.Equal(got, c.Dims[1:]) {
		t.Fatalf("output has the shape %v, ONNX Runtime's %v", got, c.Dims[1:])
	}
	raw, err := base64.StdEncoding.DecodeString(c.Output)
	if err != nil {
		t.Fatal(err)
	}
	in := c.input()
	got := make([]float32, m.OutputSize())
	s := m.NewSession()
	for range 2 { // the second run must not see what the first left
		if err := s.Run(in, got); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			if diff := math.Abs(float64(v - want)); !(diff <= 2e-6*math.Max(1, math.Abs(float64(want)))) {
				t.Fatalf("%s: output %d is %g, ONNX Runtime's %g", m.Kernels(), i, v, want)
			}
		}
	}
}

// input makes the case's input in the engine's order, height, width, channels.
func (c opCase) input() []float32 {
	n := 1
	for _, d := range c.Shape {
		n *= d
	}
	x := make([]float32, n)
	onnxtest.Uniform(x, c.Name+"/x", c.Lo, c.Hi)
	if c.Axes != "NCHW" {
		return x
	}
	ch, area := c.Shape[1], c.Shape[2]*c.Shape[3]
	out := make([]float32, n)
	for k := range ch {
		for i := range area {
			out[i*ch+k] = x[k*area+i]
		}
	}
	return out
}
