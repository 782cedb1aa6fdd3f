package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// zip combines tensors element by element.
func (n *node) zip(fast byte, fn func(a, b, c float32) float32, in ...ref) (ref, error) {
	var shapes [][]int
	for _, r := range in {
		shapes = append(shapes, r.dims())
	}
	shape, err := spread(shapes...)
	if err != nil {
		return ref{}, err
	}
	z := &zipBody{dims: shape, fast: fast, fn: fn}
	for _, s := range shapes {
		z.steps = append(z.steps, spreadSteps(s, shape))
	}
	if len(shape) == 0 {
		z.dims = []int{1}
		for i := range z.steps {
			z.steps[i] = []int{0}
		}
	}
	return n.compute(z, shape, in...)
}

func tensorBinary(fast byte, fn func(a, b, c float32) float32, ints func(a, b int64) (int64, bool)) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		a, b, err := n.two((*node).known)
		if err != nil {
			return a, err
		}
		n.stringAttr("fmod", "")
		if a.k != nil && a.k.floats == nil && b.k != nil && b.k.floats == nil {
			return n.zipInts(a.k, b.k, ints)
		}
		if a, b, err = n.two((*node).floats); err != nil {
			return a, err
		}
		if fast == 0 && fn == nil {
			return a, fmt.Errorf("floats are not supported%s", wayOut)
		}
		return n.zip(fast, fn, a, b)
	}
}

// tensorCompare compares constants.
func tensorCompare(fn func(order int) bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		a, b, err := n.two((*node).known)
		if err != nil {
			return a, err
		}
		if a.k == nil || b.k == nil || (a.k.floats == nil) != (b.k.floats == nil) {
			return a, fmt.Errorf("only constants of one type can be compared%s", wayOut)
		}
		if a.k.floats == nil {
			return n.zipInts(a.k, b.k, func(a, b int64) (int64, bool) { return truth(fn(cmp.Compare(a, b))) })
		}
		r, err := n.zip(0, func(a, b, _ float32) float32 { return float32(cmp.Compare(a, b)) }, a, b)
		if err != nil {
			return r, err
		}
		k := &constant{dims: r.k.dims, ints: make([]int64, len(r.k.floats)), elem: elemBool}
		for i, order := range r.k.floats {
			k.ints[i], _ = truth(fn(int(order)))
		}
		return ref{k: k}, nil
	}
}

// zipInts is the arithmetic of shapes.
func (n *node) zipInts(a, b *constant, fn func(a, b int64) (int64, bool)) (ref, error) {
	shape, err := spread(a.dims, b.dims)
	if err != nil {
		return ref{}, err
	}
	size, err := n.l.shapeSize(shape)
	if err != nil || size > maxConstantInts || fn == nil {
		return ref{}, errors.Join(err, fmt.Errorf("arithmetic of %d integers is not supported%s", size, wayOut))
	}
	if err := n.l.spend(3 * size); err != nil {
		return ref{}, err
	}
	at := [2][]int{offsets(shape, spreadSteps(a.dims, shape)), offsets(shape, spreadSteps(b.dims, shape))}
	k := &constant{dims: shape, ints: make([]int64, size), elem: a.elem}
	for i := range k.ints {
		v, ok := fn(a.ints[at[0][i]], b.ints[at[1][i]])
		if !ok {
			return ref{}, errors.New("division by zero")
		}
		k.ints[i] = v
	}
	return ref{k: k}, nil
}

func tensorMap(fn func(float64) float64) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		return n.compute(&mapBody{func(v float32) float32 { return float32(fn(float64(v))) }}, x.dims(), x)
	}
}

func gelu(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+float64(0.044715*x*x*x))))
}

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

func tensorGelu(n *node) (ref, error) {
	if how := n.stringAttr("approximate", "none"); how == "tanh" {
		return tensorMap(geluTanh)(n)
	} else if how != "none" {
		return ref{}, fmt.Errorf("attribute approximate: %s is not known", how)
	}
	return tensorMap(gelu)(n)
}
