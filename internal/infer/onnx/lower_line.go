package onnx

import (
	"fmt"
	"maps"
	"slices"
)

// What is done to a line of places is done to an image of height 1.

// line gives a tensor of one batch, channels and places as an image, and the node
// with the attributes that it has for one.
func (n *node) line() (*node, ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return n, x, err
	}
	d := x.dims()
	if x.v == nil || len(d) != 3 {
		return n, x, fmt.Errorf("input 0 of shape %v is not one of images%s", d, wayOut)
	}
	raw := *n.rawNode
	raw.attrs = maps.Clone(raw.attrs)
	for name, height := range map[string][]int64{"kernel_shape": {1}, "strides": {1}, "dilations": {1}, "pads": {0}} {
		if a := raw.attrs[name]; a != nil {
			flat := *a
			flat.ints = nil
			for _, v := range a.ints { // a pad before, another one after
				if len(flat.ints) == 0 || name == "pads" {
					flat.ints = append(flat.ints, height...)
				}
				flat.ints = append(flat.ints, v)
			}
			raw.attrs[name] = &flat
		}
	}
	x, err = n.asImage(reshaped(x, []int{d[0], d[1], 1, d[2]}))
	return &node{rawNode: &raw, l: n.l, seen: n.seen}, x, err
}

// unline is the other way round.
func (n *node) unline(x ref, err error) (ref, error) {
	if err != nil {
		return x, err
	}
	if x, err = n.asTensor(x); err != nil {
		return x, err
	}
	d := x.dims()
	return reshaped(x, slices.Concat(d[:2], d[3:])), nil
}

func tensorConv(n *node) (ref, error) {
	flat, x, err := n.line()
	if err != nil {
		return x, err
	}
	w, err := n.weights(1)
	if err != nil {
		return x, err
	}
	if len(w.dims) != 3 {
		return x, fmt.Errorf("weights have %d dimensions, expected 3", len(w.dims))
	}
	wide := *w
	wide.dims = slices.Insert(slices.Clone(w.dims), 2, 1)
	return n.unline(flat.convolve(x, &wide))
}

func tensorPool(kind func(*node) *op) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		flat, x, err := n.line()
		if err != nil {
			return x, err
		}
		return n.unline(flat.pool(kind(flat), x))
	}
}
