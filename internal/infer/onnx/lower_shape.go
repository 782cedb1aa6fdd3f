package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// Nodes that move elements or names only. Most of them vanish here.

func lowerIdentity(n *node) (ref, error) {
	r, err := n.get(0)
	if err == nil && r.v == nil && r.k == nil {
		err = errors.New("its input is missing")
	}
	return r, err
}

// lowerDropout passes on its input, as inference does.
func lowerDropout(n *node) (ref, error) {
	n.attr("ratio")
	n.attr("seed")
	if mode, err := n.get(2); err != nil {
		return mode, err
	} else if mode.k != nil || mode.v != nil {
		return mode, fmt.Errorf("training_mode is given: export the model for inference")
	}
	return lowerIdentity(n)
}

func lowerCast(n *node) (ref, error) {
	r, err := lowerIdentity(n)
	if err != nil {
		return r, err
	}
	to := n.intAttr("to", 0)
	n.attr("saturate")
	ints := r.k != nil && r.k.floats == nil
	if ints && (to == elemInt32 || to == elemInt64) || !ints && (to == elemFloat || to == elemHalf) { // halves are floats here
		return r, nil
	}
	if ints && (to == elemFloat || to == elemHalf) {
		return ref{k: r.k.asFloats()}, nil
	}
	return r, fmt.Errorf("attribute to: %s is not supported%s", elemNames[to], wayOut)
}

func lowerConstant(n *node) (ref, error) {
	if a := n.attr("value"); a != nil && a.t != nil {
		k, err := n.l.constant(a.t)
		return ref{k: k}, err
	}
	if a := n.attr("value_float"); a != nil {
		return ref{k: &constant{floats: []float32{a.f}}}, nil
	}
	if a := n.attr("value_floats"); a != nil {
		return ref{k: &constant{dims: []int{len(a.floats)}, floats: a.floats}}, nil
	}
	if a := n.attr("value_int"); a != nil {
		return ref{k: &constant{ints: []int64{a.i}}}, nil
	}
	if a := n.attr("value_ints"); a != nil {
		return ref{k: &constant{dims: []int{len(a.ints)}, ints: a.ints}}, nil
	}
	return ref{}, fmt.Errorf("its value is of a kind that is not supported%s", wayOut)
}

// lowerTranspose changes what the axes are called; nothing is moved.
func lowerTranspose(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	rank := len(x.axes)
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(rank - 1 - i)
	}
	if a := n.attr("perm"); a != nil {
		perm = a.ints
	}
	if len(perm) != rank {
		return x, fmt.Errorf("attribute perm: %v does not order %d axes", perm, rank)
	}
	axes := make([]byte, rank)
	for i, p := range perm {
		if p < 0 || p >= int64(rank) || slices.Contains(perm[:i], p) {
			return x, fmt.Errorf("attribute perm: %v does not order %d axes", perm, rank)
		}
		axes[i] = x.axes[p]
	}
	return ref{v: x.v, axes: string(axes)}, nil
}

func lowerConcat(n *node) (ref, error) {
	parts := make([]ref, len(n.in))
	constants := 0
	for i := range n.in {
		var err error
		if parts[i], err = n.get(i); err != nil {
			return ref{}, err
		}
		if parts[i].k != nil {
			constants++
		}
	}
	axis := n.intAttr("axis", 1)
	if len(parts) == 0 || constants == len(parts) {
		return tensorConcat(n)
	}
	if constants > 0 {
		return ref{}, fmt.Errorf("a constant among tensors is not supported%s", wayOut)
	}
	o := &op{kind: opConcat}
	first, c := parts[0], 0
	for i, p := range parts {
		if p.v == nil || p.axes != first.axes || p.v.h != first.v.h || p.v.w != first.v.w {
			return ref{}, fmt.Errorf("input %d does not fit the first%s", i, wayOut)
		}
		o.in = append(o.in, p.v)
		c += p.v.c
	}
	at, err := axisOf(axis, len(first.axes))
	if err != nil {
		return ref{}, err
	}
	if first.axes[at] != 'C' {
		return ref{}, fmt.Errorf("axis %d of %s is not the channels%s", axis, first.axes, wayOut)
	}
	if len(parts) == 1 {
		return first, nil
	}
	v, err := n.emit(o, first.v.h, first.v.w, c)
	return ref{v: v, axes: first.axes}, err
}

// The arithmetic of shapes: exports compute the target of a Reshape from the
// shape of a tensor.

func lowerGather(n *node) (ref, error) {
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	at, err := n.get(1)
	if err != nil {
		return at, err
	}
	if x.k == nil || x.k.floats != nil || len(x.k.dims) != 1 || at.k == nil || at.k.floats != nil || n.intAttr("axis", 0) != 0 {
		return x, fmt.Errorf("only elements of a shape can be gathered%s", wayOut)
	}
	k := &constant{dims: at.k.dims, ints: []int64{}}
	for _, i := range at.k.ints {
		j, err := axisOf(i, len(x.k.ints))
		if err != nil {
			return x, err
		}
		k.ints = append(k.ints, x.k.ints[j])
	}
	return ref{k: k}, nil
}

func lowerReshape(n *node) (ref, error) {
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	shape, err := n.get(1)
	if err != nil {
		return x, err
	}
	if shape.k == nil || shape.k.floats != nil || len(shape.k.ints) > maxRank || x.v == nil {
		return x, fmt.Errorf("only a tensor can be given another shape, and only a constant one%s", wayOut)
	}
	dims, err := n.shapeOf(x, shape.k.ints)
	if err != nil {
		return x, err
	}
	return n.view(x, dims)
}

func lowerFlatten(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	axis, err := axisOf(n.intAttr("axis", 1), len(x.axes)+1)
	if err != nil {
		return x, err
	}
	dims := []int{1, 1}
	for i, d := range x.dims() {
		if i < axis {
			dims[0] *= d
		} else {
			dims[1] *= d
		}
	}
	return n.view(x, dims)
}

func lowerSqueeze(n *node) (ref, error) {
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	list, ok, err := n.axesList(1)
	if err != nil {
		return x, err
	}
	if x.v == nil {
		return scalarOf(x)
	}
	if !ok {
		return x, fmt.Errorf("it names no axes, and the batch must stay%s", wayOut)
	}
	dims := x.dims()
	drop := make([]bool, len(dims))
	for _, a := range list {
		i, err := axisOf(a, len(dims))
		if err != nil {
			return x, err
		}
		if dims[i] != 1 || x.axes[i] == 'N' {
			return x, fmt.Errorf("axis %d of shape %v cannot be dropped", a, dims)
		}
		drop[i] = true
	}
	var kept []int
	for i, d := range dims {
		if !drop[i] {
			kept = append(kept, d)
		}
	}
	return n.view(x, kept)
}

func scalarOf(x ref) (ref, error) {
	if x.k == nil || len(x.k.ints) != 1 {
		return x, fmt.Errorf("a constant of this kind is not supported%s", wayOut)
	}
	return ref{k: &constant{ints: x.k.ints}}, nil
}

func lowerUnsqueeze(n *node) (ref, error) {
	x, err := n.get(0)
	if err != nil {
		return x, err
	}
	list, _, err := n.axesList(1)
	if err != nil {
		return x, err
	}
	if x.k != nil && len(x.k.ints) == 1 && len(list) == 1 && list[0] == 0 {
		return ref{k: &constant{dims: []int{1}, ints: x.k.ints}}, nil
	}
	if x.v == nil {
		return x, fmt.Errorf("a constant of this kind is not supported%s", wayOut)
	}
	old := x.dims()
	rank := len(old) + len(list)
	if rank > 4 {
		return x, fmt.Errorf("%d axes are not supported%s", rank, wayOut)
	}
	added := make([]bool, rank)
	for _, a := range list {
		i, err := axisOf(a, rank)
		if err != nil {
			return x, err
		}
		if added[i] {
			return x, fmt.Errorf("axis %d is added twice", a)
		}
		added[i] = true
	}
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = 1
		if !added[i] {
			dims[i], old = old[0], old[1:]
		}
	}
	return n.view(x, dims)
}

// view gives the tensor another shape of as many elements: the same shape, a
// vector with further axes of 1, or an image flattened to a vector.
func (n *node) view(x ref, dims []int) (ref, error) {
	if slices.Equal(dims, x.dims()) {
		return x, nil
	}
	refuse := func() (ref, error) {
		return x, fmt.Errorf("shape %v (%s) cannot become %v%s", x.dims(), x.axes, dims, wayOut)
	}
	if len(dims) < 2 || len(dims) > 4 || dims[0] != 1 || x.axes[0] != 'N' {
		return refuse()
	}
	if x.v.h*x.v.w != 1 {
		if len(dims) != 2 || x.axes != "NHWC" && x.axes != "NCHW" {
			return refuse()
		}
		v, err := n.emit(&op{kind: opFlatten, in: []*value{x.v}, chw: x.axes == "NCHW"}, 1, 1, x.v.size())
		return ref{v: v, axes: "NC"}, err
	}
	at := 1 // where the channels are
	for i, d := range dims[1:] {
		if d != 1 {
			if d != x.v.c {
				return refuse()
			}
			at = i + 1
		}
	}
	axes := []byte{'N'}
	for i := 1; i < len(dims); i++ {
		switch {
		case i == at:
			axes = append(axes, 'C')
		case !slices.Contains(axes, 'H'):
			axes = append(axes, 'H')
		default:
			axes = append(axes, 'W')
		}
	}
	return ref{v: x.v, axes: string(axes)}, nil
}

// lowerPad pads height and width with one number.
func lowerPad(n *node) (ref, error) {
	x, err := n.tensor(0)
	if err != nil {
		return x, err
	}
	if mode := n.stringAttr("mode", "constant"); mode != "constant" {
		return x, fmt.Errorf("attribute mode: %s is not supported%s", mode, wayOut)
	}
	fill := n.floatAttr("value", 0)
	var pads []int64
	if a := n.attr("pads"); a != nil {
		pads = a.ints
	} else {
		r, err := n.get(1)
		if err != nil {
			return x, err
		}
		if r.k == nil || r.k.floats != nil {
			return x, fmt.Errorf("pads are not constant%s", wayOut)
		}
		pads = r.k.ints
		if r, err = n.get(2); err != nil {
			return x, err
		} else if r.v != nil || r.k != nil && len(r.k.floats) != 1 {
			return x, fmt.Errorf("the padding is not one constant number%s", wayOut)
		} else if r.k != nil {
			fill = r.k.floats[0]
		}
	}
	list, ok, err := n.axesList(3)
	if err != nil {
		return x, err
	}
	if !ok {
		for i := range x.axes {
			list = append(list, int64(i))
		}
	}
	if len(pads) != 2*len(list) || len(list) > maxRank {
		return x, fmt.Errorf("%d pads do not fit %d axes", len(pads), len(list))
	}
	win := window{}
	for i, a := range list {
		before, after := pads[i], pads[i+len(list)]
		k, err := axisOf(a, len(x.axes))
		switch {
		case err != nil:
			return x, err
		case before < 0 || after < 0 || before > maxWindow || after > maxWindow:
			return x, fmt.Errorf("pads %d and %d are not from 0 to %d%s", before, after, maxWindow, wayOut)
		case x.axes[k] == 'H':
			win.top, win.bottom = int(before), int(after)
		case x.axes[k] == 'W':
			win.left, win.right = int(before), int(after)
		case before+after != 0:
			return x, fmt.Errorf("padding of axis %c is not supported%s", x.axes[k], wayOut)
		}
	}
	v, err := n.emit(&op{kind: opPad, in: []*value{x.v}, win: win, fill: fill}, x.v.h+win.top+win.bottom, x.v.w+win.left+win.right, x.v.c)
	return ref{v: v, axes: x.axes}, err
}
