package onnx

import (
	"fmt"
	"math"
	"testing"
)

// TestCurveKernels compares the functions of transformers with those of package math, on all lanes and remainders.
func TestCurveKernels(t *testing.T) {
	const top, mean, inverse = 9, 0.25, 1.5
	gelu := func(v float64) float64 { return 0.5 * v * math.Erfc(-v/math.Sqrt2) }
	functions := map[string]struct {
		run  func(k *kernels, p *pixelArgs)
		want func(v float64, j int, p *pixelArgs) float64
	}{
		"erf":  {activation(actErf), func(v float64, _ int, _ *pixelArgs) float64 { return math.Erf(v) }},
		"gelu": {activation(actGelu), func(v float64, _ int, _ *pixelArgs) float64 { return gelu(v) }},
		"gelu by tanh": {activation(actGeluTanh), func(v float64, _ int, _ *pixelArgs) float64 {
			return v / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		}},
		"exponentials": {func(k *kernels, p *pixelArgs) { k.exp(p, top) }, func(v float64, _ int, _ *pixelArgs) float64 { return math.Exp(v - top) }},
		"norm": {func(k *kernels, p *pixelArgs) { k.norm(p, mean, inverse) }, func(v float64, j int, p *pixelArgs) float64 {
			return (v-mean)*inverse*float64(p.scale[j]) + float64(p.shift[j])
		}},
	}
	for name, f := range functions {
		t.Run(name, func(t *testing.T) {
			bits := sameBits{}
			for _, k := range kernelSets() {
				for c := 1; c <= 70; c++ {
					const m = 200
					p := pixelArgs{a: make([]float32, m*(c+2)), scale: numbers("scale", c), shift: numbers("shift", c), out: guarded(m * (c + 1)),
						m: m, c: c, outStep: c + 1, aStep: c + 2}
					for i := range p.a { // from -9 to 9, of which a few are no numbers or next to nothing
						p.a[i] = float32(i)/float32(len(p.a))*18 - 9
						switch i % 97 {
						case 41:
							p.a[i] = nan
						case 53:
							p.a[i] = 1e-20
						}
					}
					f.run(k, &p)
					for i := range m {
						for j := range c {
							v := p.a[i*p.aStep+j]
							if got, want := p.out[i*p.outStep+j], f.want(float64(v), j, &p); !agrees(got, want) {
								t.Fatalf("%s, %d channels: of %g it is %g, expected %g", k.name, c, v, got, want)
							}
						}
						if p.out[i*p.outStep+c] != 12345 {
							t.Fatalf("%s, %d channels: wrote past pixel %d", k.name, c, i)
						}
					}
					if k.name != "neon" { // which leaves them to the portable ones
						bits.check(t, k, fmt.Sprint(c), p.out)
					}
				}
			}
		})
	}
}

func activation(kind actKind) func(*kernels, *pixelArgs) {
	return func(k *kernels, p *pixelArgs) {
		p.act = act{kind: kind}
		k.activate(p)
	}
}

// TestFarGelu: far from zero a Gelu is what it was given, or nothing.
func TestFarGelu(t *testing.T) {
	for _, k := range kernelSets() {
		p := pixelArgs{a: []float32{100, 1e30, -100, inf}, out: make([]float32, 4), m: 1, c: 4, act: act{kind: actGelu}}
		k.activate(&p)
		for i, want := range []float32{100, 1e30, 0, inf} {
			if got := p.out[i]; got != want && math.Abs(float64(got-want)) > 1e-5 {
				t.Errorf("%s: the Gelu of %g is %g", k.name, p.a[i], got)
			}
		}
	}
}
