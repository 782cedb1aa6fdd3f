package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// Lowering turns the file's nodes into operations on height x width x channels.

// wayOut ends the error about a network that this engine does not run.
const wayOut = "; serve the model from a model server (TensorFlow Serving, KServe) and give its URL instead"

// ref is what a name in the file stands for: a value whose axes the file
// orders as axes says (letters of N, H, W, C), or a constant.
type ref struct {
	v     *value
	axes  string
	shape []int // of a tensor, which has no axes of an image
	batch int   // the axis of a tensor that is the batch, where the file fixes it
	k     *constant
	q     *quantised // v is yet to be rounded: only DequantizeLinear may read it
}

// constant is a tensor known at load time: floats or integers.
type constant struct {
	dims   []int
	floats []float32
	ints   []int64
	elem   int64         // the type of ints, where it matters
	whole  *wholeNumbers // what floats were made of by DequantizeLinear
}

type lowerer struct {
	g         *graph
	opts      Options
	limits    Limits
	refs      map[string]ref
	reader    map[string]*rawNode // the first node that reads a name
	files     map[string][]byte   // of external data
	ops       []*op
	converted map[conversion]ref
	spent     int // elements of all constants made so far
	batch     int // of the input, where the file fixes it; one image is computed all the same
}

// node is a raw node while it is lowered: it remembers which attributes were
// understood.
type node struct {
	*rawNode
	l    *lowerer
	seen map[string]bool
	more []ref // outputs behind the first
}

// lower makes the program of a graph.
func lower(g *graph, opts Options) (*program, error) {
	l := &lowerer{g: g, opts: opts, limits: opts.Limits.orDefault(), refs: map[string]ref{}, reader: map[string]*rawNode{}, files: map[string][]byte{}, converted: map[conversion]ref{}}
	if err := l.live(); err != nil {
		return nil, err
	}
	for _, n := range g.nodes {
		for _, name := range n.in {
			if l.reader[name] == nil {
				l.reader[name] = n
			}
		}
	}
	in, err := l.input()
	if err != nil {
		return nil, err
	}
	for _, raw := range g.nodes {
		n := &node{rawNode: raw, l: l, seen: map[string]bool{}}
		if err := l.node(n); err != nil {
			return nil, fmt.Errorf("node %s (%s): %w", n.label(), n.op, err)
		}
	}
	outs, err := l.outputs()
	if err != nil {
		return nil, err
	}
	return &program{ops: l.ops, in: in, outs: outs}, nil
}

func (n *node) label() string {
	if n.name == "" && len(n.out) > 0 {
		return "of " + n.out[0]
	}
	return n.name
}

func (l *lowerer) node(n *node) error {
	if n.domain != "" && n.domain != "ai.onnx" {
		return fmt.Errorf("operator of domain %s is not supported%s", n.domain, wayOut)
	}
	if operators[n.op] == nil && general[n.op] == nil {
		return fmt.Errorf("operator is not supported%s", wayOut)
	}
	if len(n.out) == 0 {
		return errors.New("it has no output")
	}
	for _, name := range n.out[1:] {
		if name != "" && n.op != "Split" && l.reads(name) {
			return fmt.Errorf("output %s is not supported%s", name, wayOut)
		}
	}
	for _, name := range n.in {
		if l.refs[name].q != nil && n.op != "DequantizeLinear" {
			return fmt.Errorf("it reads the integers %q of a QuantizeLinear, which only DequantizeLinear may%s", name, wayOut)
		}
	}
	out, err := n.lowered()
	if err != nil {
		return err
	}
	for name := range n.attrs {
		if !n.seen[name] {
			return fmt.Errorf("attribute %s is not supported%s", name, wayOut)
		}
	}
	outs := append([]ref{out}, n.more...)
	if l.batch > 1 && out.v != nil {
		if err := n.keepBatch(outs); err != nil {
			return err
		}
	}
	for i, r := range outs {
		if r.k != nil {
			if err := l.spend(len(r.k.floats) + len(r.k.ints)); err != nil {
				return err
			}
		}
		if _, dup := l.refs[n.out[i]]; dup {
			return fmt.Errorf("%s is written twice", n.out[i])
		}
		l.refs[n.out[i]] = r
	}
	return nil
}

// spend bounds what nodes make of the weights: a small file may have many that
// read the same large tensor.
func (l *lowerer) spend(elements int) error {
	if l.spent += elements; l.spent > l.limits.Total {
		return fmt.Errorf("the constants up to here have more than %d elements", l.limits.Total)
	}
	return nil
}

// reads tells whether a node or the graph's output uses a name.
func (l *lowerer) reads(name string) bool {
	return l.reader[name] != nil || slices.ContainsFunc(l.g.outputs, func(v valueInfo) bool { return v.name == name })
}

// get gives what the i-th input of a node is. An absent optional input is the
// zero ref.
func (n *node) get(i int) (ref, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return ref{}, nil
	}
	name := n.in[i]
	if r, ok := n.l.refs[name]; ok {
		return r, nil
	}
	t, ok := n.l.g.inits[name]
	if !ok {
		return ref{}, fmt.Errorf("input %q is not there: no node before this one makes it", name)
	}
	k, err := n.l.constant(t)
	if err != nil {
		return ref{}, err
	}
	r := ref{k: k}
	n.l.refs[name] = r
	return r, nil
}

// tensor is get for an image that must be computed, not constant.
func (n *node) tensor(i int) (ref, error) {
	r, err := n.get(i)
	if err != nil {
		return r, err
	}
	if r.v == nil {
		return r, fmt.Errorf("input %d is constant or missing, which is not supported%s", i, wayOut)
	}
	return n.asImage(r)
}

// image is tensor for a batch of images, channels first.
func (n *node) image(i int) (ref, error) {
	r, err := n.tensor(i)
	if err != nil {
		return r, err
	}
	if len(r.axes) == 4 && r.v.size() == 1 {
		r.axes = "NCHW"
	}
	if r.axes != "NCHW" {
		return r, fmt.Errorf("input %d has the axes %s, expected NCHW%s", i, r.axes, wayOut)
	}
	return r, nil
}

// weights is get for an input that must be constant floats.
func (n *node) weights(i int) (*constant, error) {
	r, err := n.get(i)
	if err != nil {
		return nil, err
	}
	if r.k == nil || r.k.floats == nil {
		return nil, fmt.Errorf("input %d is not a constant of floats, which is not supported%s", i, wayOut)
	}
	return r.k, nil
}

// constant decodes a tensor; one without data is filled by Options.Fill.
func (l *lowerer) constant(t *rawTensor) (*constant, error) {
	k := &constant{dims: make([]int, len(t.dims)), elem: t.elem}
	for i, d := range t.dims {
		k.dims[i] = int(d)
	}
	err := l.fetch(t)
	switch {
	case err != nil:
	case t.elem == elemInt32 || t.elem == elemInt64 || t.elem == elemInt8 || t.elem == elemUint8 || t.elem == elemBool:
		k.ints, err = t.int64s()
	case t.empty() && t.count > 0 && t.elem == elemFloat && !t.external && l.opts.Fill != nil:
		k.floats = make([]float32, t.count)
		err = l.opts.Fill(t.name, t.doc, k.floats)
	default:
		k.floats, err = t.float32s()
	}
	return k, err
}

// input finds the one input that nodes read. Exports may list others that
// nothing uses, and old ones list the weights too.
func (l *lowerer) input() (*value, error) {
	var found *valueInfo
	for i, v := range l.g.inputs {
		if l.g.inits[v.name] != nil || !l.reads(v.name) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("the model has the inputs %s and %s, expected one image%s", found.name, v.name, wayOut)
		}
		found = &l.g.inputs[i]
	}
	if found == nil {
		return nil, errors.New("the model has no input that a node reads")
	}
	if found.elem != elemFloat && found.elem != elemHalf {
		return nil, fmt.Errorf("input %s is not float (type %s)%s", found.name, elemNames[found.elem], wayOut)
	}
	r := ref{v: new(value)}
	switch len(found.dims) {
	case 2:
		r.axes = "NC"
		r.v.h, r.v.w = 1, 1
	case 4:
		if r.axes = l.layout(found); r.axes[0] != 'N' {
			return nil, fmt.Errorf("input %s: the batch is not its first axis%s", found.name, wayOut)
		}
	default:
		return nil, fmt.Errorf("input %s has %d dimensions, expected 4%s", found.name, len(found.dims), wayOut)
	}
	for i, letter := range r.axes {
		d := int(min(found.dims[i], 1<<31-1))
		switch letter {
		case 'N':
			if l.batch = max(d, 1); l.batch > maxBatch {
				return nil, fmt.Errorf("input %s: the batch is fixed at %d, more than %d: export the model with a free batch dimension", found.name, d, maxBatch)
			}
		case 'H':
			r.v.h = d
		case 'W':
			r.v.w = d
		case 'C':
			r.v.c = d
		}
	}
	if err := l.size(found.name, r.v); err != nil {
		return nil, err
	}
	l.refs[found.name] = r
	return r.v, nil
}

// size settles an input whose size the file leaves open.
func (l *lowerer) size(name string, v *value) error {
	for _, d := range []struct {
		have *int
		want int
		what string
	}{{&v.h, l.opts.Height, "height"}, {&v.w, l.opts.Width, "width"}, {&v.c, l.opts.Channels, "number of channels"}} {
		switch {
		case *d.have < 0 && d.want <= 0:
			return fmt.Errorf("input %s: %s: %w", name, d.what, ErrOpenSize)
		case *d.have < 0:
			*d.have = d.want
		case d.want > 0 && d.want != *d.have:
			return fmt.Errorf("input %s: its %s is %d, not %d", name, d.what, *d.have, d.want)
		}
	}
	return l.fits(v)
}

// fits bounds the size of a value.
func (l *lowerer) fits(v *value) error {
	_, err := product([]int64{int64(v.h), int64(v.w), int64(v.c)}, l.limits.Elements)
	if err == nil && v.size() == 0 {
		err = fmt.Errorf("the shape %dx%dx%d is empty", v.h, v.w, v.c)
	}
	return err
}

// layout tells which axis of the input is the channels: followed through
// transpositions and element-wise nodes to the first node that knows. Where
// none does, an axis of up to four is.
func (l *lowerer) layout(in *valueInfo) string {
	if l.opts.Layout == "NHWC" || l.opts.Layout == "NCHW" {
		return l.opts.Layout
	}
	guess := "NHWC"
	if few(in.dims[1]) && !few(in.dims[3]) {
		guess = "NCHW"
	}
	axes, name := []int{0, 1, 2, 3}, in.name
	for range l.g.nodes {
		n := l.reader[name]
		if n == nil || len(n.out) == 0 {
			break
		}
		switch n.op {
		case "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization", "ConvTranspose", "InstanceNormalization", "GroupNormalization", "LRN":
			letters := make([]byte, 4)
			for k, a := range axes {
				letters[a] = "NCHW"[k]
			}
			return string(letters)
		case "Transpose":
			perm := n.attrs["perm"]
			if perm == nil || len(perm.ints) != 4 {
				return guess
			}
			next := make([]int, 4)
			for k, p := range perm.ints {
				if p < 0 || p > 3 || slices.Contains(perm.ints[:k], p) {
					return guess
				}
				next[k] = axes[p]
			}
			axes = next
		case "Flatten", "Reshape", "Gemm", "MatMul", "ReduceMean":
			return guess
		}
		name = n.out[0]
	}
	return guess
}

func few(channels int64) bool { return channels >= 1 && channels <= 4 }

// emit adds an operation and gives its output.
func (n *node) emit(o *op, h, w, c int) (*value, error) {
	o.name = n.label()
	o.out = &value{h: h, w: w, c: c, def: o}
	if err := n.l.fits(o.out); err != nil {
		return nil, err
	}
	if err := n.l.spend(len(o.w) + len(o.bias) + len(o.scale) + len(o.shift)); err != nil {
		return nil, err
	}
	n.l.ops = append(n.l.ops, o)
	return o.out, nil
}

// same emits an operation that keeps the shape of its first input.
func (n *node) same(o *op, r ref) (ref, error) {
	v, err := n.emit(o, r.v.h, r.v.w, r.v.c)
	return ref{v: v, axes: r.axes, shape: r.shape}, err
}

// dims gives the shape of a ref as the file sees it; the batch is one.
func (r ref) dims() []int {
	if r.k != nil {
		return r.k.dims
	}
	if r.shape != nil {
		return r.shape
	}
	d := make([]int, len(r.axes))
	for i := range d {
		d[i] = r.dim(r.axes[i])
	}
	return d
}

// fileDims is dims with the batch that the file fixes.
func (l *lowerer) fileDims(r ref) []int {
	d := slices.Clone(r.dims())
	if r.v != nil && len(d) > 0 {
		d[r.batchAxis()] *= l.batch
	}
	return d
}

func (r ref) dim(letter byte) int {
	switch letter {
	case 'H':
		return r.v.h
	case 'W':
		return r.v.w
	case 'C':
		return r.v.c
	}
	return 1
}
