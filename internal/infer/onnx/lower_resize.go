package onnx

import (
	"fmt"
	"math"
	"slices"
)

// resize is what a Resize or Upsample does along each axis that changes.
type resize struct {
	mode, where, round string
	antialias, exclude bool // shrink with a filter as wide as what is shrunk; leave out what lies outside
	cubic              float64
}

// readResize reads the attributes. Before version 11 there was one way only.
func (n *node) readResize() (*resize, error) {
	r := &resize{mode: n.stringAttr("mode", "nearest"), where: "asymmetric", round: "simple"}
	if n.op == "Resize" && n.l.g.opset >= 11 {
		r.where = n.stringAttr("coordinate_transformation_mode", "half_pixel")
		r.round = n.stringAttr("nearest_mode", "round_prefer_floor")
	}
	r.antialias, r.exclude = n.intAttr("antialias", 0) != 0, n.intAttr("exclude_outside", 0) != 0
	r.cubic = float64(n.floatAttr("cubic_coeff_a", -0.75))
	n.attr("extrapolation_value") // of tf_crop_and_resize, which is not there
	if policy := n.stringAttr("keep_aspect_ratio_policy", "stretch"); policy != "stretch" {
		return r, fmt.Errorf("attribute keep_aspect_ratio_policy: %s is not supported%s", policy, wayOut)
	}
	if r.mode != "nearest" && r.mode != "linear" && r.mode != "cubic" || r.mode == "nearest" && r.antialias {
		return r, fmt.Errorf("attribute mode: %s is not known, or not with antialias", r.mode)
	}
	return r, nil
}

// tensorResize enlarges or shrinks each axis by the nearest element or a mix of those around.
func tensorResize(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	r, err := n.readResize()
	if err != nil {
		return x, err
	}
	shape, scales, err := n.resized(x.dims())
	if err != nil {
		return x, err
	}
	for axis, to := range shape {
		from := x.dims()[axis]
		if to == from && scales[axis] == 1 {
			continue
		}
		at := make([]float64, to)
		for i := range at {
			if at[i], err = source(r.where, i, from, to, scales[axis]); err != nil {
				return x, err
			}
		}
		if r.mode == "nearest" {
			x, err = n.nearest(x, axis, at, r)
		} else {
			x, err = n.mix(x, axis, at, scales[axis], r)
		}
		if err != nil {
			return x, err
		}
	}
	return x, nil
}

// resized gives the shape that a node makes of another one, and the scale of each axis.
func (n *node) resized(old []int) (shape []int, scales []float64, err error) {
	shape, scales = slices.Clone(old), slices.Repeat([]float64{1}, len(old))
	sizes, given, err := n.ints(3)
	if err != nil {
		return nil, nil, err
	}
	factors, err := n.factors()
	if err != nil {
		return nil, nil, err
	}
	var axes []int64
	if a := n.attr("axes"); a != nil {
		axes = a.ints
	} else {
		for i := range old {
			axes = append(axes, int64(i))
		}
	}
	for k, axis := range axes {
		i, err := axisOf(axis, len(old))
		if err != nil {
			return nil, nil, err
		}
		switch {
		case given && len(sizes) == len(axes):
			if i > 0 || n.l.batch <= 1 {
				shape[i] = int(min(sizes[k], maxTables+1))
			}
			scales[i] = float64(shape[i]) / float64(old[i])
		case !given && len(factors) == len(axes):
			scales[i] = float64(factors[k])
			shape[i] = int(math.Floor(min(float64(old[i])*scales[i], maxTables+1)))
		default:
			return nil, nil, fmt.Errorf("%d sizes and %d scales do not fit %v%s", len(sizes), len(factors), old, wayOut)
		}
		if shape[i] < 1 || shape[i] > maxTables {
			return nil, nil, fmt.Errorf("the output of %v is empty or too large", old)
		}
	}
	return shape, scales, nil
}

// factors gives the scales, which were an attribute before version 9, and of
// Upsample and before version 11 the second input.
func (n *node) factors() ([]float32, error) {
	if a := n.attr("scales"); a != nil {
		return a.floats, nil
	}
	at := 2
	if n.op == "Upsample" || n.l.g.opset < 11 {
		at = 1
	}
	r, err := n.get(at)
	if err != nil || r.k == nil {
		return nil, err
	}
	return r.k.floats, nil
}

// source gives the place in an axis of in elements of the i-th of out.
func source(where string, i, in, out int, scale float64) (float64, error) {
	half := (float64(i)+0.5)/scale - 0.5
	switch where {
	case "half_pixel":
		return half, nil
	case "half_pixel_symmetric":
		middle := float64(in) / 2
		return middle*(1-float64(out)/(scale*float64(in))) + half, nil
	case "pytorch_half_pixel":
		if out == 1 {
			return 0, nil
		}
		return half, nil
	case "tf_half_pixel_for_nn":
		return half + 0.5, nil
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

func (n *node) nearest(x ref, axis int, at []float64, r *resize) (ref, error) {
	index := make([]int, len(at))
	for i, v := range at {
		switch r.round {
		case "simple": // of versions before 11
			if v = math.Floor(v); len(at) < x.dims()[axis] {
				v = math.Ceil(at[i])
			}
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

// share gives how much an element counts at a distance, and up to which one any does.
func (r *resize) share(d float64) float64 {
	switch d, a := math.Abs(d), r.cubic; {
	case r.mode == "linear":
		return max(1-d, 0)
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	}
	return 0
}

// mix makes each element of those around its place. What lies outside is what is at
// the edge, unless it is left out.
func (n *node) mix(x ref, axis int, at []float64, scale float64, r *resize) (ref, error) {
	shape := slices.Clone(x.dims())
	b := &mixBody{in: shape[axis], inner: volume(shape[axis+1:]), taps: make([][]tap, len(at))}
	reach, stretch := 1.0, 1.0
	if r.mode == "cubic" {
		reach = 2
	}
	if r.antialias && scale < 1 {
		stretch = 1 / scale
	}
	if float64(len(at))*(2*reach*stretch+1) > maxTables {
		return x, fmt.Errorf("a filter %g wide is too large%s", stretch, wayOut)
	}
	for i, v := range at {
		sum := 0.0
		for j := int(math.Ceil(v - reach*stretch)); float64(j) <= v+reach*stretch; j++ {
			share, inside := r.share((float64(j)-v)/stretch), min(max(j, 0), b.in-1)
			if share == 0 || r.exclude && j != inside {
				continue
			}
			b.taps[i] = append(b.taps[i], tap{inside, share})
			sum += share
		}
		if sum == 0 {
			return x, fmt.Errorf("element %d of the output lies outside of %v", i, shape)
		}
		for k := range b.taps[i] {
			b.taps[i][k].share /= sum
		}
		if err := n.l.spend(2 * len(b.taps[i])); err != nil {
			return x, err
		}
	}
	shape[axis] = len(at)
	return n.compute(b, shape, x)
}

// mixBody makes elements along one axis of several of its elements each.
type mixBody struct {
	in, inner int // elements along the axis, and behind each of them
	taps      [][]tap
}

type tap struct {
	at    int
	share float64
}

func (b *mixBody) run(_ *Session, out []float32, in [][]float32) {
	for x := in[0]; len(out) > 0; x = x[b.in*b.inner:] {
		for _, taps := range b.taps {
			for i := range out[:b.inner] {
				sum := 0.0
				for _, t := range taps {
					sum += float64(t.share * float64(x[t.at*b.inner+i]))
				}
				out[i] = float32(sum)
			}
			out = out[b.inner:]
		}
	}
}
