package onnx

import (
	"errors"
	"fmt"
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
	if got, ok, err := n.zipRows(fast, shape, in); ok || err != nil {
		return got, err
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
		return n.combine(arithmetic{fast, fn, ints}, a, b)
	}
}

// arithmetic is what is done to two numbers: a sign or a function of floats, and
// a function of integers; nil where there is none.
type arithmetic struct {
	fast byte
	fn   func(a, b, c float32) float32
	ints func(a, b int64) (int64, bool)
}

func (n *node) combine(how arithmetic, a, b ref) (ref, error) {
	whole := func(r ref) bool { return r.k != nil && r.k.floats == nil }
	switch {
	case whole(a) && whole(b):
		return n.zipInts(a.k, b.k, how.ints)
	case whole(a) || whole(b):
		return a, fmt.Errorf("integers beside floats are not supported%s", wayOut)
	case how.fast == 0 && how.fn == nil:
		return a, fmt.Errorf("floats are not supported%s", wayOut)
	}
	return n.zip(how.fast, how.fn, a, b)
}

// tensorSeveral combines any number of inputs; the mean of them divides their sum.
func tensorSeveral(how arithmetic, mean bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		out, err := n.known(0)
		for i := 1; i < len(n.in) && err == nil; i++ {
			var next ref
			if next, err = n.known(i); err == nil {
				out, err = n.combine(how, out, next)
			}
		}
		if err != nil || !mean {
			return out, err
		}
		return n.combine(arithmetic{fast: '/'}, out, number(float32(len(n.in))))
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
