package onnx

import (
	"fmt"
	"slices"
	"strings"
)

// What is done along the last axis of a tensor is done to an image of one row, whose
// pixels are what the other axes number and whose channels are the last one: matrix products
// with constant weights, norms and what a rewrite fuses with them.

// rowsOf gives the pixels and channels of a shape.
func rowsOf(shape []int) (rows, channels int) {
	last := len(shape) - 1
	return volume(shape[:last]), shape[last]
}

// rowed emits an operation on rows, which gives a tensor of a shape.
func (n *node) rowed(o *op, shape []int) (ref, error) {
	size, err := n.l.shapeSize(shape)
	if err != nil {
		return ref{}, err
	}
	o.rows, _ = rowsOf(shape)
	v, err := n.emit(o, 1, 1, size)
	return ref{v: v, shape: shape}, err
}

// productRows multiplies the rows of a tensor with constant weights, and gives one of a shape.
func (n *node) productRows(x ref, w []float32, shape []int) (ref, error) {
	_, cols := rowsOf(shape)
	return n.rowed(&op{kind: opConv, in: []*value{x.v}, win: onePixel, w: transposed(w, len(w)/cols, cols), bias: make([]float32, cols), groups: 1}, shape)
}

// fewChannels are too few for a row's vectors.
const fewChannels = 8

// zipRows is zip of two tensors of one shape, or of one and numbers for its last axis.
func (n *node) zipRows(fast byte, shape []int, in []ref) (out ref, ok bool, err error) {
	if fast == 0 || len(in) != 2 || len(shape) == 0 {
		return out, false, nil
	}
	a, b := in[0], in[1]
	if a.v != nil && b.v != nil {
		if fast == '/' || !slices.Equal(a.dims(), shape) || !slices.Equal(b.dims(), shape) {
			return out, false, nil
		}
		out, err = n.rowed(&op{kind: opBinary, fn: fast, in: []*value{a.v, b.v}}, shape)
		return out, true, err
	}
	swapped := a.k != nil
	if swapped {
		a, b = b, a
	}
	_, c := rowsOf(shape)
	if a.k != nil || c < fewChannels || fast == '/' && swapped || !slices.Equal(a.dims(), shape) {
		return out, false, nil
	}
	t, err := broadcast(b.k, strings.Repeat("N", len(shape)-1)+"C", 1, 1, c)
	if err != nil {
		return out, false, nil // not of the last axis
	}
	o, err := affineOf(fast, a, t, swapped)
	if err == nil {
		out, err = n.rowed(o, shape)
	}
	return out, true, err
}

// lowerLayerNorm is a norm of the channels of an image's pixels.
func lowerLayerNorm(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	axis, err := axisOf(n.intAttr("axis", -1), len(x.axes))
	if err != nil {
		return x, err
	}
	if last := len(x.axes) - 1; axis != last || x.axes[last] != 'C' {
		return x, fmt.Errorf("a norm of %s from axis %d on is not one of channels%s", x.axes, axis, wayOut)
	}
	return n.layerNorm(x, axis, false)
}

// layerNorm is a norm over the last axes of a tensor from axis on, or over the channels of an image's pixels.
func (n *node) layerNorm(x ref, axis int, origin bool) (ref, error) {
	dims := x.dims()
	size := volume(dims[axis:])
	o := &op{kind: opNorm, in: []*value{x.v}, eps: float64(n.floatAttr("epsilon", 1e-5)), origin: origin}
	n.intAttr("stash_type", 1)
	var err error
	if o.scale, o.shift, err = n.scaleAndShift(size); err != nil {
		return x, err
	}
	if x.shape == nil {
		return n.same(o, x)
	}
	got, err := n.rowed(o, append(slices.Clone(dims[:axis]), size))
	return reshaped(got, dims), err
}
