package onnx

import (
	"errors"
	"fmt"
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
// `make agreement` runs it and keeps the tables that it writes, two for each GOARCH.
func TestAgreement(t *testing.T) {
	dir := os.Getenv("HYDRAULICS_AGREEMENT")
	if dir == "" {
		t.Skip("HYDRAULICS_AGREEMENT is not set: it names a folder that testdata/agreement.py filled; see make agreement")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no networks: %v", dir, err)
	}
	var table, exact strings.Builder
	table.WriteString("| network | input | weights, MB | kernels | load, ms | ms/image | \\|dp\\| | dp/p | top-1 | blocks | least |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	exact.WriteString("| network, image | kernels | \\|dp\\| | open | off float64 | ONNX Runtime off float64 | dp/p | open | off float64 | ONNX Runtime off float64 |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		for _, set := range kernelSets() {
			t.Run(name+" "+set.name, func(t *testing.T) {
				fmt.Fprintf(&table, "| %s |%s\n", name, agree(t, file, set.name, &exact))
			})
		}
	}
	for name, text := range map[string]string{"table": table.String(), "exact": exact.String()} {
		if err := os.WriteFile(filepath.Join(dir, name+"-"+runtime.GOARCH+".md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// agreed is what ONNX Runtime has said of a network's images.
type agreed struct {
	Cases []struct {
		Input              string
		Lo, Hi             float64
		Scores             []float32
		Open, OpenRelative float64   // how far roundings leave the scores open
		Exact              []float32 // probabilities in float64, where that is more than the bound
	}
	Blocks struct {
		Count  int
		Least  string
		Change float64
	}
}

// agree gives the rest of a network's row of the table, and writes rows of exact.
func agree(t *testing.T, file, set string, exact *strings.Builder) string {
	var doc agreed
	readJSON(t, strings.TrimSuffix(file, ".onnx")+".json", &doc)
	if b := doc.Blocks; b.Count > 0 && b.Change <= 1e-3 {
		t.Errorf("without the block that ends in %s scores change by %g only: its weights hide what is computed there", b.Least, b.Change)
	}
	began := time.Now()
	m := loadOpen(t, file, set)
	load := time.Since(began)
	s := m.NewSession()
	h, w, c := m.InputSize()
	in, got := make([]float32, h*w*c), make([]float32, m.OutputSize())
	worst, relative, same := 0.0, 0.0, true
	var took time.Duration
	for _, x := range doc.Cases {
		onnxtest.Uniform(in, x.Input, x.Lo, x.Hi)
		began := time.Now()
		if err := s.Run(in, got); err != nil {
			t.Fatal(err)
		}
		took += time.Since(began)
		most, mostRelative := max(bound, x.Open), max(boundRelative, x.OpenRelative)
		d, r := within(t, x.Input, got, x.Scores, most, mostRelative)
		worst, relative, same = max(worst, d), max(relative, r), same && best(got) == best(x.Scores)
		switch {
		case x.Exact != nil:
			ours, oursRelative := within(t, x.Input+" beside float64", probabilities(got), x.Exact, most, mostRelative)
			theirs, theirsRelative := within(t, x.Input+", ONNX Runtime beside float64", probabilities(x.Scores), x.Exact, most, mostRelative)
			fmt.Fprintf(exact, "| %s | %s | %.1e | %.1e | %.1e | %.1e | %.1e | %.1e | %.1e | %.1e |\n", x.Input, set, d, x.Open, ours, theirs, r, x.OpenRelative, oursRelative, theirsRelative)
		case x.Open > bound || x.OpenRelative > boundRelative:
			if !strings.HasPrefix(filepath.Base(file), "int8-") {
				t.Errorf("%s: roundings leave more open than the bound, and there are no scores in float64: see testdata/exact.py", x.Input)
			}
			fmt.Fprintf(exact, "| %s | %s | %.1e | %.1e | | | %.1e | %.1e | | |\n", x.Input, set, d, x.Open, r, x.OpenRelative)
		}
	}
	verdict := "same"
	if !same {
		verdict = "differs"
	}
	return fmt.Sprintf(" %dx%dx%d | %.1f | %s | %d | %.1f | %.1e | %.1e | %s | %d | %.1e |", h, w, c, float64(m.WeightBytes())/1e6, set,
		load.Milliseconds(), took.Seconds()*1000/float64(len(doc.Cases)), worst, relative, verdict, doc.Blocks.Count, doc.Blocks.Change)
}

// loadOpen loads a network, at 224 pixels where it leaves the size open.
func loadOpen(t *testing.T, file, set string) *Model {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options := Options{Kernels: set, External: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(file), name)) }}
	m, err := Load(data, options)
	if errors.Is(err, ErrOpenSize) {
		options.Height, options.Width = 224, 224
		m, err = Load(data, options)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
