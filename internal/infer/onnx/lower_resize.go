package onnx

import (
	"fmt"
	"math"
	"slices"
)

// tensorResize enlarges or shrinks each axis by the nearest element or linearly.
func tensorResize(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	mode := n.stringAttr("mode", "nearest")
	where := n.stringAttr("coordinate_transformation_mode", "half_pixel")
	round := n.stringAttr("nearest_mode", "round_prefer_floor")
	for _, name := range []string{"cubic_coeff_a", "exclude_outside", "extrapolation_value"} {
		n.attr(name)
	}
	if n.intAttr("antialias", 0) != 0 || mode != "nearest" && mode != "linear" {
		return x, fmt.Errorf("attribute mode: %s, or antialias, is not supported%s", mode, wayOut)
	}
	shape := slices.Clone(x.dims())
	scales := make([]float64, len(shape))
	sizes, given, err := n.ints(3)
	if err != nil {
		return x, err
	}
	var factors []float32
	if r, err := n.get(2); err != nil {
		return x, err
	} else if r.k != nil {
		factors = r.k.floats
	}
	for i, d := range shape {
		switch {
		case given && len(sizes) == len(shape):
			shape[i] = int(sizes[i])
			if i == 0 && n.l.batch > 1 {
				shape[i] = d
			}
			scales[i] = float64(shape[i]) / float64(d)
		case len(factors) == len(shape):
			scales[i] = float64(factors[i])
			shape[i] = int(math.Floor(float64(d) * scales[i]))
		default:
			return x, fmt.Errorf("%d sizes and %d scales do not fit %v%s", len(sizes), len(factors), shape, wayOut)
		}
		if shape[i] < 1 || shape[i] > maxTables {
			return x, fmt.Errorf("the output of %v is empty or too large", shape)
		}
	}
	for axis, to := range shape {
		dims := x.dims()
		if to == dims[axis] && scales[axis] == 1 {
			continue
		}
		at := make([]float64, to)
		for i := range at {
			if at[i], err = source(where, i, dims[axis], to, scales[axis]); err != nil {
				return x, err
			}
		}
		if mode == "nearest" {
			x, err = n.nearest(x, axis, at, round)
		} else {
			x, err = n.linear(x, axis, at)
		}
		if err != nil {
			return x, err
		}
	}
	return x, nil
}

// source gives the place in an axis of in elements of the i-th of out.
func source(where string, i, in, out int, scale float64) (float64, error) {
	switch where {
	case "half_pixel":
		return (float64(i)+0.5)/scale - 0.5, nil
	case "pytorch_half_pixel":
		if out == 1 {
			return 0, nil
		}
		return (float64(i)+0.5)/scale - 0.5, nil
	case "asymmetric":
		return float64(i) / scale, nil
	case "align_corners":
		if out == 1 {
			return 0, nil
		}
		return float64(i) * float64(in-1) / float64(out-1), nil
	}
	return 0, fmt.Errorf("attribute coordinate_transformation_mode: %s is not supported%s", where, wayOut)
}

// pickAlong picks elements along one axis.
func (n *node) pickAlong(x ref, axis int, at []int) (ref, error) {
	shape := slices.Clone(x.dims())
	tables := along(shape)
	picked := make([]int, len(at))
	for i, j := range at {
		picked[i] = tables[axis][min(max(j, 0), shape[axis]-1)]
	}
	tables[axis], shape[axis] = picked, len(at)
	return n.move(x, shape, tables, 0)
}

func (n *node) nearest(x ref, axis int, at []float64, round string) (ref, error) {
	index := make([]int, len(at))
	for i, v := range at {
		switch round {
		case "floor":
			v = math.Floor(v)
		case "ceil":
			v = math.Ceil(v)
		case "round_prefer_ceil":
			v = math.Floor(v + 0.5)
		default: // round_prefer_floor
			v = math.Ceil(v - 0.5)
		}
		index[i] = int(v)
	}
	return n.pickAlong(x, axis, index)
}

// linear mixes each two neighbours.
func (n *node) linear(x ref, axis int, at []float64) (ref, error) {
	low, high := make([]int, len(at)), make([]int, len(at))
	size := float64(x.dims()[axis] - 1)
	share := ref{k: &constant{dims: slices.Repeat([]int{1}, len(x.dims())), floats: make([]float32, len(at))}}
	share.k.dims[axis] = len(at)
	for i, v := range at {
		v = min(max(v, 0), size)
		low[i], high[i] = int(v), int(v)+1
		share.k.floats[i] = float32(v - math.Floor(v))
	}
	a, err := n.pickAlong(x, axis, low)
	if err != nil {
		return a, err
	}
	b, err := n.pickAlong(x, axis, high)
	if err != nil {
		return b, err
	}
	return n.zip(0, func(a, b, t float32) float32 { return float32(a*(1-t)) + float32(b*t) }, a, b, share)
}
