package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Quantised models (QDQ) are lowered in floats: weights are dequantised here, and
// a QuantizeLinear with the DequantizeLinear behind it is an activation that
// rounds to the numbers that the integers stand for. Where the processor has the
// instructions, integers.go turns that into arithmetic of integers.

// quantised says of a ref that QuantizeLinear made it: its integers exist only
// as what v will be rounded to.
type quantised struct {
	scale, zero float32
	lo, hi      float32 // the integers' range
	rounded     *value  // by the first DequantizeLinear
}

// scales reads the scale and zero point of a node, which must be constant.
func (n *node) scales() (scale []float32, zero []int64, elem int64, err error) {
	k, err := n.weights(1)
	if err != nil {
		return nil, nil, 0, err
	}
	for _, s := range k.floats {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			return nil, nil, 0, fmt.Errorf("scale %g is not a positive number", s)
		}
	}
	zero, elem = make([]int64, len(k.floats)), elemUint8
	z, err := n.get(2)
	switch {
	case err != nil:
		return nil, nil, 0, err
	case z.v != nil || z.k != nil && z.k.floats != nil:
		return nil, nil, 0, errors.New("the zero point is not constant integers" + wayOut)
	case z.k != nil && len(z.k.ints) != len(zero):
		return nil, nil, 0, fmt.Errorf("%d zero points do not fit %d scales", len(z.k.ints), len(zero))
	case z.k != nil:
		zero, elem = z.k.ints, z.k.elem
	}
	n.attr("saturate") // concerns types that are not supported
	if len(zero) == 0 {
		return nil, nil, 0, errors.New("the scale is empty")
	}
	return k.floats, zero, elem, nil
}

// rangeOf gives the range of an integer type.
func rangeOf(elem int64) (lo, hi float64, err error) {
	switch elem {
	case elemUint8:
		return 0, 255, nil
	case elemInt8:
		return -128, 127, nil
	}
	return 0, 0, fmt.Errorf("quantising to %s is not supported, only to uint8 and int8%s", elemNames[elem], wayOut)
}

// quantise rounds half to even and saturates, as ONNX does.
func quantise(v, scale float32, zero, lo, hi float64) float64 {
	return min(max(math.RoundToEven(float64(v/scale))+zero, lo), hi)
}

func lowerQuantize(n *node) (ref, error) {
	scale, zero, elem, err := n.scales()
	if err != nil {
		return ref{}, err
	}
	lo, hi, err := rangeOf(elem)
	if err != nil {
		return ref{}, err
	}
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	if x.k != nil && x.k.floats != nil {
		group, err := n.groups(x.k.dims, len(scale))
		if err != nil {
			return x, err
		}
		k := &constant{dims: x.k.dims, ints: make([]int64, len(x.k.floats)), elem: elem}
		for i, v := range x.k.floats {
			g := group(i)
			k.ints[i] = int64(quantise(v, scale[g], float64(zero[g]), lo, hi))
		}
		return ref{k: k}, nil
	}
	if x, err = n.tensor(0); err != nil {
		return x, err
	}
	if len(scale) != 1 {
		return x, fmt.Errorf("%d scales of what is computed are not supported, only one%s", len(scale), wayOut)
	}
	n.attr("axis")
	x.q = &quantised{scale: scale[0], zero: float32(zero[0]), lo: float32(lo), hi: float32(hi)}
	return x, nil
}

func lowerDequantize(n *node) (ref, error) {
	scale, zero, _, err := n.scales()
	if err != nil {
		return ref{}, err
	}
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	switch {
	case x.k != nil && x.k.floats == nil:
		group, err := n.groups(x.k.dims, len(scale))
		if err != nil {
			return x, err
		}
		k := &constant{dims: x.k.dims, floats: make([]float32, len(x.k.ints))}
		for i, v := range x.k.ints {
			g := group(i)
			k.floats[i] = float32(v-zero[g]) * scale[g]
		}
		k.whole, err = n.wholeNumbers(x.k, zero, scale, group)
		return ref{k: k}, err
	case x.q == nil:
		return x, errors.New("its input is neither constant integers nor the output of QuantizeLinear" + wayOut)
	case len(scale) != 1 || scale[0] != x.q.scale || float32(zero[0]) != x.q.zero:
		return x, errors.New("its scale or zero point is not that of the QuantizeLinear before it" + wayOut)
	}
	n.attr("axis")
	a := act{kind: actQuantised, alpha: x.q.scale, beta: x.q.zero, lo: x.q.lo, hi: x.q.hi}
	q := x.q
	x.q = nil
	if q.rounded != nil {
		return ref{v: q.rounded, axes: x.axes}, nil
	}
	x, err = n.same(&op{kind: opAct, in: []*value{x.v}, act: a}, x)
	q.rounded = x.v
	return x, err
}

// wholeNumbers are the integers of a constant without their zero points, with
// one scale, or one for each index along an axis.
type wholeNumbers struct {
	w     []int8
	scale []float32
	axis  int
}

// wholeNumbers gives nil where a number without its zero point is no int8.
func (n *node) wholeNumbers(k *constant, zero []int64, scale []float32, group func(i int) int) (*wholeNumbers, error) {
	if k.elem != elemInt8 && k.elem != elemUint8 {
		return nil, nil
	}
	out := &wholeNumbers{w: make([]int8, len(k.ints)), scale: scale}
	for i, v := range k.ints {
		v -= zero[group(i)]
		if v < -128 || v > 127 {
			return nil, nil
		}
		out.w[i] = int8(v)
	}
	if len(scale) == 1 {
		return out, nil
	}
	var err error
	out.axis, err = axisOf(n.intAttr("axis", 1), len(k.dims))
	return out, err
}

// weights gives the numbers of weights whose n outputs are an axis; nil where
// the scales are along another one.
func (k *wholeNumbers) weights(axis, n int) *intWeights {
	switch {
	case k == nil:
		return nil
	case len(k.scale) == 1:
		return &intWeights{w: k.w, scale: slices.Repeat(k.scale, n)}
	case k.axis == axis && len(k.scale) == n:
		return &intWeights{w: k.w, scale: k.scale}
	}
	return nil
}

// groups tells which of so many scales is that of each element of a constant:
// the only one, or that of its index along the node's axis.
func (n *node) groups(dims []int, scales int) (func(i int) int, error) {
	axis := n.intAttr("axis", 1)
	if n.intAttr("block_size", 0) != 0 {
		return nil, errors.New("attribute block_size is not supported" + wayOut)
	}
	if scales == 1 {
		return func(int) int { return 0 }, nil
	}
	at, err := axisOf(axis, len(dims))
	if err != nil {
		return nil, err
	}
	if dims[at] != scales {
		return nil, fmt.Errorf("%d scales do not fit axis %d of shape %v", scales, axis, dims)
	}
	inner := 1
	for _, d := range dims[at+1:] {
		inner *= d
	}
	return func(i int) int { return i / inner % scales }, nil
}
