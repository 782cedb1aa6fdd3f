package onnx

import (
	"fmt"
	"slices"
	"strings"
)

// Where the file fixes a batch of several images, one of them is computed, and its
// axis has the size 1 here. Operators that read its size off a shape, or take it
// for another axis, would compute something else where it was moved.

// batchAxis gives the place of the batch among the axes of what is computed.
func (r ref) batchAxis() int {
	if r.shape != nil {
		return r.batch
	}
	return max(strings.IndexByte(r.axes, 'N'), 0)
}

// keepBatch notes where the batch is in what a node gives. An operator that may
// confuse a batch that was moved is refused.
func (n *node) keepBatch(outs []ref) error {
	at, first := 0, ref{}
	for i := range n.in {
		r, err := n.get(i)
		if err != nil {
			return err
		}
		if r.v == nil {
			continue
		}
		if b := r.batchAxis(); first.v == nil || b > at {
			at, first = b, r
		}
	}
	rank := len(outs[0].dims())
	if first.v == nil || at == 0 && !moves[n.op] && (!elementwise[n.op] || rank == len(first.dims())) {
		return nil
	}
	to, ok := n.batchAfter(first, at, rank)
	for i, r := range outs {
		if !ok || r.shape == nil && r.batchAxis() != to && r.v.h*r.v.w > 1 {
			return fmt.Errorf("the batch of %d, which the file fixes, is axis %d of its input and would be taken for another axis: export the model with a free batch, or one of 1", n.l.batch, at)
		}
		if r.shape == nil && r.batchAxis() != to {
			outs[i] = ref{v: r.v, shape: r.dims()}
		}
		outs[i].batch = to
	}
	return nil
}

// moves are the operators that can move a batch which is the first axis.
var moves = map[string]bool{"Transpose": true, "Unsqueeze": true, "Einsum": true, "Gemm": true}

// batchAfter gives the axis that becomes of the batch; ok is false where the
// operator may not know the two apart.
func (n *node) batchAfter(x ref, at, rank int) (to int, ok bool) {
	old := len(x.dims())
	switch n.op {
	case "Transpose":
		if a := n.attr("perm"); a != nil {
			return slices.Index(a.ints, int64(at)), true
		}
		return old - 1 - at, true
	case "Identity", "Cast", "Dropout", "Shape", "Slice":
		return at, true
	case "Softmax", "LogSoftmax", "Split", "Concat":
		axis, err := axisOf(n.intAttr("axis", -1), old)
		return at, err == nil && axis != at && n.l.g.opset >= 13 && n.sameBatch(at, old)
	case "LayerNormalization":
		axis, err := axisOf(n.intAttr("axis", -1), old)
		return at, err == nil && axis > at
	case "Gather":
		axis, err := axisOf(n.intAttr("axis", 0), old)
		if axis < at {
			return at + rank - old, err == nil
		}
		return at, err == nil && axis > at
	case "Squeeze", "Unsqueeze":
		return n.batchBetween(at, max(rank, old))
	case "MatMul":
		return at + rank - old, at < old-2 && n.sameBatch(at, old)
	case "Gemm":
		b, err := n.get(1)
		return at, err == nil && at == 0 && b.v == nil && n.intAttr("transA", 0) == 0
	case "Einsum":
		return n.batchLetter()
	}
	return at + rank - old, elementwise[n.op] && n.sameBatch(at, old)
}

// elementwise are operators whose inputs spread over each other, counted from the
// last axis.
var elementwise = map[string]bool{"Add": true, "Sub": true, "Mul": true, "Div": true, "Pow": true, "Max": true, "Min": true, "Sum": true, "Mean": true, "Where": true, "PRelu": true,
	"Equal": true, "Less": true, "Greater": true, "LessOrEqual": true, "GreaterOrEqual": true, "Not": true, "And": true, "Or": true, "Xor": true, "IsNaN": true, "IsInf": true,
	"Relu": true, "LeakyRelu": true, "Elu": true, "Sigmoid": true, "HardSigmoid": true, "HardSwish": true, "Tanh": true, "Clip": true,
	"Erf": true, "Exp": true, "Log": true, "Gelu": true, "Mish": true, "Neg": true, "Abs": true, "Sqrt": true, "Reciprocal": true, "Softplus": true, "Selu": true, "Celu": true, "Swish": true, "Expand": true, "MatMul": true}

// sameBatch tells whether all that is computed has the batch in the same place,
// counted from the last axis.
func (n *node) sameBatch(at, rank int) bool {
	for i := range n.in {
		if r, err := n.get(i); err != nil || r.v != nil && len(r.dims())-r.batchAxis() != rank-at {
			return false
		}
	}
	return true
}

// batchBetween gives the place of the batch where axes of 1 come or go: rank is
// of the side that has them.
func (n *node) batchBetween(at, rank int) (to int, ok bool) {
	list, ok, err := n.axesList(1)
	if err != nil || !ok {
		return at, false
	}
	ones := make([]bool, rank)
	for _, a := range list {
		i, err := axisOf(a, rank)
		if err != nil {
			return at, false
		}
		ones[i] = true
	}
	if n.op == "Squeeze" {
		for _, one := range ones[:at] {
			if one {
				to++
			}
		}
		return at - to, !ones[at]
	}
	for i, one := range ones {
		if one {
			continue
		}
		if at == 0 {
			return i, true
		}
		at--
	}
	return at, false
}

// batchLetter gives the place of the batch in the output of an Einsum.
func (n *node) batchLetter() (to int, ok bool) {
	in, out, _ := strings.Cut(strings.ReplaceAll(n.stringAttr("equation", ""), " ", ""), "->")
	batch := byte(0)
	for i, letters := range strings.Split(in, ",") {
		r, err := n.get(i)
		if err != nil || r.v != nil && batch != 0 && letters[r.batchAxis()] != batch {
			return 0, false
		}
		if r.v != nil {
			batch = letters[r.batchAxis()]
		}
	}
	to = strings.IndexByte(out, batch)
	return to, to >= 0
}
