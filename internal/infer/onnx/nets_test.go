package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

// network gives the file that the scores in testdata/nets/NAME.json are of: an
// exported graph without weights beside it, or the bundled model.
func network(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/nets", name+".onnx"))
	if errors.Is(err, os.ErrNotExist) {
		data, err = configs.FS.ReadFile("demo/" + name + ".onnx")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// light are the networks that the race detector sees: it makes the portable
// kernels and the filling of weights 30 times as slow.
var light = []string{"demo-plankton", "efficientnetb0", "mobilenetv2", "mobilenetv3small"}

// TestNetworks compares whole networks with ONNX Runtime: exported graphs
// without weights, filled by the generator that made the scores, and the
// bundled model.
func TestNetworks(t *testing.T) {
	files, err := filepath.Glob("testdata/nets/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d networks: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if race.Enabled && !slices.Contains(light, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var doc struct {
				SHA256 string
				Cases  []struct {
					Input  string
					Lo, Hi float64
					Scores []float32
				}
			}
			readJSON(t, file, &doc)
			data := network(t, name)
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != doc.SHA256 || len(doc.Cases) < 2 {
				t.Fatalf("%s is not of this file: record the scores again with testdata/export_nets.py", file)
			}
			simd := map[string][]float32{} // the same bits from all but the portable kernels
			for _, k := range kernelSets() {
				m, err := Load(data, Options{Fill: onnxtest.Fill, Kernels: k.name})
				if err != nil {
					t.Fatal(err)
				}
				s := m.NewSession()
				h, w, c := m.InputSize()
				in, got := make([]float32, h*w*c), make([]float32, m.OutputSize())
				for _, x := range doc.Cases {
					if race.Enabled && x.Input != doc.Cases[0].Input {
						break // one is slow enough there
					}
					onnxtest.Uniform(in, x.Input, x.Lo, x.Hi)
					if err := s.Run(in, got); err != nil {
						t.Fatal(err)
					}
					sameScores(t, x.Input+" "+k.name, got, x.Scores)
					if k == &portable {
						continue
					}
					if first := simd[x.Input]; first != nil && !slices.Equal(first, got) {
						t.Errorf("%s: %s gives other bits than the other kernels", x.Input, k.name)
					}
					simd[x.Input] = slices.Clone(got)
				}
			}
		})
	}
}

// bound and boundRelative are the agreed tolerance, of |dp| and of dp/p.
const bound, boundRelative = 1e-5, 1e-4

// sameScores holds probabilities to the agreed tolerance: |dp| <= 1e-5, and
// dp/p <= 1e-4 where p > 1e-6, and the same best class unless the best two are
// closer than 1e-5. Of logits it takes the softmax first. It gives the largest
// |dp| and dp/p.
func sameScores(t *testing.T, name string, got, want []float32) (worst, relative float64) {
	t.Helper()
	return within(t, name, got, want, bound, boundRelative)
}

// within is sameScores with these bounds of |dp| and dp/p.
func within(t *testing.T, name string, got, want []float32, most, mostRelative float64) (worst, relative float64) {
	t.Helper()
	got, want = probabilities(got), probabilities(want)
	if len(got) != len(want) {
		t.Fatalf("%s: %d scores, expected %d", name, len(got), len(want))
	}
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if d != d {
			t.Fatalf("%s: score %d is %g", name, i, got[i])
		}
		worst = max(worst, d)
		if want[i] > 1e-6 {
			relative = max(relative, d/float64(want[i]))
		}
	}
	t.Logf("%s: |dp| %.2g, dp/p %.2g", name, worst, relative)
	if worst > most || relative > mostRelative {
		t.Errorf("%s: scores are off by %g, relatively %g", name, worst, relative)
	}
	g, w := best(got), best(want)
	if g != w && float64(want[w]-want[g]) >= most {
		t.Errorf("%s: the best class is %d (%g), expected %d (%g)", name, g, got[g], w, want[w])
	}
	return worst, relative
}

// probabilities gives what scores are after softmax.
func probabilities(scores []float32) []float32 {
	if !logits(scores) {
		return scores
	}
	p := make([]float32, len(scores))
	Softmax(p, scores)
	return p
}

// logits tells whether scores are not probabilities yet.
func logits(scores []float32) bool {
	sum := 0.0
	for _, v := range scores {
		if v < 0 {
			return true
		}
		sum += float64(v)
	}
	return math.Abs(sum-1) > 1e-3
}

func best(p []float32) int {
	at := 0
	for i, v := range p {
		if v > p[at] {
			at = i
		}
	}
	return at
}

func TestRunAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, name := range []string{"concat_unaligned", "squeeze_and_excitation", "batchnorm_relu_conv1x1", "flatten_nchw_gemm",
		"max_pool_pads_and_strides", "depthwise_k3_s1_m1_c17", "silu_after_conv",
		"quantised_stem_and_depthwise_int8", "quantised_dense_block", "quantised_residuals"} {
		m := loadFile(t, filepath.Join("testdata/ops", name+".onnx"))
		s := m.NewSession()
		h, w, c := m.InputSize()
		in, out := make([]float32, h*w*c), make([]float32, m.OutputSize())
		if n := testing.AllocsPerRun(5, func() {
			if err := s.Run(in, out); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: %g allocations per image", name, n)
		}
	}
}

// TestWithoutWeights: a graph without weights is refused where nobody fills it.
func TestWithoutWeights(t *testing.T) {
	data, err := os.ReadFile("testdata/nets/densenet121.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(data, Options{}); err == nil || !strings.Contains(err.Error(), "elements, the data has 0") {
		t.Errorf("got %v", err)
	}
}
