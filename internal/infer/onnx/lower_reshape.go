package onnx

import (
	"errors"
	"fmt"
)

// Nodes that give the elements of tensors and constants another shape.

// ints gives a constant list of integers; ok is false where it is not there.
func (n *node) ints(i int) (list []int64, ok bool, err error) {
	r, err := n.get(i)
	if err != nil || r.k == nil && r.v == nil {
		return nil, false, err
	}
	if r.k == nil || r.k.floats != nil {
		return nil, false, fmt.Errorf("input %d is not a constant list of integers%s", i, wayOut)
	}
	return r.k.ints, true, nil
}

// listOf gives a list that is an attribute or, in later versions, an input.
func (n *node) listOf(attr string, input int) ([]int64, bool, error) {
	if a := n.attr(attr); a != nil {
		return a.ints, true, nil
	}
	return n.ints(input)
}

func tensorReshape(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	want, ok, err := n.listOf("shape", 1)
	if err != nil || !ok || len(want) > maxRank {
		return x, errors.Join(err, fmt.Errorf("%v is no shape", want))
	}
	shape, err := n.shapeOf(x, want)
	if err != nil {
		return x, err
	}
	return reshaped(x, shape), nil
}

// shapeOf settles a shape for the elements of a tensor or constant: 0 keeps a
// size, -1 is what is left. Of a batch that the file fixes one image is left.
func (n *node) shapeOf(x ref, want []int64) ([]int, error) {
	batch, old := n.l.batch, n.l.fileDims(x)
	if x.k != nil {
		batch = 1
	}
	size := volume(old)
	shape, rest, free := make([]int, len(want)), size, -1
	keepZero := n.intAttr("allowzero", 0) != 0
	for i, d := range want {
		switch {
		case d == 0 && !keepZero && i < len(old):
			d = int64(old[i])
		case d == -1 && free < 0:
			free, d = i, 1
		}
		if d <= 0 || d > int64(n.l.limits.Elements) {
			return nil, fmt.Errorf("%v is no shape", want)
		}
		if shape[i] = int(d); rest%shape[i] != 0 {
			return nil, fmt.Errorf("shape %v does not fit %d elements", want, size)
		}
		rest /= shape[i]
	}
	if free >= 0 {
		shape[free], rest = rest, 1
	}
	if rest != 1 {
		return nil, fmt.Errorf("shape %v does not fit %d elements", want, size)
	}
	if batch > 1 {
		if len(shape) == 0 || shape[0]%batch != 0 {
			return nil, fmt.Errorf("shape %v does not begin with the batch of %d%s", want, batch, wayOut)
		}
		shape[0] /= batch
	}
	return shape, nil
}

func tensorFlatten(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	axis, err := axisOf(n.intAttr("axis", 1), len(dims)+1)
	return reshaped(x, []int{volume(dims[:axis]), volume(dims[axis:])}), err
}

func tensorSqueeze(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	list, ok, err := n.axesList(1)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	drop := make([]bool, len(dims))
	for i, d := range dims {
		drop[i] = !ok && d == 1
	}
	for _, a := range list {
		i, err := axisOf(a, len(dims))
		if err != nil {
			return x, err
		}
		if dims[i] != 1 {
			return x, fmt.Errorf("axis %d of %v is not 1", a, dims)
		}
		drop[i] = true
	}
	shape := []int{}
	for i, d := range dims {
		if !drop[i] {
			shape = append(shape, d)
		}
	}
	return reshaped(x, shape), nil
}

func tensorUnsqueeze(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	list, _, err := n.axesList(1)
	if err != nil {
		return x, err
	}
	shape := make([]int, len(x.dims())+len(list))
	if len(shape) > maxRank {
		return x, fmt.Errorf("%d axes are more than %d", len(shape), maxRank)
	}
	for _, a := range list {
		i, err := axisOf(a, len(shape))
		if err != nil {
			return x, err
		}
		shape[i] = 1
	}
	old := x.dims()
	for i := range shape {
		if shape[i] == 0 {
			if len(old) == 0 {
				return x, fmt.Errorf("axes %v name one twice", list)
			}
			shape[i], old = old[0], old[1:]
		}
	}
	if len(old) > 0 {
		return x, fmt.Errorf("axes %v name one twice", list)
	}
	return reshaped(x, shape), nil
}
