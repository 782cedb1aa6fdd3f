package onnx

import (
	"math"
	"testing"
)

func TestCurves(t *testing.T) {
	for name, c := range map[string]struct {
		curve *curve
		want  func(x float64) float64
	}{
		"erf":          {erfCurve, math.Erf},
		"gelu":         {geluCurve, func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }},
		"gelu by tanh": {geluTanhCurve, func(x float64) float64 { return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
	} {
		t.Run(name, func(t *testing.T) {
			var in []float32
			for i := -800000; i <= 800000; i++ {
				in = append(in, float32(i)/100000)
			}
			in = append(in, 1e-20, -1e-20, 1e-6, -1e-6, 1e30, -1e30, float32(math.Inf(1)))
			out := make([]float32, len(in))
			c.curve.run(out, in)
			for i, x := range in {
				want := c.want(float64(x))
				if diff := math.Abs(float64(out[i]) - want); !(out[i] == float32(want) || diff <= 2e-8+1.2e-7*math.Abs(want)) {
					t.Fatalf("of %g it is %g, want %g", x, out[i], want)
				}
			}
			if c.curve.run(out, []float32{float32(math.NaN())}); out[0] == out[0] {
				t.Errorf("of what is not a number it is %g", out[0])
			}
		})
	}
}

func TestExpOf(t *testing.T) {
	for i := 0; i <= 1000000; i++ {
		x := -float64(i) / 10000
		if got, want := expOf(x), math.Exp(x); !(math.Abs(got-want) <= 1e-10*want) {
			t.Fatalf("the exponential of %g is %g, want %g", x, got, want)
		}
	}
	for _, x := range []float64{math.Inf(-1), -105, -1e300} {
		if got := expOf(x); float32(got) != float32(math.Exp(x)) {
			t.Errorf("the exponential of %g is %g", x, got)
		}
	}
	if !math.IsNaN(expOf(math.NaN())) {
		t.Error("the exponential of what is not a number is one")
	}
}
