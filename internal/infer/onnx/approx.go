package onnx

import "math"

// Functions that are as good as those of package math for numbers of 32 bits,
// and several times as fast: transformers call them for every element.

// curve is a smooth function, as cubics between places curveSteps to a unit up to
// curveEnd on both sides, and what it is beyond them.
type curve struct {
	cells  [2 * curveEnd * curveSteps]struct{ a, b, c, d float64 }
	beyond func(float32) float32
}

const (
	curveEnd   = 6
	curveSteps = 32
)

// newCurve takes from a function its values and slopes.
func newCurve(fn func(float64) float64, beyond func(float32) float32) *curve {
	c := &curve{beyond: beyond}
	const near = 1e-5
	knot := func(i int) (value, slope float64) {
		x := float64(i)/curveSteps - curveEnd
		return fn(x), (fn(x+near) - fn(x-near)) / (2 * near * curveSteps)
	}
	for i := range c.cells {
		v, s := knot(i)
		w, t := knot(i + 1)
		p := &c.cells[i]
		p.a, p.b, p.c, p.d = v, s, 3*(w-v)-2*s-t, 2*(v-w)+s+t
	}
	return c
}

func (c *curve) run(out, in []float32) {
	for i, v := range in {
		at := float64(float64(v)*curveSteps) + curveEnd*curveSteps
		if !(at >= 0 && at < float64(len(c.cells))) {
			out[i] = c.beyond(v)
			continue
		}
		p := &c.cells[int(at)]
		t := at - float64(int(at))
		out[i] = float32(float64((float64((float64(p.d*t)+p.c)*t)+p.b)*t) + p.a)
	}
}

var (
	erfCurve      = newCurve(math.Erf, func(v float32) float32 { return float32(math.Erf(float64(v))) })
	geluCurve     = newCurve(func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }, ramp)
	geluTanhCurve = newCurve(func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, ramp)
)

// ramp is what a Gelu is far from zero.
func ramp(v float32) float32 {
	if v < 0 {
		return 0
	}
	return v
}

// expBits is the logarithm of the number of powers between two whole ones of 2.
const expBits = 6

// expTable has 2 to the power of each part of 1.
var expTable = func() (table [1 << expBits]float64) {
	for i := range table {
		table[i] = math.Exp2(float64(i) / (1 << expBits))
	}
	return table
}()

// expOf is within 1e-10 of e to the power of x, relatively, for x of at most 0;
// what 32 bits cannot hold is 0.
func expOf(x float64) float64 {
	if !(x >= -104) {
		if x != x {
			return x
		}
		return 0
	}
	n := int64(float64(x*(math.Log2E*(1<<expBits))) - 0.5) // the nearest, since x is not above 0
	r := x - float64(float64(n)*(math.Ln2/(1<<expBits)))
	power := expTable[n&(1<<expBits-1)] * math.Float64frombits(uint64(n>>expBits+1023)<<52)
	return power + float64(power*float64(r*(1+float64(r*(0.5+float64(r*(1.0/6)))))))
}
