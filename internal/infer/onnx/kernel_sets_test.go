package onnx

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// sameBits compares what the kernels but the portable ones gave.
type sameBits map[string][]float32

func (s sameBits) check(t *testing.T, k *kernels, name string, got []float32) {
	t.Helper()
	if k == &portable {
		return
	}
	first, ok := s[name]
	if !ok {
		s[name] = slices.Clone(got)
		return
	}
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(first[i]) {
			t.Fatalf("%s: %s gives %g, other kernels %g", name, k.name, v, first[i])
		}
	}
}

// recorded holds the sets to a hash of what they give on amd64 and on arm64. NaN
// is one number there and zero has no sign: NEON's maximum of -0 and 0 is 0.
func (s sameBits) recorded(t *testing.T, want string) {
	t.Helper()
	if len(s) == 0 {
		return // only the portable kernels run here
	}
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		for _, v := range s[name] {
			if v != v {
				v = nan
			}
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v+0)))
		}
	}
	if got := fmt.Sprintf("%016x", h.Sum64()); got != want {
		t.Errorf("the kernels' numbers have the hash %s, recorded is %s", got, want)
	}
}

var nan = float32(math.NaN())

// samples are numbers with NaN and infinities among them.
func samples(name string, n int) []float32 {
	x := numbers(name, n)
	for i := range x {
		x[i] *= 20
		switch i % 29 {
		case 3:
			x[i] = nan
		case 7:
			x[i] = inf
		case 11:
			x[i] = -inf
		case 13:
			x[i] = 0
		}
	}
	return x
}

// agrees holds a kernel's result to one in float64, NaN for NaN.
func agrees(got float32, want float64) bool {
	if want != want {
		return got != got
	}
	return float64(got) == want || math.Abs(float64(got)-want) <= 1e-6*math.Max(1, math.Abs(want))
}

func TestPixelKernels(t *testing.T) {
	bits := sameBits{}
	bounded := func(a act) func(float64) float64 {
		lo, hi := a.bounds()
		return func(v float64) float64 {
			if v != v {
				return v
			}
			return min(max(v, float64(lo)), float64(hi))
		}
	}
	sig := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	hard := func(v float64) float64 { return bounded(act{kind: actClamp, lo: 0, hi: 1})(v/6 + 0.5) }
	activations := []struct {
		act  act
		want func(float64) float64
	}{
		{act{kind: actClamp, lo: 0, hi: 6}, bounded(act{kind: actClamp, lo: 0, hi: 6})},
		{act{kind: actSigmoid}, sig},
		{act{kind: actSilu}, func(v float64) float64 { return v * sig(v) }},
		{act{kind: actHardSigmoid, alpha: 1.0 / 6, beta: 0.5}, hard},
		{act{kind: actHardSwish, alpha: 1.0 / 6, beta: 0.5}, func(v float64) float64 { return v * hard(v) }},
		{act{kind: actQuantised, alpha: 0.1, beta: 30, lo: 0, hi: 255}, func(v float64) float64 {
			const scale = float32(0.1)
			steps := math.RoundToEven(float64(float32(v)/scale)) + 30
			return (bounded(act{kind: actClamp, lo: 0, hi: 255})(steps) - 30) * float64(scale)
		}},
	}
	for _, k := range kernelSets() {
		for c := 1; c <= 70; c++ {
			const m = 3
			name := fmt.Sprint(c)
			p := pixelArgs{a: samples("a"+name, m*(c+2)), b: samples("b"+name, m*(c+3)), scale: numbers("s"+name, c), shift: numbers("t"+name, c),
				m: m, c: c, outStep: c + 1, aStep: c + 2, bStep: c + 3, act: act{kind: actClamp, lo: -0.5, hi: 4}}
			try := func(what string, step func(*pixelArgs), want func(a, b float64, j int) float64) {
				t.Helper()
				p.out = guarded(m * (c + 1))
				step(&p)
				for i := range m {
					for j := range c {
						a, b := float64(p.a[i*p.aStep+j]), float64(p.b[i*p.bStep+j])
						if got, w := p.out[i*p.outStep+j], want(a, b, j); !agrees(got, w) {
							t.Fatalf("%s %s, %d channels: %g and %g give %g, expected %g", k.name, what, c, a, b, got, w)
						}
					}
					if p.out[i*p.outStep+c] != 12345 {
						t.Fatalf("%s %s, %d channels: wrote past pixel %d", k.name, what, c, i)
					}
				}
				bits.check(t, k, what+name, p.out)
			}
			bound := bounded(p.act)
			try("affine", k.affine, func(a, _ float64, j int) float64 { return bound(a*float64(p.scale[j]) + float64(p.shift[j])) })
			try("add", func(p *pixelArgs) { k.binary('+', p) }, func(a, b float64, _ int) float64 { return bound(a + b) })
			try("subtract", func(p *pixelArgs) { k.binary('-', p) }, func(a, b float64, _ int) float64 { return bound(a - b) })
			try("multiply", func(p *pixelArgs) { k.binary('*', p) }, func(a, b float64, _ int) float64 { return bound(a * b) })
			for i, v := range p.a { // x*sigmoid(x) has no agreed value at minus infinity
				if v == -inf {
					p.a[i] = -50
				}
			}
			for _, x := range activations {
				p.act = x.act
				try(fmt.Sprint("activation ", x.act.kind, " "), k.activate, func(a, _ float64, _ int) float64 {
					return x.want(a)
				})
			}
		}
	}
	bits.recorded(t, "a1cd90c6d0c4782d")
}

func TestPoolKernels(t *testing.T) {
	bits := sameBits{}
	for _, k := range kernelSets() {
		for c := 1; c <= 140; c++ {
			const m = 4
			taps := []int{0, c + 1, 3 * c, 3*c + 2}
			name := fmt.Sprint(c)
			for _, kind := range []poolKind{poolMax, poolMean} {
				p := poolArgs{a: samples("a"+name, 4*c+2+m*c), taps: taps, m: m, c: c, outStep: c + 1, aStep: c, kind: kind, n: 3, out: guarded(m * (c + 1))}
				k.pool(&p)
				want := poolArgs{a: p.a, taps: taps, m: m, c: c, outStep: c + 1, aStep: c, kind: kind, n: 3, out: guarded(m * (c + 1))}
				portablePool(&want)
				for i, v := range p.out {
					if !agrees(v, float64(want.out[i])) {
						t.Fatalf("%s pool %d, %d channels: out[%d] is %g, expected %g", k.name, kind, c, i, v, want.out[i])
					}
				}
				bits.check(t, k, fmt.Sprint(kind, name), p.out)
			}
			in := view{off: 1, h: 3, w: 5, c: c, ps: c + 2, rs: 5*(c+2) + 4}
			arena, got, want := numbers("m"+name, 1+3*in.rs), guarded(c), guarded(c)
			k.mean(got, arena, in)
			portableMean(want[:c], arena, in)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: the mean of %d channels is %v, expected %v", k.name, c, got, want)
			}
		}
	}
	bits.recorded(t, "ca10285bb6cb8f00")
}

// TestProductsAgree holds the sets to each other, bit by bit, with residual and
// NaN.
func TestProductsAgree(t *testing.T) {
	bits := sameBits{}
	for _, k := range kernelSets() {
		for m := 1; m <= 29; m++ {
			for _, depth := range []int{1, 4, 7, 18} {
				const channels = 32
				name := fmt.Sprintf("%dx%d", m, depth)
				a, weights := numbers("a"+name, 9+m*depth), numbers("w"+name, 2*depth*channels)
				a[0] = nan
				out := make([]float32, m*channels)
				for first := 0; first < channels; first += k.nr {
					n := min(k.nr, channels-first)
					packed := make([]float32, 0, 2*depth*n)
					for r := range 2 * depth {
						packed = append(packed, weights[r*channels+first:][:n]...)
					}
					k.panel(&panelArgs{out: out[first:], a: a, res: numbers("r"+name, m*channels)[first:], taps: []int{0, 9}, depth: depth, w: packed,
						bias: numbers("b"+name, channels)[first:][:n], m: m, n: n, outStep: channels, resStep: channels, aStep: depth, lo: 0, hi: inf})
				}
				if v := out[0]; v == v {
					t.Fatalf("%s: NaN became %g", k.name, v)
				}
				bits.check(t, k, name, out)
				d := depthwiseArgs{out: make([]float32, m*depth), a: a, taps: []int{0, 9}, w: weights[:2*depth], bias: numbers("b"+name, depth),
					m: m, c: depth, outStep: depth, aStep: depth, lo: 0, hi: 6}
				k.depthwise(&d)
				if v := d.out[0]; v == v {
					t.Fatalf("%s: NaN became %g in a depthwise filter", k.name, v)
				}
				bits.check(t, k, "depthwise "+name, d.out)
			}
		}
	}
	bits.recorded(t, "8f62b0b7ed828fa3")
}

func TestKernelsCanBeForced(t *testing.T) {
	for _, k := range kernelSets() {
		t.Setenv("HYDRAULICS_ONNX_KERNELS", k.name)
		if m := loadFile(t, "testdata/ops/relu.onnx"); m.Kernels() != k.name {
			t.Errorf("asked for %s, got %s", k.name, m.Kernels())
		}
	}
	t.Setenv("HYDRAULICS_ONNX_KERNELS", "sse")
	_, err := Load([]byte{}, Options{})
	if err == nil || !strings.Contains(err.Error(), `kernels "sse" are not known or not for this processor, which runs: portable`) {
		t.Errorf("got %v", err)
	}
}
