package onnx

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// plainInts are the kernels of integers in plain Go, to hold the others to, and
// to run the steps of integers on processors that have none.
var plainInts = &intKernels{nr: plainNR, panel: plainIntPanel, depthwise: plainIntDepthwise, scale: plainScale, add: plainAdd}

const plainNR = 32

// fused is x*y + z rounded once.
func fused(x, y, z float32) float32 { return float32(math.FMA(float64(x), float64(y), float64(z))) }

// toByte clamps, NaN to the lower bound, and rounds half to even.
func toByte(y, lo, hi float32, zero int32) uint8 {
	if !(y >= lo) {
		y = lo
	}
	return uint8(int32(math.RoundToEven(float64(min(y, hi)))) + zero)
}

func (p *intPanelArgs) put(i, j int, sum int32) {
	y := fused(float32(sum), p.mult[j], p.add[j])
	if p.res != nil {
		y = fused(p.res[i*p.resStep+j], p.resScale, y)
	}
	if p.bytes != nil {
		p.bytes[i*p.outStep+j] = toByte(y, p.lo, p.hi, p.zero)
	} else {
		p.floats[i*p.outStep+j] = clamp(y, p.lo, p.hi)
	}
}

func plainIntPanel(p *intPanelArgs) {
	width := (&intKernels{nr: plainNR}).width(p.n)
	for i := range p.m {
		for j := range p.n {
			sum := p.start[j]
			for t, tap := range p.taps {
				for k := range p.depth {
					at := (t*p.depth+k)/quad*width + j
					sum += int32(p.a[tap+i*p.aStep+k]) * int32(p.w[at*quad+k%quad])
				}
			}
			p.put(i, j, sum)
		}
	}
}

func plainIntDepthwise(p *intPanelArgs) {
	for i := range p.m {
		for j := range p.n {
			sum := p.start[j]
			for t, tap := range p.taps {
				sum += int32(p.a[tap+i*p.aStep+j]) * p.filters[t*p.n+j]
			}
			p.put(i, j, sum)
		}
	}
}

func (p *scaleArgs) put(i, j int, y float32) {
	if p.bytes != nil {
		p.bytes[i*p.outStep+j] = toByte(y, p.lo, p.hi, p.zero)
	} else {
		p.floats[i*p.outStep+j] = clamp(y, p.lo, p.hi)
	}
}

func plainScale(p *scaleArgs) {
	for i := range p.m {
		for j := range p.c {
			var a float32
			switch {
			case p.aFloats != nil:
				a = p.aFloats[i*p.aStep+j]
			case p.scale != nil:
				a = float32(p.a[i*p.aStep+j]) - p.zeroA
			default:
				a = float32(float32(p.a[i*p.aStep+j])-p.zeroA) * p.scaleA
			}
			if p.scale != nil {
				p.put(i, j, fused(a, p.scale[j], p.shift[j]))
			} else {
				p.put(i, j, a/p.step)
			}
		}
	}
}

func plainAdd(p *scaleArgs) {
	for i := range p.m {
		for j := range p.c {
			a := float32(float32(float32(p.a[i*p.aStep+j])-p.zeroA) * p.scaleA)
			b := float32(float32(float32(p.b[i*p.bStep+j])-p.zeroB) * p.scaleB)
			p.put(i, j, (a+b)/p.step)
		}
	}
}

// intSets are the kernels of integers that this processor has.
func intSets(t *testing.T) map[string]*intKernels {
	t.Helper()
	sets := map[string]*intKernels{}
	for _, k := range kernelSets() {
		if k.ints != nil {
			sets[k.name] = k.ints
		}
	}
	if len(sets) == 0 {
		t.Skip("this processor has no instructions for integers (AVX512-VNNI)")
	}
	return sets
}

// byteNumbers are all kinds of bytes, with runs of the extremes that a
// saturating product would lose.
func byteNumbers(name string, n int) []uint8 {
	x := make([]uint8, n)
	for i, v := range numbers(name, n) {
		x[i] = uint8(127.5 + 127.5*v)
		if i%16 < 5 {
			x[i] = 255
		}
	}
	return x
}

func signedNumbers(name string, n int) []int8 {
	x := make([]int8, n)
	for i, v := range byteNumbers(name, n) {
		x[i] = int8(v ^ 0x80)
		if i%32 == 7 {
			x[i] = -128
		}
	}
	return x
}

func int32s(name string, n int, size float32) []int32 {
	x := make([]int32, n)
	for i, v := range numbers(name, n) {
		x[i] = int32(v * size)
	}
	return x
}

func guardedBytes(n int) []uint8 {
	x := make([]uint8, n+64)
	for i := range x {
		x[i] = 99
	}
	return x
}

// intPanel makes operands, the same ones for the same name.
func intPanel(name string, m, n, depth int, taps []int, residual, bytes bool) *intPanelArgs {
	p := &intPanelArgs{taps: taps, depth: depth, m: m, n: n, aStep: depth + 5, outStep: n + 3, resStep: n + 1, resScale: 1.7,
		start: int32s("s"+name, plainNR, 1e6), mult: numbers("m"+name, plainNR), add: numbers("d"+name, plainNR), lo: -90, hi: 1e6, zero: 0}
	p.a = byteNumbers("a"+name, taps[len(taps)-1]+m*p.aStep)
	p.w = signedNumbers("w"+name, len(taps)*depth*plainNR)
	if residual {
		p.res = numbers("r"+name, m*p.resStep)
	}
	if bytes { // scaled so that some are cut off
		for j := range p.mult {
			p.mult[j] *= 1e-3
		}
		p.bytes, p.zero, p.lo, p.hi = guardedBytes(m*p.outStep), 100, -100, 155
		return p
	}
	p.floats = guarded(m * p.outStep)
	return p
}

// sameOutput compares the outputs bit by bit, and what lies between them.
func sameOutput(t *testing.T, name string, bytes, wantBytes []uint8, floats, wantFloats []float32) {
	t.Helper()
	if !slices.Equal(bytes, wantBytes) {
		t.Fatalf("%s: got\n%v, expected\n%v", name, bytes, wantBytes)
	}
	for i, v := range floats {
		if math.Float32bits(v) != math.Float32bits(wantFloats[i]) {
			t.Fatalf("%s: float %d is %g, expected %g", name, i, v, wantFloats[i])
		}
	}
}

// TestIntPanelKernel compares every size of tile and remainder with plain Go,
// bit by bit.
func TestIntPanelKernel(t *testing.T) {
	for set, k := range intSets(t) {
		for _, m := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 29} {
			for n := 1; n <= k.nr; n++ {
				for _, depth := range []int{4, 12, 16, 36} {
					for variant := range 4 {
						taps := [][]int{{0}, {0, 40, 95}}[(n+variant)%2]
						residual, bytes := variant&1 != 0, variant&2 != 0
						name := fmt.Sprintf("%s %dx%d depth %d taps %d residual %v bytes %v", set, m, n, depth, len(taps), residual, bytes)
						got, want := intPanel(name, m, n, depth, taps, residual, bytes), intPanel(name, m, n, depth, taps, residual, bytes)
						k.panel(got)
						plainIntPanel(want)
						sameOutput(t, name, got.bytes, want.bytes, got.floats, want.floats)
					}
				}
			}
		}
	}
}

func TestIntDepthwiseKernel(t *testing.T) {
	for set, k := range intSets(t) {
		for m := 1; m <= 15; m++ {
			for _, c := range []int{1, 3, 8, 15, 16, 17, 24, 33, 47, 64} {
				for variant := range 4 {
					name := fmt.Sprintf("%s %d pixels %d channels variant %d", set, m, c, variant)
					operands := func() *intPanelArgs {
						p := intPanel(name, m, c, c, []int{0, 21, 63, 64}, variant&1 != 0, variant&2 != 0)
						p.start, p.mult, p.add = int32s("s"+name, c, 1e4), numbers("m"+name, c), numbers("d"+name, c)
						p.filters = int32s("f"+name, 4*c, 128)
						return p
					}
					got, want := operands(), operands()
					k.depthwise(got)
					plainIntDepthwise(want)
					sameOutput(t, name, got.bytes, want.bytes, got.floats, want.floats)
				}
			}
		}
	}
}

// scaleOperands makes operands with NaN and infinities among the floats.
func scaleOperands(name string, m, c int, fromFloats, toFloats bool) *scaleArgs {
	p := &scaleArgs{m: m, c: c, outStep: c + 1, aStep: c + 2, bStep: c + 3, scale: numbers("s"+name, c), shift: numbers("t"+name, c),
		zeroB: 130, scaleA: 0.37, scaleB: 0.81, step: 0.7, lo: -20, hi: 100, zero: 33, b: byteNumbers("b"+name, m*(c+3))}
	if fromFloats {
		p.aFloats = samples("a"+name, m*(c+2))
	} else {
		p.a, p.zeroA = byteNumbers("a"+name, m*(c+2)), 128
	}
	if toFloats {
		p.floats = guarded(m * p.outStep)
	} else {
		p.bytes = guardedBytes(m * p.outStep)
	}
	return p
}

func TestScaleKernels(t *testing.T) {
	for set, k := range intSets(t) {
		for c := 1; c <= 140; c++ {
			for kind, x := range []struct{ fromFloats, toFloats, divide, sum bool }{{fromFloats: true}, {}, {toFloats: true}, {fromFloats: true, divide: true}, {divide: true}, {sum: true}} {
				name := fmt.Sprintf("%s %d channels kind %d", set, c, kind)
				got, want := scaleOperands(name, 3, c, x.fromFloats, x.toFloats), scaleOperands(name, 3, c, x.fromFloats, x.toFloats)
				if x.divide {
					got.scale, want.scale = nil, nil
				}
				if x.sum {
					k.add(got)
					plainAdd(want)
				} else {
					k.scale(got)
					plainScale(want)
				}
				sameOutput(t, name, got.bytes, want.bytes, got.floats, want.floats)
			}
		}
	}
}

// TestRoundingIsHalfToEven fixes what the reference and the kernels share.
func TestRoundingIsHalfToEven(t *testing.T) {
	half := []float32{0.5, 1.5, 2.5, -0.5, -1.5, 254.5, 255.5, 1e9, -1e9, inf, -inf, nan}
	want := []uint8{10, 12, 12, 10, 8, 255, 255, 255, 0, 255, 0, 0}
	sets := map[string]*intKernels{"plain": plainInts}
	for _, k := range kernelSets() {
		if k.ints != nil {
			sets[k.name] = k.ints
		}
	}
	for name, k := range sets {
		p := scaleArgs{aFloats: half, bytes: make([]uint8, len(half)), scale: slices.Repeat([]float32{1}, len(half)), shift: make([]float32, len(half)),
			m: 1, c: len(half), lo: -10, hi: 245, zero: 10}
		for range 2 {
			if k.scale(&p); !slices.Equal(p.bytes, want) {
				t.Errorf("%s: %v become %v, expected %v", name, half, p.bytes, want)
			}
			p.scale, p.step, p.bytes = nil, 1, make([]uint8, len(half)) // divided
		}
	}
}
