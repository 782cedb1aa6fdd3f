package onnx

import (
	"fmt"
	"math"
)

// tensorReduce is a reduction over any axes.
func tensorReduce(start float64, add func(sum, v float64) float64, end func(sum float64, n int) float64) func(*node) (ref, error) {
	r := reduction{start: start, add: add, end: end}
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		list, _, err := n.axesList(1)
		if err != nil {
			return x, err
		}
		if n.intAttr("noop_with_empty_axes", 0) != 0 && len(list) == 0 {
			return x, nil
		}
		return n.reduce(r, x, list, n.intAttr("keepdims", 1) != 0)
	}
}

// reduction makes one number of several.
type reduction struct {
	start float64
	add   func(sum, v float64) float64
	end   func(sum float64, n int) float64
}

var (
	meanOfAll    = reduction{0, plus, meanOf}
	largestOfAll = reduction{math.Inf(-1), largest, alone}
)

// reduce makes one number of those along some axes, or along all where none is named.
func (n *node) reduce(r reduction, x ref, list []int64, keep bool) (ref, error) {
	dims := x.dims()
	over := make([]bool, len(dims))
	for i := range over {
		over[i] = len(list) == 0
	}
	for _, a := range list {
		i, err := axisOf(a, len(dims))
		if err != nil {
			return x, err
		}
		over[i] = true
	}
	shape := []int{}
	var kept, keptSteps, gone, goneSteps []int
	for i, s := range strides(dims) {
		switch {
		case !over[i]:
			kept, keptSteps, shape = append(kept, dims[i]), append(keptSteps, s), append(shape, dims[i])
		case keep:
			shape = append(shape, 1)
			fallthrough
		default:
			gone, goneSteps = append(gone, dims[i]), append(goneSteps, s)
		}
	}
	if volume(kept) > maxTables || volume(gone) > maxTables {
		return x, fmt.Errorf("a reduction of %v over the axes %v is too large%s", dims, list, wayOut)
	}
	if err := n.l.spend(volume(kept) + volume(gone)); err != nil {
		return x, err
	}
	return n.compute(&reduceBody{base: offsets(kept, keptSteps), over: offsets(gone, goneSteps), reduction: r}, shape, x)
}

// tensorGlobal reduces all axes behind the channels.
func tensorGlobal(r func(n *node) (reduction, error)) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		how, err := r(n)
		if err != nil {
			return x, err
		}
		var list []int64
		for i := 2; i < len(x.dims()); i++ {
			list = append(list, int64(i))
		}
		if list == nil {
			return x, fmt.Errorf("shape %v has nothing behind its channels", x.dims())
		}
		return n.reduce(how, x, list, true)
	}
}

func always(r reduction) func(*node) (reduction, error) {
	return func(*node) (reduction, error) { return r, nil }
}

// powers is the p-norm that a node's attribute chooses.
func powers(n *node) (reduction, error) {
	p := float64(n.intAttr("p", 2))
	if p < 1 {
		return reduction{}, fmt.Errorf("attribute p: %g is less than 1", p)
	}
	return reduction{0, func(sum, v float64) float64 { return sum + math.Pow(math.Abs(v), p) },
		func(sum float64, _ int) float64 { return math.Pow(sum, 1/p) }}, nil
}

// tensorLpNorm divides by the p-norm along an axis; where that is zero it gives zero.
func tensorLpNorm(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	how, err := powers(n)
	if err != nil {
		return x, err
	}
	norm, err := n.reduce(how, x, []int64{n.intAttr("axis", -1)}, true)
	if err != nil {
		return x, err
	}
	return n.zip(0, func(v, by, _ float32) float32 {
		if by == 0 {
			return 0
		}
		return v / by
	}, x, norm)
}

// tensorMeanVariance takes the mean along some axes away and divides by the deviation.
func tensorMeanVariance(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	axes := []int64{0, 2, 3}
	if a := n.attr("axes"); a != nil {
		axes = a.ints
	}
	mean, err := n.reduce(meanOfAll, x, axes, true)
	if err != nil {
		return x, err
	}
	away, err := n.zip('-', nil, x, mean)
	if err != nil {
		return x, err
	}
	deviation, err := n.reduce(reduction{0, plusSquare, func(sum float64, n int) float64 { return math.Sqrt(meanOf(sum, n)) + 1e-9 }}, away, axes, true)
	if err != nil {
		return x, err
	}
	return n.zip('/', nil, away, deviation)
}

func plus(sum, v float64) float64       { return sum + v }
func plusSquare(sum, v float64) float64 { return sum + float64(v*v) }
func plusAbs(sum, v float64) float64    { return sum + math.Abs(v) }
func plusExp(sum, v float64) float64 { // log(e^sum + e^v)
	most := max(sum, v)
	if math.IsInf(most, 0) {
		return most
	}
	return most + math.Log1p(math.Exp(min(sum, v)-most))
}
func alone(sum float64, _ int) float64  { return sum }
func meanOf(sum float64, n int) float64 { return sum / float64(n) }
func rootOf(sum float64, _ int) float64 { return math.Sqrt(sum) }
func logOf(sum float64, _ int) float64  { return math.Log(sum) }
func largest(a, b float64) float64      { return max(a, b) }
func smallest(a, b float64) float64     { return min(a, b) }
func times(a, b float64) float64        { return a * b }
func three(fn func(a, b float64) float64) func(a, b, c float32) float32 {
	return func(a, b, _ float32) float32 { return float32(fn(float64(a), float64(b))) }
}
