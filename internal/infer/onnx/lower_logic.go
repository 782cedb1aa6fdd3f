package onnx

import (
	"cmp"
	"errors"
	"fmt"
)

// Truths: constants are bools; what is computed is the floats 1 and 0.

func truth(ok bool) (int64, bool) {
	if ok {
		return 1, true
	}
	return 0, true
}

func floatOf(ok bool) float32 {
	if ok {
		return 1
	}
	return 0
}

// truths is known for what holds truths, as floats.
func (n *node) truths(i int) (ref, error) {
	r, err := n.known(i)
	if err != nil || r.k == nil || r.k.floats != nil {
		return r, err
	}
	return ref{k: r.k.asFloats()}, nil
}

func tensorCompare(fn func(order int) bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		a, b, err := n.two((*node).known)
		if err != nil {
			return a, err
		}
		if a.k != nil && a.k.floats == nil && b.k != nil && b.k.floats == nil {
			return n.zipInts(a.k, b.k, func(a, b int64) (int64, bool) { return truth(fn(cmp.Compare(a, b))) })
		}
		if a, b, err = n.two((*node).floats); err != nil {
			return a, err
		}
		r, err := n.zip(0, func(a, b, _ float32) float32 {
			ordered := a == a && b == b // what is not a number is neither less, equal nor greater
			return floatOf(ordered && fn(cmp.Compare(a, b)))
		}, a, b)
		return r.asBools(), err
	}
}

// asBools gives truths that are known the type of truths.
func (r ref) asBools() ref {
	if r.k == nil {
		return r
	}
	k := &constant{dims: r.k.dims, ints: make([]int64, len(r.k.floats)), elem: elemBool}
	for i, v := range r.k.floats {
		k.ints[i], _ = truth(v != 0)
	}
	return ref{k: k}
}

// tensorIs tells of each element whether it is something.
func tensorIs(fn func(n *node) func(float32) bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		is := fn(n)
		r, err := n.compute(&mapBody{apply(func(v float32) float32 { return floatOf(is(v)) })}, x.dims(), x)
		return r.asBools(), err
	}
}

func isNaN(*node) func(float32) bool { return func(v float32) bool { return v != v } }

func isInf(n *node) func(float32) bool {
	below, above := n.intAttr("detect_negative", 1) != 0, n.intAttr("detect_positive", 1) != 0
	return func(v float32) bool { return above && v == inf || below && v == -inf }
}

func isTrue(*node) func(float32) bool { return func(v float32) bool { return v != 0 } }

// tensorLogic combines truths.
func tensorLogic(fn func(a, b int64) (int64, bool)) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		a, b, err := n.two((*node).known)
		if err != nil {
			return a, err
		}
		if a.k != nil && a.k.floats == nil && b.k != nil && b.k.floats == nil {
			return n.zipInts(a.k, b.k, fn)
		}
		if a, b, err = n.two((*node).truths); err != nil {
			return a, err
		}
		return n.zip(0, func(a, b, _ float32) float32 {
			v, _ := fn(int64(a), int64(b))
			return float32(v)
		}, a, b)
	}
}

func tensorNot(n *node) (ref, error) {
	r, err := n.known(0)
	if err != nil || r.k != nil && r.k.floats != nil {
		return r, errors.Join(err, errors.New("input 0 holds floats, not truths"))
	}
	if r.k == nil {
		return n.compute(&mapBody{apply(func(v float32) float32 { return 1 - v })}, r.dims(), r)
	}
	return n.zipInts(r.k, r.k, func(a, _ int64) (int64, bool) { return 1 - a, true })
}

func tensorWhere(n *node) (ref, error) {
	cond, err := n.known(0)
	if err != nil || cond.k != nil && cond.k.floats != nil {
		return cond, errors.Join(err, errors.New("input 0 holds floats, not truths"))
	}
	a, err := n.known(1)
	if err != nil {
		return a, err
	}
	b, err := n.known(2)
	if err != nil {
		return b, err
	}
	if a.k != nil && a.k.floats == nil && b.k != nil && b.k.floats == nil {
		if cond.k == nil {
			return a, fmt.Errorf("a choice of integers by what is computed is not supported%s", wayOut)
		}
		// cond*a + !cond*b
		yes, err := n.zipInts(cond.k, a.k, func(c, v int64) (int64, bool) { return c * v, true })
		if err != nil {
			return a, err
		}
		no, err := n.zipInts(cond.k, b.k, func(c, v int64) (int64, bool) { return (1 - c) * v, true })
		if err != nil {
			return b, err
		}
		return n.zipInts(yes.k, no.k, func(a, b int64) (int64, bool) { return a + b, true })
	}
	if a, err = n.floats(1); err != nil {
		return a, err
	}
	if b, err = n.floats(2); err != nil {
		return b, err
	}
	if cond, err = n.truths(0); err != nil {
		return cond, err
	}
	return n.zip(0, func(a, b, c float32) float32 {
		if c != 0 {
			return a
		}
		return b
	}, a, b, cond)
}
