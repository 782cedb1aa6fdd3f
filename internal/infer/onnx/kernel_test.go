package onnx

import (
	"fmt"
	"math"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

func numbers(name string, n int) []float32 {
	x := make([]float32, n)
	onnxtest.Uniform(x, name, -1, 1)
	return x
}

// guarded gives n floats with a known pattern after them.
func guarded(n int) []float32 {
	x := make([]float32, n+32)
	for i := range x {
		x[i] = 12345
	}
	return x
}

const clamped = 0.25

// near compares with a sum in float64 over terms of at most 1.
func near(got float32, want float64, terms int) bool {
	return math.Abs(float64(got)-want) <= 1e-6*float64(terms+1)
}

// TestPanelKernel compares every size of tile and remainder with float64.
func TestPanelKernel(t *testing.T) {
	for _, k := range kernelSets() {
		for _, m := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 29} {
			for n := 1; n <= k.nr; n++ {
				for _, depth := range []int{1, 2, 3, 7, 16, 33} {
					for _, taps := range [][]int{{0}, {0, 40, 95}} {
						for variant := range 4 {
							name := fmt.Sprintf("%s %dx%d depth %d taps %d variant %d", k.name, m, n, depth, len(taps), variant)
							checkPanel(t, k, name, m, n, depth, taps, variant&1 != 0, variant&2 != 0)
						}
					}
				}
			}
		}
	}
}

func checkPanel(t *testing.T, k *kernels, name string, m, n, depth int, taps []int, residual, clip bool) {
	t.Helper()
	aStep, outStep, resStep := depth+5, n+3, n+1
	a := numbers("a"+name, taps[len(taps)-1]+m*aStep)
	p := panelArgs{a: a, taps: taps, depth: depth, m: m, n: n, aStep: aStep, outStep: outStep, resStep: resStep,
		w: numbers("w"+name, len(taps)*depth*k.nr), bias: numbers("b"+name, k.nr), out: guarded(m * outStep), lo: -inf, hi: inf}
	if residual {
		p.res = numbers("r"+name, m*resStep)
	}
	if clip {
		p.lo, p.hi = -clamped, clamped
	}
	k.panel(&p)
	for i := range m {
		for j := range outStep {
			got := p.out[i*outStep+j]
			if j >= n {
				if got != 12345 {
					t.Fatalf("%s: wrote past the channels of pixel %d", name, i)
				}
				continue
			}
			want := float64(p.bias[j])
			for x, tap := range taps {
				for c := range depth {
					want += float64(a[tap+i*aStep+c]) * float64(p.w[(x*depth+c)*k.width(n)+j])
				}
			}
			if residual {
				want += float64(p.res[i*resStep+j])
			}
			if clip {
				want = max(-clamped, min(clamped, want))
			}
			if !near(got, want, len(taps)*depth) {
				t.Fatalf("%s: out[%d][%d] is %g, expected %g", name, i, j, got, want)
			}
		}
	}
}

func TestDepthwiseKernel(t *testing.T) {
	taps := []int{0, 21, 63, 64}
	for _, k := range kernelSets() {
		for m := 1; m <= 15; m++ {
			for _, c := range []int{1, 3, 8, 15, 16, 17, 24, 33, 47, 64} {
				for _, residual := range []bool{false, true} {
					name := fmt.Sprintf("%s %d pixels %d channels residual %v", k.name, m, c, residual)
					p := depthwiseArgs{taps: taps, m: m, c: c, aStep: c + 2, outStep: c + 1, resStep: c, a: numbers("a"+name, 64+m*(c+2)),
						w: numbers("w"+name, len(taps)*c), bias: numbers("b"+name, c), out: guarded(m * (c + 1)), lo: -clamped, hi: inf}
					if residual {
						p.res = numbers("r"+name, m*c)
					}
					k.depthwise(&p)
					for i := range m {
						for j := range c {
							want := float64(p.bias[j])
							for x, tap := range taps {
								want += float64(p.a[tap+i*p.aStep+j]) * float64(p.w[x*c+j])
							}
							if residual {
								want += float64(p.res[i*p.resStep+j])
							}
							if got := p.out[i*p.outStep+j]; !near(got, max(want, -clamped), len(taps)) {
								t.Fatalf("%s: out[%d][%d] is %g, expected %g", name, i, j, got, want)
							}
						}
						if p.out[i*p.outStep+c] != 12345 {
							t.Fatalf("%s: wrote past the channels of pixel %d", name, i)
						}
					}
				}
			}
		}
	}
}

func TestClampLetsNaNPass(t *testing.T) {
	nan := float32(math.NaN())
	if v := clamp(nan, 0, 6); v == v {
		t.Errorf("NaN became %g", v)
	}
	for _, a := range []act{{kind: actClamp, lo: 0, hi: 6}, {kind: actSigmoid}, {kind: actSilu}, {kind: actHardSwish, alpha: 1, beta: 1}, {kind: actElu}} {
		px := []float32{nan}
		if a.apply(px, px); px[0] == px[0] {
			t.Errorf("activation %d makes %g of NaN", a.kind, px[0])
		}
	}
}
