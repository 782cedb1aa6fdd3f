package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// The arithmetic of shapes.

func tensorConstantOfShape(n *node) (ref, error) {
	want, ok, err := n.ints(0)
	if err != nil || !ok || len(want) > maxRank {
		return ref{}, errors.Join(err, errors.New("its shape is missing"))
	}
	k := &constant{dims: make([]int, len(want)), floats: []float32{0}}
	for i, d := range want {
		k.dims[i] = int(d)
	}
	size, err := product(want, n.l.limits.Elements)
	if err != nil {
		return ref{}, err
	}
	if a := n.attr("value"); a != nil && a.t != nil {
		one, err := n.l.constant(a.t)
		if err != nil || len(one.floats)+len(one.ints) != 1 {
			return ref{}, errors.Join(err, errors.New("attribute value is not one number"))
		}
		k.floats, k.ints, k.elem = one.floats, one.ints, one.elem
	}
	if err := n.l.spend(size); err != nil {
		return ref{}, err
	}
	if k.floats != nil {
		k.floats = slices.Repeat(k.floats, size)
	} else {
		k.ints = slices.Repeat(k.ints, size)
	}
	return ref{k: k}, nil
}

func tensorRange(n *node) (ref, error) {
	var v [3]int64
	for i := range v {
		list, _, err := n.ints(i)
		if err != nil || len(list) != 1 {
			return ref{}, errors.Join(err, fmt.Errorf("input %d is not one integer%s", i, wayOut))
		}
		v[i] = list[0]
	}
	k := &constant{ints: []int64{}}
	for at := v[0]; v[2] > 0 && at < v[1] || v[2] < 0 && at > v[1]; at += v[2] {
		if k.ints = append(k.ints, at); len(k.ints) > maxConstantInts {
			return ref{}, fmt.Errorf("a range of more than %d is not supported", maxConstantInts)
		}
	}
	k.dims = []int{len(k.ints)}
	return ref{k: k}, nil
}

// tensorCast is between the numbers that are known when a model is loaded, and from
// or to truths of what is computed.
func tensorCast(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	to := n.intAttr("to", 0)
	n.attr("saturate")
	whole := to == elemInt32 || to == elemInt64 || to == elemBool
	switch {
	case to == elemFloat || to == elemHalf || to == elemDouble:
		if x.k == nil || x.k.floats != nil {
			return x, nil
		}
		return ref{k: x.k.asFloats()}, nil
	case to == elemBool && x.k == nil:
		return tensorIs(isTrue)(n)
	case !whole || x.k == nil:
		return x, fmt.Errorf("attribute to: %s is not supported%s", elemNames[to], wayOut)
	}
	k := &constant{dims: x.k.dims, elem: to, ints: slices.Clone(x.k.ints)}
	if x.k.floats != nil {
		k.ints = make([]int64, len(x.k.floats))
		for i, v := range x.k.floats {
			if k.ints[i] = int64(v); to == elemBool && v != 0 {
				k.ints[i] = 1
			}
		}
	}
	for i, v := range k.ints {
		if to == elemBool && v != 0 {
			k.ints[i] = 1
		}
	}
	return ref{k: k}, nil
}

func tensorShapeOf(n *node) (ref, error) {
	r, err := n.get(0)
	if err != nil || r.v == nil && r.k == nil {
		return r, errors.Join(err, errors.New("its input is missing"))
	}
	dims := n.l.fileDims(r)
	k := &constant{ints: []int64{}}
	for _, i := range sliced(int64(len(dims)), n.intAttr("start", 0), n.intAttr("end", math.MaxInt32), 1) {
		k.ints = append(k.ints, int64(dims[i]))
	}
	k.dims = []int{len(k.ints)}
	return ref{k: k}, nil
}

func (k *constant) asFloats() *constant {
	out := &constant{dims: k.dims, floats: make([]float32, len(k.ints))}
	for i, v := range k.ints {
		out.floats[i] = float32(v)
	}
	return out
}
