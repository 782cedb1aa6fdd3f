package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Nodes that move the elements of tensors and constants, of any number of axes.

func tensorTranspose(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	perm := make([]int64, len(dims))
	for i := range perm {
		perm[i] = int64(len(dims) - 1 - i)
	}
	if a := n.attr("perm"); a != nil {
		perm = a.ints
	}
	return n.transpose(x, perm)
}

func (n *node) transpose(x ref, perm []int64) (ref, error) {
	dims := x.dims()
	tables, shape := along(dims), make([]int, len(dims))
	moved := make([][]int, len(dims))
	for i, p := range perm {
		if len(perm) != len(dims) || p < 0 || p >= int64(len(dims)) || slices.Contains(perm[:i], p) {
			return x, fmt.Errorf("attribute perm: %v does not order %d axes", perm, len(dims))
		}
		moved[i], shape[i] = tables[p], dims[p]
	}
	return n.move(x, shape, moved, 0)
}

func tensorSlice(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	starts, ok, err := n.listOf("starts", 1)
	if err != nil || !ok {
		return x, errors.Join(err, errors.New("it says not where to start"))
	}
	ends, _, err := n.listOf("ends", 2)
	if err != nil {
		return x, err
	}
	axes, ok, err := n.listOf("axes", 3)
	if err != nil {
		return x, err
	}
	if !ok {
		for i := range starts {
			axes = append(axes, int64(i))
		}
	}
	steps, ok, err := n.ints(4)
	if err != nil {
		return x, err
	}
	if !ok {
		steps = slices.Repeat([]int64{1}, len(starts))
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return x, fmt.Errorf("%d starts, %d ends, %d axes and %d steps do not fit", len(starts), len(ends), len(axes), len(steps))
	}
	shape := slices.Clone(x.dims())
	tables := along(shape)
	for i, a := range axes {
		k, err := axisOf(a, len(shape))
		if err != nil {
			return x, err
		}
		var picked []int
		for _, j := range sliced(int64(shape[k]), starts[i], ends[i], steps[i]) {
			picked = append(picked, tables[k][j])
		}
		tables[k], shape[k] = picked, len(picked)
	}
	return n.move(x, shape, tables, 0)
}

// sliced gives the indices from start up to end, as NumPy does.
func sliced(size, start, end, step int64) (list []int64) {
	low, high := int64(0), size
	if step < 0 {
		low, high = -1, size-1
	}
	bound := func(v int64) int64 {
		if v < 0 {
			v += size
		}
		return min(max(v, low), high)
	}
	start, end = bound(start), bound(end)
	if step == 0 {
		return nil
	}
	step = min(max(step, -size), size)
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		list = append(list, i)
	}
	return list
}

// tensorSplit gives the first part, and notes the others.
func tensorSplit(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	axis, err := axisOf(n.intAttr("axis", 0), len(dims))
	if err != nil {
		return x, err
	}
	sizes, ok, err := n.listOf("split", 1)
	if err != nil {
		return x, err
	}
	if count := int(n.intAttr("num_outputs", int64(len(n.out)))); !ok && count > 0 {
		each := (dims[axis] + count - 1) / count
		for at := 0; at < dims[axis]; at += each {
			sizes = append(sizes, int64(min(each, dims[axis]-at)))
		}
	}
	if len(sizes) != len(n.out) {
		return x, fmt.Errorf("%d parts do not fit %d outputs", len(sizes), len(n.out))
	}
	at := int64(0)
	var parts []ref
	for _, size := range sizes {
		if size < 0 || size > int64(dims[axis])-at {
			return x, fmt.Errorf("parts %v do not fit %d elements", sizes, dims[axis])
		}
		tables, shape := along(dims), slices.Clone(dims)
		tables[axis], shape[axis] = tables[axis][at:at+size], int(size)
		part, err := n.move(x, shape, tables, 0)
		if err != nil {
			return x, err
		}
		parts, at = append(parts, part), at+size
	}
	n.more = parts[1:]
	return parts[0], nil
}

func tensorExpand(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	want, ok, err := n.ints(1)
	if err != nil || !ok || len(want) > maxRank {
		return x, errors.Join(err, errors.New("its shape is missing"))
	}
	to := make([]int, len(want))
	for i, d := range want {
		to[i] = int(d)
	}
	if x.v != nil && n.l.batch > 1 && len(to) > 0 && to[0] == n.l.batch {
		to[0] = 1
	}
	shape, err := spread(x.dims(), to)
	if err != nil {
		return x, err
	}
	if _, err := n.l.shapeSize(shape); err != nil {
		return x, err
	}
	tables := make([][]int, len(shape))
	for i, s := range spreadSteps(x.dims(), shape) {
		tables[i] = make([]int, shape[i])
		for j := range tables[i] {
			tables[i][j] = j * s
		}
	}
	return n.move(x, shape, tables, 0)
}

func tensorTile(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	times, _, err := n.ints(1)
	shape := slices.Clone(x.dims())
	if err != nil || len(times) != len(shape) {
		return x, errors.Join(err, fmt.Errorf("repeats %v do not fit %v", times, shape))
	}
	tables := along(shape)
	for i, t := range times {
		if t < 1 || t > maxTables/int64(max(shape[i], 1)) {
			return x, fmt.Errorf("repeats %v are not supported", times)
		}
		tables[i] = slices.Repeat(tables[i], int(t))
		shape[i] = len(tables[i])
	}
	return n.move(x, shape, tables, 0)
}

// tensorGather picks by constant indices along one axis.
func tensorGather(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	at, err := n.get(1)
	if err != nil {
		return at, err
	}
	dims := x.dims()
	axis, err := axisOf(n.intAttr("axis", 0), len(dims))
	if err != nil {
		return x, err
	}
	if at.k == nil || at.k.floats != nil {
		return x, fmt.Errorf("indices that are not constant integers are not supported%s", wayOut)
	}
	return n.pick(x, axis, at.k.ints, at.k.dims)
}

// pick gives what lies at some indices of an axis, which has another shape then.
func (n *node) pick(x ref, axis int, at []int64, shape []int) (ref, error) {
	dims := x.dims()
	tables := along(dims)
	var picked []int
	for _, i := range at {
		j, err := axisOf(i, dims[axis])
		if err != nil {
			return x, err
		}
		picked = append(picked, tables[axis][j])
	}
	tables[axis] = picked
	return n.move(x, slices.Concat(dims[:axis], shape, dims[axis+1:]), tables, 0)
}

// tensorGatherND picks by constant indices of the first axes.
func tensorGatherND(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	at, err := n.get(1)
	if err != nil {
		return at, err
	}
	if at.k == nil || at.k.floats != nil || len(at.k.dims) == 0 || n.intAttr("batch_dims", 0) != 0 {
		return x, fmt.Errorf("indices that are not constant integers, or of batch_dims, are not supported%s", wayOut)
	}
	dims, last := x.dims(), len(at.k.dims)-1
	depth := at.k.dims[last]
	if depth < 1 || depth > len(dims) {
		return x, fmt.Errorf("indices of shape %v do not fit %v", at.k.dims, dims)
	}
	var flat []int64 // indices of these axes as one
	for one := range slices.Chunk(at.k.ints, depth) {
		sum := 0
		for i, v := range one {
			j, err := axisOf(v, dims[i])
			if err != nil {
				return x, err
			}
			sum = sum*dims[i] + j
		}
		flat = append(flat, int64(sum))
	}
	return n.pick(reshaped(x, slices.Concat([]int{volume(dims[:depth])}, dims[depth:])), 0, flat, at.k.dims[:last])
}

func tensorConcat(n *node) (ref, error) {
	var parts []ref
	ints := false
	for i := range n.in {
		r, err := n.known(i)
		if err != nil {
			return r, err
		}
		parts, ints = append(parts, r), ints || r.k != nil && r.k.floats == nil
	}
	if len(parts) == 0 {
		return ref{}, errors.New("it has no input")
	}
	shape := slices.Clone(parts[0].dims())
	axis, err := axisOf(n.intAttr("axis", 1), len(shape))
	if err != nil {
		return ref{}, err
	}
	shape[axis] = 0
	b := &concatBody{}
	for i, p := range parts {
		d := p.dims()
		if len(d) != len(shape) || !slices.Equal(d[:axis], shape[:axis]) || !slices.Equal(d[axis+1:], shape[axis+1:]) || ints && (p.k == nil || p.k.floats != nil) {
			return ref{}, fmt.Errorf("input %d of shape %v does not fit the first%s", i, d, wayOut)
		}
		shape[axis] += d[axis]
		b.sizes = append(b.sizes, volume(d[axis:]))
	}
	if ints {
		size, err := product([]int64{int64(volume(shape))}, maxConstantInts)
		if err != nil {
			return ref{}, err
		}
		k := &constant{dims: shape, ints: make([]int64, size)}
		var lists [][]int64
		for _, p := range parts {
			lists = append(lists, p.k.ints)
		}
		join(k.ints, lists, b.sizes)
		return ref{k: k}, nil
	}
	return n.compute(b, shape, parts...)
}

// tensorPad pads any axes, with one number or with the elements once more.
func tensorPad(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	mode, fill := n.stringAttr("mode", "constant"), n.floatAttr("value", 0)
	pads, _, err := n.listOf("pads", 1)
	if err != nil {
		return x, err
	}
	if r, err := n.get(2); err != nil {
		return x, err
	} else if r.v != nil || r.k != nil && len(r.k.floats) != 1 {
		return x, fmt.Errorf("the padding is not one constant number%s", wayOut)
	} else if r.k != nil {
		fill = r.k.floats[0]
	}
	shape := slices.Clone(x.dims())
	axes, ok, err := n.axesList(3)
	if err != nil {
		return x, err
	}
	for i := range shape {
		if !ok {
			axes = append(axes, int64(i))
		}
	}
	if len(pads) != 2*len(axes) {
		return x, fmt.Errorf("%d pads do not fit %d axes", len(pads), len(axes))
	}
	tables := along(shape)
	for i, a := range axes {
		k, err := axisOf(a, len(shape))
		if err != nil {
			return x, err
		}
		before, after := pads[i], pads[i+len(axes)]
		if max(before, after) > maxWindow || min(before, after) < -maxWindow {
			return x, fmt.Errorf("pads %d and %d are not from %d to %d%s", before, after, -maxWindow, maxWindow, wayOut)
		}
		if tables[k], err = paddedAxis(tables[k], int(before), int(after), mode); err != nil {
			return x, err
		}
		shape[k] = len(tables[k])
	}
	return n.move(x, shape, tables, fill)
}

// paddedAxis gives the table of an axis with more, or fewer, elements at its ends.
func paddedAxis(t []int, before, after int, mode string) ([]int, error) {
	size := len(t)
	if size == 0 {
		return nil, errors.New("an empty axis cannot be padded")
	}
	var out []int
	for i := -before; i < size+after; i++ {
		at := i
		if i < 0 || i >= size {
			switch mode {
			case "constant":
				out = append(out, math.MinInt32)
				continue
			case "edge":
				at = min(max(i, 0), size-1)
			case "reflect":
				period := max(2*(size-1), 1)
				at = (i%period + period) % period
				at = min(at, period-at)
			case "wrap":
				at = (i%size + size) % size
			default:
				return nil, fmt.Errorf("attribute mode: %s is not known", mode)
			}
		}
		out = append(out, t[at])
	}
	return out, nil
}
