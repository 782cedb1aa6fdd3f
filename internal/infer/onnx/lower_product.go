package onnx

import (
	"fmt"
	"slices"
	"strings"
)

// tensorGemm is a product of two matrices of any number of rows.
func tensorGemm(n *node) (ref, error) {
	a, b, err := n.two((*node).floats)
	if err != nil {
		return a, err
	}
	if n.intAttr("transA", 0) != 0 {
		if a, err = n.transpose(a, []int64{1, 0}); err != nil {
			return a, err
		}
	}
	if n.intAttr("transB", 0) != 0 {
		if b, err = n.transpose(b, []int64{1, 0}); err != nil {
			return b, err
		}
	}
	alpha, beta := n.floatAttr("alpha", 1), n.floatAttr("beta", 1)
	out, err := n.product(a, b)
	if err != nil || alpha == 1 && len(n.in) < 3 {
		return out, err
	}
	if alpha != 1 {
		if out, err = n.zip('*', nil, out, number(alpha)); err != nil {
			return out, err
		}
	}
	if len(n.in) < 3 || n.in[2] == "" {
		return out, nil
	}
	c, err := n.floats(2)
	if err != nil {
		return c, err
	}
	if beta != 1 {
		if c, err = n.zip('*', nil, c, number(beta)); err != nil {
			return c, err
		}
	}
	return n.zip('+', nil, out, c)
}

func number(v float32) ref { return ref{k: &constant{dims: []int{}, floats: []float32{v}}} }

// tensorEinsum is a sum of products of two tensors, each axis a letter: those of
// both that the output has not are summed over.
func tensorEinsum(n *node) (ref, error) {
	equation := strings.ReplaceAll(n.stringAttr("equation", ""), " ", "")
	in, out, ok := strings.Cut(equation, "->")
	left, right, two := strings.Cut(in, ",")
	if !ok || !two || strings.ContainsAny(right, ",.") || strings.Contains(left, ".") {
		return ref{}, fmt.Errorf("attribute equation: %q is not supported, only one of two tensors with all axes named%s", equation, wayOut)
	}
	a, b, err := n.two((*node).floats)
	if err != nil {
		return a, err
	}
	size := map[rune]int{}
	for _, side := range []struct {
		letters string
		dims    []int
	}{{left, a.dims()}, {right, b.dims()}} {
		if len(side.letters) != len(side.dims) {
			return a, fmt.Errorf("attribute equation: %q does not fit %v", equation, side.dims)
		}
		for i, l := range side.letters {
			if have, ok := size[l]; ok && have != side.dims[i] || strings.Count(side.letters, string(l)) > 1 {
				return a, fmt.Errorf("attribute equation: axis %c of %q is there twice, or of two sizes%s", l, equation, wayOut)
			}
			size[l] = side.dims[i]
		}
	}
	var both, ofA, ofB, summed string
	for _, l := range left {
		switch inB, inOut := strings.ContainsRune(right, l), strings.ContainsRune(out, l); {
		case inB && inOut:
			both += string(l)
		case inB:
			summed += string(l)
		case inOut:
			ofA += string(l)
		default:
			return a, fmt.Errorf("attribute equation: axis %c of %q is summed alone%s", l, equation, wayOut)
		}
	}
	for _, l := range right {
		if !strings.ContainsRune(left, l) {
			ofB += string(l)
		}
	}
	made := both + ofA + ofB
	if len(out) != len(made) || strings.Trim(out, made) != "" {
		return a, fmt.Errorf("attribute equation: the output of %q is not supported%s", equation, wayOut)
	}
	dims := func(letters string) (d []int) {
		for _, l := range letters {
			d = append(d, size[l])
		}
		return d
	}
	matrix := func(x ref, from string, parts ...string) (ref, error) {
		x, err := n.transpose(x, order(from, strings.Join(parts, "")))
		shape := dims(parts[0])
		for _, p := range parts[1:] {
			shape = append(shape, volume(dims(p)))
		}
		return reshaped(x, shape), err
	}
	if a, err = matrix(a, left, both, ofA, summed); err != nil {
		return a, err
	}
	if b, err = matrix(b, right, both, summed, ofB); err != nil {
		return b, err
	}
	got, err := n.product(a, b)
	if err != nil {
		return got, err
	}
	return n.transpose(reshaped(got, dims(made)), order(made, out))
}

// order gives the places in from of the letters of to.
func order(from, to string) []int64 {
	var perm []int64
	for _, l := range to {
		perm = append(perm, int64(strings.IndexRune(from, l)))
	}
	return perm
}

// tensorClip is of constants.
func tensorClip(n *node) (ref, error) {
	x, err := n.known(0)
	if err != nil {
		return x, err
	}
	for i := 1; i < min(len(n.in), 3); i++ {
		if n.in[i] == "" {
			continue
		}
		bound, err := n.known(i)
		if err != nil {
			return bound, err
		}
		ints, floats := func(a, b int64) (int64, bool) { return max(a, b), true }, largest
		if i == 2 {
			ints, floats = func(a, b int64) (int64, bool) { return min(a, b), true }, smallest
		}
		switch {
		case x.k != nil && x.k.floats == nil && bound.k != nil && bound.k.floats == nil:
			x, err = n.zipInts(x.k, bound.k, ints)
		case bound.k != nil && bound.k.floats != nil && (x.k == nil || x.k.floats != nil):
			x, err = n.zip(0, three(floats), x, bound)
		default:
			err = fmt.Errorf("input %d does not fit what is clipped%s", i, wayOut)
		}
		if err != nil {
			return x, err
		}
	}
	return x, nil
}

// tensorScatter puts constants into a constant, as masks of windows are made.
func tensorScatter(n *node) (ref, error) {
	var in [3]ref
	for i := range in {
		var err error
		if in[i], err = n.known(i); err != nil {
			return in[i], err
		}
		if in[i].k == nil || (in[i].k.floats == nil) != (i == 1) {
			return in[i], fmt.Errorf("input %d is not constant, or of another type%s", i, wayOut)
		}
	}
	if how := n.stringAttr("reduction", "none"); how != "none" {
		return in[0], fmt.Errorf("attribute reduction: %s is not supported%s", how, wayOut)
	}
	dims, at := in[0].k.dims, in[1].k.dims
	if len(at) == 0 || at[len(at)-1] < 1 || at[len(at)-1] > len(dims) {
		return in[0], fmt.Errorf("indices of shape %v do not fit %v", at, dims)
	}
	depth := at[len(at)-1]
	block := volume(dims[depth:])
	if len(in[2].k.floats) != volume(at[:len(at)-1])*block {
		return in[0], fmt.Errorf("updates of shape %v do not fit indices of %v", in[2].k.dims, at)
	}
	out := &constant{dims: dims, floats: slices.Clone(in[0].k.floats)}
	steps := strides(dims)
	for i := 0; i < len(in[1].k.ints); i += depth {
		to := 0
		for k, index := range in[1].k.ints[i : i+depth] {
			j, err := axisOf(index, dims[k])
			if err != nil {
				return in[0], err
			}
			to += j * steps[k]
		}
		copy(out.floats[to:to+block], in[2].k.floats[i/depth*block:])
	}
	return ref{k: out}, nil
}
