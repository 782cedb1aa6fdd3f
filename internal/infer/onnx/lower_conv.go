package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// maxWindow bounds kernels, strides, dilations and pads.
const maxWindow = 1 << 16

// window reads kernel_shape, strides, dilations, pads and auto_pad for an
// input of h x w, and gives the output's size. kernel is from the weights, or
// nil.
func (n *node) window(kernel []int, h, w int, ceil bool) (win window, oh, ow int, err error) {
	if a := n.attr("kernel_shape"); a != nil || kernel == nil {
		k, err := n.intsAttr("kernel_shape", 2, 0, 1, maxWindow)
		if err != nil {
			return win, 0, 0, err
		}
		if kernel != nil && (k[0] != kernel[0] || k[1] != kernel[1]) {
			return win, 0, 0, fmt.Errorf("attribute kernel_shape is %v, the weights have %v", k, kernel)
		}
		kernel = k
	}
	if kernel[0] < 1 || kernel[1] < 1 {
		return win, 0, 0, fmt.Errorf("kernel %v is empty", kernel)
	}
	strides, err := n.intsAttr("strides", 2, 1, 1, maxWindow)
	if err != nil {
		return win, 0, 0, err
	}
	dilations, err := n.intsAttr("dilations", 2, 1, 1, maxWindow)
	if err != nil {
		return win, 0, 0, err
	}
	pads, err := n.intsAttr("pads", 4, 0, 0, maxWindow)
	if err != nil {
		return win, 0, 0, err
	}
	win = window{kh: kernel[0], kw: kernel[1], sh: strides[0], sw: strides[1], dh: dilations[0], dw: dilations[1],
		top: pads[0], left: pads[1], bottom: pads[2], right: pads[3]}
	switch auto := n.stringAttr("auto_pad", "NOTSET"); auto {
	case "NOTSET", "":
	case "VALID":
		win.top, win.left, win.bottom, win.right = 0, 0, 0, 0
	case "SAME_UPPER", "SAME_LOWER":
		win.top, win.bottom = same(h, win.kh, win.sh, win.dh, auto == "SAME_LOWER")
		win.left, win.right = same(w, win.kw, win.sw, win.dw, auto == "SAME_LOWER")
	default:
		return win, 0, 0, fmt.Errorf("attribute auto_pad: %s is not known", auto)
	}
	oh, err = extent(h, win.kh, win.sh, win.dh, win.top, win.bottom, ceil)
	if err != nil {
		return win, 0, 0, err
	}
	ow, err = extent(w, win.kw, win.sw, win.dw, win.left, win.right, ceil)
	return win, oh, ow, err
}

// same gives the pads with which the output has ceil(in/stride) elements; an
// odd one goes after, or before with lower.
func same(in, k, stride, dilation int, lower bool) (before, after int) {
	out := (in + stride - 1) / stride
	total := max((out-1)*stride+(k-1)*dilation+1-in, 0)
	if lower {
		return (total + 1) / 2, total / 2
	}
	return total / 2, (total + 1) / 2
}

// extent gives the number of outputs along one axis. In ceil mode a last
// window that would start in the padding after the image is left out.
func extent(in, k, stride, dilation, before, after int, ceil bool) (int, error) {
	room := in + before + after - (k-1)*dilation - 1
	if room < 0 {
		return 0, fmt.Errorf("a window of %d (dilation %d) is larger than the padded input of %d", k, dilation, in+before+after)
	}
	out := room/stride + 1
	if ceil && room%stride != 0 && out*stride < in+before {
		out++
	}
	return out, nil
}

func lowerConv(n *node) (ref, error) {
	x, err := n.image(0)
	if err != nil {
		return x, err
	}
	w, err := n.weights(1)
	if err != nil {
		return x, err
	}
	return n.convolve(x, w)
}

func (n *node) convolve(x ref, w *constant) (ref, error) {
	if len(w.dims) != 4 {
		return x, fmt.Errorf("weights have %d dimensions, expected 4 (images only)%s", len(w.dims), wayOut)
	}
	groups := n.intAttr("group", 1)
	cout, cin := w.dims[0], w.dims[1]
	if groups < 1 || groups > int64(x.v.c) || x.v.c%int(groups) != 0 || cout%int(groups) != 0 || cin != x.v.c/int(groups) {
		return x, fmt.Errorf("weights of shape %v in %d groups do not fit an input of %d channels", w.dims, groups, x.v.c)
	}
	win, oh, ow, err := n.window(w.dims[2:], x.v.h, x.v.w, false)
	if err != nil {
		return x, err
	}
	bias := make([]float32, cout)
	if b, err := n.get(2); err != nil {
		return x, err
	} else if b.k != nil || b.v != nil {
		k, err := n.weights(2)
		if err != nil {
			return x, err
		}
		if len(k.floats) != cout {
			return x, fmt.Errorf("bias has %d elements for %d channels", len(k.floats), cout)
		}
		copy(bias, k.floats)
	}
	o := &op{kind: opConv, in: []*value{x.v}, win: win, w: w.floats, bias: bias, groups: int(groups), ints: w.whole.weights(0, cout)}
	v, err := n.emit(o, oh, ow, cout)
	return ref{v: v, axes: "NCHW"}, err
}

// lowerMatMul makes a product with constant weights a 1x1 convolution over the
// last axis.
func lowerMatMul(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	w, err := n.weights(1)
	if err != nil {
		return x, err
	}
	return n.dense(x, w, false, 1, nil)
}

func lowerGemm(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	w, err := n.weights(1)
	if err != nil {
		return x, err
	}
	if n.intAttr("transA", 0) != 0 {
		return x, errors.New("attribute transA is not supported" + wayOut)
	}
	alpha, beta := n.floatAttr("alpha", 1), n.floatAttr("beta", 1)
	trans := n.intAttr("transB", 0) != 0
	var bias []float32
	if b, err := n.get(2); err != nil {
		return x, err
	} else if b.k != nil || b.v != nil {
		k, err := n.weights(2)
		if err != nil {
			return x, err
		}
		width := 0
		if len(w.dims) == 2 {
			width = w.dims[1]
			if trans {
				width = w.dims[0]
			}
		}
		if bias, err = broadcast(k, "NC", 1, 1, width); err != nil {
			return x, fmt.Errorf("bias: %w", err)
		}
		for i := range bias {
			bias[i] *= beta
		}
	}
	return n.dense(x, w, trans, alpha, bias)
}

func (n *node) dense(x ref, w *constant, trans bool, alpha float32, bias []float32) (ref, error) {
	if len(w.dims) != 2 || x.axes[len(x.axes)-1] != 'C' || x.axes[0] != 'N' {
		return x, fmt.Errorf("a product of axes %s with weights of shape %v is not supported%s", x.axes, w.dims, wayOut)
	}
	k, m := w.dims[0], w.dims[1]
	if trans {
		k, m = m, k
	}
	if k != x.v.c {
		return x, fmt.Errorf("weights of shape %v do not fit an input of %d channels", w.dims, x.v.c)
	}
	t, axis := w.floats, 0
	if !trans {
		t, axis = transposed(t, k, m), 1
	}
	ints := w.whole.weights(axis, m)
	if ints != nil && !trans {
		ints.w = transposed(ints.w, k, m)
	}
	if alpha != 1 {
		t = scaled(t, alpha)
		ints = ints.scaled(slices.Repeat([]float32{alpha}, m))
	}
	if bias == nil {
		bias = make([]float32, m)
	}
	o := &op{kind: opConv, in: []*value{x.v}, win: onePixel, w: t, bias: bias, groups: 1, ints: ints}
	v, err := n.emit(o, x.v.h, x.v.w, m)
	return ref{v: v, axes: x.axes}, err
}

// transposed turns k rows of m into m of k.
func transposed[T any](w []T, k, m int) []T {
	t := make([]T, len(w))
	for i := range k {
		for j := range m {
			t[j*k+i] = w[i*m+j]
		}
	}
	return t
}

func scaled(w []float32, by float32) []float32 {
	out := make([]float32, len(w))
	for i, x := range w {
		out[i] = x * by
	}
	return out
}

func maxPool(n *node) *op {
	n.attr("storage_order") // concerns the indices, which are not supported
	return &op{kind: opPool, pool: poolMax}
}

func averagePool(n *node) *op {
	return &op{kind: opPool, pool: poolMean, padded: n.intAttr("count_include_pad", 0) != 0}
}

func lowerPool(kind func(*node) *op) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.image(0)
		if err != nil {
			return x, err
		}
		return n.pool(kind(n), x)
	}
}

func (n *node) pool(o *op, x ref) (ref, error) {
	win, oh, ow, err := n.window(nil, x.v.h, x.v.w, n.intAttr("ceil_mode", 0) != 0)
	if err != nil {
		return x, err
	}
	o.in, o.win = []*value{x.v}, win
	v, err := n.emit(o, oh, ow, x.v.c)
	return ref{v: v, axes: "NCHW"}, err
}

func lowerGlobal(kind poolKind) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.image(0)
		if err != nil {
			return x, err
		}
		v, err := n.emit(&op{kind: opGlobal, in: []*value{x.v}, pool: kind}, 1, 1, x.v.c)
		return ref{v: v, axes: "NCHW"}, err
	}
}

// lowerReduceMean is the mean over height and width, in whatever order the
// file has its axes.
func lowerReduceMean(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	list, ok, err := n.axesList(1)
	if err != nil {
		return x, err
	}
	n.attr("noop_with_empty_axes")
	keep := n.intAttr("keepdims", 1) != 0
	over := map[byte]bool{}
	for _, a := range list {
		i, err := axisOf(a, len(x.axes))
		if err != nil {
			return x, err
		}
		over[x.axes[i]] = true
	}
	if !ok || len(x.axes) != 4 || len(over) != 2 || !over['H'] || !over['W'] {
		return x, fmt.Errorf("a mean over the axes %v of %s is not supported, only over height and width%s", list, x.axes, wayOut)
	}
	v, err := n.emit(&op{kind: opGlobal, in: []*value{x.v}, pool: poolMean}, 1, 1, x.v.c)
	if keep {
		return ref{v: v, axes: x.axes}, err
	}
	return ref{v: v, axes: "NC"}, err
}
