package onnx

import (
	"fmt"
)

// Lowering of tensors: what is not done to images, or to more or fewer axes.

// maxTables bounds the indices that one operation picks by.
const maxTables = 1 << 22

// known is get for an input that is there: a tensor, or a constant.
func (n *node) known(i int) (ref, error) {
	r, err := n.get(i)
	if err == nil && r.v == nil && r.k == nil {
		err = fmt.Errorf("input %d is missing", i)
	}
	if err != nil {
		return r, err
	}
	for _, d := range r.dims() {
		if d > maxTables {
			return r, fmt.Errorf("an axis of %d is longer than %d%s", d, maxTables, wayOut)
		}
	}
	if r.k != nil {
		return r, nil
	}
	return n.asTensor(r)
}

// floats is known for what must not be integers.
func (n *node) floats(i int) (ref, error) {
	r, err := n.known(i)
	if err == nil && r.k != nil && r.k.floats == nil {
		err = fmt.Errorf("input %d holds no floats", i)
	}
	return r, err
}

// two gives the first two inputs.
func (n *node) two(get func(*node, int) (ref, error)) (a, b ref, err error) {
	if a, err = get(n, 0); err == nil {
		b, err = get(n, 1)
	}
	return a, b, err
}

// asTensor makes an image a tensor with the axes that the file sees.
func (n *node) asTensor(r ref) (ref, error) {
	if r.shape != nil {
		return r, nil
	}
	if r.v.h*r.v.w == 1 {
		return ref{v: r.v, shape: r.dims(), batch: r.batchAxis()}, nil
	}
	key := conversion{r.v, r.axes}
	if got, ok := n.l.converted[key]; ok {
		return got, nil
	}
	v, err := n.emit(&op{kind: opLoad, in: []*value{r.v}, axes: r.axes}, 1, 1, r.v.size())
	got := ref{v: v, shape: r.dims(), batch: r.batchAxis()}
	n.l.converted[key] = got
	return got, err
}

// conversion is of an image, whose axes the file orders so, to a tensor.
type conversion struct {
	v    *value
	axes string
}

// asImage makes a tensor of one image, channels first, or of one vector an image.
func (n *node) asImage(r ref) (ref, error) {
	d := r.shape
	switch {
	case r.shape == nil:
		return r, nil
	case len(d) == 2 && d[0] == 1:
		return ref{v: r.v, axes: "NC"}, nil
	case len(d) != 4 || d[0] != 1:
		return r, fmt.Errorf("shape %v is not that of one image%s", d, wayOut)
	case d[2]*d[3] == 1:
		return ref{v: r.v, axes: "NCHW"}, nil
	}
	key := conversion{r.v, fmt.Sprint(d)}
	if got, ok := n.l.converted[key]; ok {
		return got, nil
	}
	v, err := n.emit(&op{kind: opStore, in: []*value{r.v}}, d[2], d[3], d[1])
	got := ref{v: v, axes: "NCHW"}
	n.l.converted[key] = got
	return got, err
}

// compute emits a body, or runs it where all it reads is constant.
func (n *node) compute(b body, shape []int, in ...ref) (ref, error) {
	size, err := n.l.shapeSize(shape)
	if err != nil {
		return ref{}, err
	}
	o := &op{kind: opBody, body: b}
	var constants [][]float32
	for _, r := range in {
		if r.k != nil {
			o.args = append(o.args, operand{k: r.k.floats})
			constants = append(constants, r.k.floats)
			continue
		}
		o.args = append(o.args, operand{at: len(o.in)})
		o.in = append(o.in, r.v)
	}
	if len(constants) < len(in) {
		v, err := n.emit(o, 1, 1, size)
		return ref{v: v, shape: shape}, err
	}
	s := &Session{}
	if m, ok := b.(*matmulBody); ok {
		m.k = &portable
		s.matrix, s.noBias = make([]float32, m.packedSize()), make([]float32, m.k.nr)
	}
	k := &constant{dims: shape, floats: make([]float32, size)}
	b.run(s, k.floats, constants)
	return ref{k: k}, nil
}

// shapeSize gives the elements of a shape, which are some, but not too many.
func (l *lowerer) shapeSize(shape []int) (int, error) {
	wide := make([]int64, len(shape))
	for i, d := range shape {
		wide[i] = int64(d)
	}
	size, err := product(wide, l.limits.Elements)
	if err == nil && size == 0 {
		err = fmt.Errorf("the shape %v is empty", shape)
	}
	if err == nil && len(shape) > maxRank {
		err = fmt.Errorf("%d axes are more than %d", len(shape), maxRank)
	}
	return size, err
}

// move gives a tensor or constant of a shape whose elements are picked by
// tables.
func (n *node) move(x ref, shape []int, tables [][]int, fill float32) (ref, error) {
	total := 0
	for _, t := range tables {
		total += len(t)
	}
	if total > maxTables {
		return x, fmt.Errorf("%d indices are more than %d", total, maxTables)
	}
	if err := n.l.spend(total); err != nil {
		return x, err
	}
	if x.k == nil || x.k.floats != nil {
		return n.compute(&moveBody{tables: tables, fill: fill}, shape, x)
	}
	size := 1
	for _, t := range tables {
		size *= len(t)
	}
	if size > maxConstantInts {
		return x, fmt.Errorf("%d integers are more than %d", size, maxConstantInts)
	}
	k := &constant{dims: shape, ints: make([]int64, size), elem: x.k.elem}
	if size > 0 {
		pickAll(k.ints, x.k.ints, tables, int64(fill), 0, false)
	}
	return ref{k: k}, nil
}

// along gives the tables that change nothing, to change one of them.
func along(dims []int) [][]int {
	tables := make([][]int, len(dims))
	for i, s := range strides(dims) {
		tables[i] = make([]int, dims[i])
		for j := range tables[i] {
			tables[i][j] = j * s
		}
	}
	return tables
}

// reshaped gives a tensor or constant the same elements in another shape.
func reshaped(x ref, shape []int) ref {
	if x.k != nil {
		k := *x.k
		k.dims, k.whole = shape, nil
		return ref{k: &k}
	}
	return ref{v: x.v, shape: shape}
}

// spread gives the shape of several that are spread over each other.
func spread(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
		for _, s := range shapes {
			if j := i - rank + len(s); j >= 0 && s[j] != 1 {
				if out[i] != 1 && out[i] != s[j] {
					return nil, fmt.Errorf("shapes %v do not go together", shapes)
				}
				out[i] = s[j]
			}
		}
	}
	return out, nil
}

// spreadSteps gives the distances of the elements of a shape along the axes
// of a larger one.
func spreadSteps(shape, over []int) []int {
	steps := make([]int, len(over))
	s := strides(shape)
	for i, d := range shape {
		if d != 1 {
			steps[i+len(over)-len(shape)] = s[i]
		}
	}
	return steps
}
