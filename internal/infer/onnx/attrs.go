package onnx

import "fmt"

// Reading attributes marks them as understood; lowerer.node refuses the rest.

func (n *node) attr(name string) *attribute {
	n.seen[name] = true
	return n.attrs[name]
}

func (n *node) intAttr(name string, def int64) int64 {
	if a := n.attr(name); a != nil {
		return a.i
	}
	return def
}

func (n *node) floatAttr(name string, def float32) float32 {
	if a := n.attr(name); a != nil {
		return a.f
	}
	return def
}

func (n *node) stringAttr(name, def string) string {
	if a := n.attr(name); a != nil {
		return a.s
	}
	return def
}

// intsAttr gives a list that must have count numbers from lo to hi; def is
// each one's default.
func (n *node) intsAttr(name string, count int, def, lo, hi int64) ([]int, error) {
	out := make([]int, count)
	a := n.attr(name)
	if a == nil {
		for i := range out {
			out[i] = int(def)
		}
		return out, nil
	}
	if len(a.ints) != count {
		return nil, fmt.Errorf("attribute %s has %d numbers, expected %d (images only)%s", name, len(a.ints), count, wayOut)
	}
	for i, v := range a.ints {
		if v < lo || v > hi {
			return nil, fmt.Errorf("attribute %s: %d is not from %d to %d", name, v, lo, hi)
		}
		out[i] = int(v)
	}
	return out, nil
}

// axisOf turns an axis, which may count from the end, into an index.
func axisOf(axis int64, rank int) (int, error) {
	if axis < 0 {
		axis += int64(rank)
	}
	if axis < 0 || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d is not one of %d", axis, rank)
	}
	return int(axis), nil
}

// axesList gives the axes of a node that has them as an attribute or, in later
// versions, as an input; ok is false when it names none.
func (n *node) axesList(input int) (axes []int64, ok bool, err error) {
	if a := n.attr("axes"); a != nil {
		return a.ints, true, nil
	}
	r, err := n.get(input)
	if err != nil || r.k == nil && r.v == nil {
		return nil, false, err
	}
	if r.k == nil || r.k.ints == nil && len(r.k.floats) > 0 {
		return nil, false, fmt.Errorf("input %d is not a constant list of axes%s", input, wayOut)
	}
	return r.k.ints, true, nil
}
