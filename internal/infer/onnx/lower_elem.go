package onnx

import (
	"errors"
	"fmt"
	"math"
)

// operators are the operators this engine knows.
var operators map[string]func(*node) (ref, error)

func init() {
	operators = map[string]func(*node) (ref, error){
		"Add": lowerBinary('+'), "Sub": lowerBinary('-'), "Mul": lowerBinary('*'), "Div": lowerBinary('/'),
		"AveragePool": lowerPool(averagePool), "BatchNormalization": lowerBatchNorm, "Cast": lowerCast, "Clip": lowerClip,
		"Concat": lowerConcat, "Constant": lowerConstant, "Conv": lowerConv, "DequantizeLinear": lowerDequantize, "Dropout": lowerDropout, "Elu": lowerElu,
		"Erf": lowerAct(act{kind: actErf}), "Flatten": lowerFlatten, "Gather": lowerGather, "Gelu": lowerGelu, "Gemm": lowerGemm, "GlobalAveragePool": lowerGlobal(poolMean),
		"GlobalMaxPool": lowerGlobal(poolMax), "HardSigmoid": lowerHardSigmoid,
		"HardSwish": lowerAct(act{kind: actHardSwish, alpha: 1.0 / 6, beta: 0.5}), "Identity": lowerIdentity,
		"LayerNormalization": lowerLayerNorm, "LeakyRelu": lowerLeaky, "MatMul": lowerMatMul, "MaxPool": lowerPool(maxPool), "Pad": lowerPad, "QuantizeLinear": lowerQuantize, "ReduceMean": lowerReduceMean,
		"Relu": lowerAct(act{kind: actClamp, lo: 0, hi: inf}), "Reshape": lowerReshape,
		"Sigmoid": lowerAct(act{kind: actSigmoid}), "Softmax": lowerSoftmax, "Squeeze": lowerSqueeze, "Sum": lowerSum,
		"Tanh": lowerAct(act{kind: actTanh}), "Transpose": lowerTranspose, "Unsqueeze": lowerUnsqueeze,
	}
}

func (n *node) activate(a act) (ref, error) {
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	if x.v == nil {
		return x, fmt.Errorf("input 0 is constant or missing, which is not supported%s", wayOut)
	}
	return n.same(&op{kind: opAct, in: []*value{x.v}, act: a}, x)
}

func lowerAct(a act) func(*node) (ref, error) {
	return func(n *node) (ref, error) { return n.activate(a) }
}

func lowerLeaky(n *node) (ref, error) {
	return n.activate(act{kind: actLeaky, alpha: n.floatAttr("alpha", 0.01)})
}

func lowerElu(n *node) (ref, error) {
	return n.activate(act{kind: actElu, alpha: n.floatAttr("alpha", 1)})
}

func lowerHardSigmoid(n *node) (ref, error) {
	return n.activate(act{kind: actHardSigmoid, alpha: n.floatAttr("alpha", 0.2), beta: n.floatAttr("beta", 0.5)})
}

// lowerClip takes its bounds from attributes or, from version 11, from inputs.
func lowerClip(n *node) (ref, error) {
	a := act{kind: actClamp, lo: -inf, hi: inf}
	a.lo = n.floatAttr("min", a.lo)
	a.hi = n.floatAttr("max", a.hi)
	for i, to := range []*float32{&a.lo, &a.hi} {
		r, err := n.get(i + 1)
		switch {
		case err != nil:
			return r, err
		case r.k == nil && r.v == nil:
		case r.k == nil || len(r.k.floats) != 1:
			return r, fmt.Errorf("input %d is not a constant number%s", i+1, wayOut)
		default:
			*to = r.k.floats[0]
		}
	}
	return n.activate(a)
}

// broadcast spreads a constant over channels: it may be one number, or have
// the channels where the other operand has them and 1 elsewhere. The slice is
// the caller's.
func broadcast(k *constant, axes string, h, w, c int) ([]float32, error) {
	if k.floats == nil {
		return nil, errors.New("it holds no floats")
	}
	out := make([]float32, c)
	if len(k.floats) == 1 && len(k.dims) <= len(axes) {
		for i := range out {
			out[i] = k.floats[0]
		}
		return out, nil
	}
	pad := len(axes) - len(k.dims)
	for i, d := range k.dims {
		if d != 1 && (pad+i < 0 || axes[pad+i] != 'C' || d != c) || pad < 0 {
			return nil, fmt.Errorf("a constant of shape %v does not spread over the channels of %s with h=%d w=%d c=%d%s", k.dims, axes, h, w, c, wayOut)
		}
	}
	if len(k.floats) != c {
		return nil, fmt.Errorf("a constant of shape %v does not fit %d channels", k.dims, c)
	}
	copy(out, k.floats)
	return out, nil
}

func lowerBinary(fn byte) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		a, err := n.get(0)
		if err != nil {
			return a, err
		}
		b, err := n.get(1)
		if err != nil {
			return b, err
		}
		switch {
		case a.v != nil && b.v != nil:
			return n.binary(fn, a, b)
		case a.v != nil && b.k != nil:
			return n.affine(fn, a, b.k, false)
		case a.k != nil && b.v != nil:
			return n.affine(fn, b, a.k, true)
		}
		return a, fmt.Errorf("arithmetic between constants is not supported%s", wayOut)
	}
}

// lowerSum adds any number of images.
func lowerSum(n *node) (ref, error) {
	sum, err := n.tensor(0)
	for i := 1; i < len(n.in) && err == nil; i++ {
		var next ref
		if next, err = n.tensor(i); err == nil {
			sum, err = n.binary('+', sum, next)
		}
	}
	return sum, err
}

// affine is arithmetic with a constant; swapped tells that it comes first.
func (n *node) affine(fn byte, x ref, k *constant, swapped bool) (ref, error) {
	t, err := broadcast(k, x.axes, x.v.h, x.v.w, x.v.c)
	if err != nil {
		return x, err
	}
	o, err := affineOf(fn, x, t, swapped)
	if err != nil {
		return x, err
	}
	return n.same(o, x)
}

// affineOf is arithmetic with a number per channel.
func affineOf(fn byte, x ref, t []float32, swapped bool) (*op, error) {
	o := &op{kind: opAffine, in: []*value{x.v}, scale: make([]float32, len(t)), shift: make([]float32, len(t))}
	for i, v := range t {
		switch {
		case fn == '+':
			o.scale[i], o.shift[i] = 1, v
		case fn == '*':
			o.scale[i] = v
		case fn == '-' && !swapped:
			o.scale[i], o.shift[i] = 1, -v
		case fn == '-':
			o.scale[i], o.shift[i] = -1, v
		case !swapped:
			o.scale[i] = 1 / v
		default:
			return nil, fmt.Errorf("division of a constant by a tensor is not supported%s", wayOut)
		}
	}
	return o, nil
}

// binary is arithmetic between two images, or an image and a vector of its
// channels (the gate of squeeze and excitation).
func (n *node) binary(fn byte, a, b ref) (ref, error) {
	if fn == '/' {
		return a, fmt.Errorf("division of tensors is not supported%s", wayOut)
	}
	if b.v.size() > a.v.size() && fn != '-' {
		a, b = b, a
	}
	sameAxes := a.axes == b.axes || len(a.axes) == len(b.axes) && (a.v.size() == 1 || b.v.size() == 1)
	full := a.v.h == b.v.h && a.v.w == b.v.w && a.v.c == b.v.c
	gate := b.v.h == 1 && b.v.w == 1 && b.v.c == a.v.c
	if !sameAxes || !full && !gate {
		return a, fmt.Errorf("shapes %v (%s) and %v (%s) do not go together%s", a.dims(), a.axes, b.dims(), b.axes, wayOut)
	}
	return n.same(&op{kind: opBinary, fn: fn, in: []*value{a.v, b.v}}, a)
}

func lowerBatchNorm(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	if len(x.axes) < 2 || x.axes[1] != 'C' {
		return x, fmt.Errorf("input has the axes %s, expected the channels second%s", x.axes, wayOut)
	}
	o := &op{kind: opAffine, in: []*value{x.v}}
	if o.scale, o.shift, err = n.batchNorm(x.v.c); err != nil {
		return x, err
	}
	return n.same(o, x)
}

// batchNorm gives what a batch norm multiplies each channel by, and adds to it.
func (n *node) batchNorm(channels int) (scale, shift []float32, err error) {
	eps := float64(n.floatAttr("epsilon", 1e-5))
	n.attr("momentum")
	if n.intAttr("training_mode", 0) != 0 {
		return nil, nil, errors.New("training_mode is on: export the model for inference")
	}
	var p [4][]float32 // gamma, beta, mean, variance
	for i := range p {
		k, err := n.weights(i + 1)
		if err != nil {
			return nil, nil, err
		}
		if len(k.floats) != channels {
			return nil, nil, fmt.Errorf("input %d has %d elements for %d channels", i+1, len(k.floats), channels)
		}
		p[i] = k.floats
	}
	scale, shift = make([]float32, channels), make([]float32, channels)
	for i := range scale {
		s := float64(p[0][i]) / math.Sqrt(float64(p[3][i])+eps)
		scale[i] = float32(s)
		shift[i] = float32(float64(p[1][i]) - float64(float64(p[2][i])*s))
	}
	return scale, shift, nil
}

func lowerSoftmax(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	def := int64(-1)
	if n.l.g.opset < 13 {
		def = 1
	}
	axis, err := axisOf(n.intAttr("axis", def), len(x.axes))
	if err != nil {
		return x, err
	}
	// Before version 13 all axes from this one on are one.
	if x.axes[axis] != 'C' || n.l.g.opset < 13 && x.v.h*x.v.w != 1 {
		return x, fmt.Errorf("axis %d of %s is not the channels%s", axis, x.axes, wayOut)
	}
	return n.same(&op{kind: opSoftmax, in: []*value{x.v}}, x)
}
