package onnx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// TestAgreement compares all networks of a folder that testdata/agreement.py
// filled with ONNX Runtime, on each instruction set that the processor has.
// `make agreement` runs it and keeps the tables that it writes, one for each GOARCH.
func TestAgreement(t *testing.T) {
	dir := os.Getenv("HYDRAULICS_AGREEMENT")
	if dir == "" {
		t.Skip("HYDRAULICS_AGREEMENT is not set: it names a folder that testdata/agreement.py filled; see make agreement")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no networks: %v", dir, err)
	}
	var table strings.Builder
	table.WriteString("| network | input | weights, MB | kernels | load, ms | ms/image | \\|dp\\| | dp/p | top-1 | blocks | least |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		for _, set := range kernelSets() {
			t.Run(name+" "+set.name, func(t *testing.T) {
				fmt.Fprintf(&table, "| %s |%s\n", name, agree(t, file, set.name))
			})
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "table-"+runtime.GOARCH+".md"), []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// agree gives the rest of a network's row of the table.
func agree(t *testing.T, file, set string) string {
	var doc struct {
		Cases []struct {
			Input  string
			Lo, Hi float64
			Scores []float32
			Open   float64
		}
		Blocks struct {
			Count  int
			Least  string
			Change float64
		}
	}
	readJSON(t, strings.TrimSuffix(file, ".onnx")+".json", &doc)
	if b := doc.Blocks; b.Count > 0 && b.Change <= 1e-3 {
		t.Errorf("without the block that ends in %s scores change by %g only: its weights hide what is computed there", b.Least, b.Change)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	options := Options{Kernels: set, External: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(file), name)) }}
	m, err := Load(data, options)
	if errors.Is(err, ErrOpenSize) {
		options.Height, options.Width = 224, 224
		m, err = Load(data, options)
	}
	if err != nil {
		t.Fatal(err)
	}
	load := time.Since(began)
	s := m.NewSession()
	h, w, c := m.InputSize()
	in, got := make([]float32, h*w*c), make([]float32, m.OutputSize())
	mostRelative := 1e-4
	if strings.HasPrefix(filepath.Base(file), "int8-") {
		mostRelative = math.Inf(1) // a sum that falls on the other side of a half changes an integer by one
	}
	worst, relative, same := 0.0, 0.0, true
	began = time.Now()
	for _, x := range doc.Cases {
		onnxtest.Uniform(in, x.Input, x.Lo, x.Hi)
		if err := s.Run(in, got); err != nil {
			t.Fatal(err)
		}
		d, r := within(t, x.Input, got, x.Scores, max(1e-5, x.Open), mostRelative)
		worst, relative, same = max(worst, d), max(relative, r), same && best(got) == best(x.Scores)
	}
	verdict := "same"
	if !same {
		verdict = "differs"
	}
	return fmt.Sprintf(" %dx%dx%d | %.1f | %s | %d | %.1f | %.1e | %.1e | %s | %d | %.1e |", h, w, c, float64(m.WeightBytes())/1e6, set,
		load.Milliseconds(), time.Since(began).Seconds()*1000/float64(len(doc.Cases)), worst, relative, verdict, doc.Blocks.Count, doc.Blocks.Change)
}
