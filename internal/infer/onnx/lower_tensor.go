package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
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
		return ref{v: r.v, shape: r.dims()}, nil
	}
	key := conversion{r.v, r.axes}
	if got, ok := n.l.converted[key]; ok {
		return got, nil
	}
	v, err := n.emit(&op{kind: opLoad, in: []*value{r.v}, axes: r.axes}, 1, 1, r.v.size())
	got := ref{v: v, shape: r.dims()}
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
		m.prepare(&portable, nil)
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

// tensorReduce is a reduction over any axes.
func tensorReduce(start float64, add func(sum, v float64) float64, end func(sum float64, n int) float64) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		list, ok, err := n.axesList(1)
		if err != nil {
			return x, err
		}
		dims := x.dims()
		over := make([]bool, len(dims))
		if n.intAttr("noop_with_empty_axes", 0) != 0 && len(list) == 0 {
			return x, nil
		}
		for i := range over {
			over[i] = !ok || len(list) == 0
		}
		for _, a := range list {
			i, err := axisOf(a, len(dims))
			if err != nil {
				return x, err
			}
			over[i] = true
		}
		keep := n.intAttr("keepdims", 1) != 0
		var shape, kept, keptSteps, gone, goneSteps []int
		for i, s := range strides(dims) {
			switch {
			case !over[i]:
				kept, keptSteps, shape = append(kept, dims[i]), append(keptSteps, s), append(shape, dims[i])
			case keep:
				shape = append(shape, 1)
				fallthrough
			default:
				gone, goneSteps = append(gone, dims[i]), append(goneSteps, s)
			}
		}
		if shape == nil {
			shape = []int{}
		}
		if volume(kept) > maxTables || volume(gone) > maxTables {
			return x, fmt.Errorf("a reduction of %v over the axes %v is too large%s", dims, list, wayOut)
		}
		if err := n.l.spend(volume(kept) + volume(gone)); err != nil {
			return x, err
		}
		return n.compute(&reduceBody{base: offsets(kept, keptSteps), over: offsets(gone, goneSteps), start: start, add: add, end: end}, shape, x)
	}
}

func plus(sum, v float64) float64       { return sum + v }
func plusSquare(sum, v float64) float64 { return sum + float64(v*v) }
func plusAbs(sum, v float64) float64    { return sum + math.Abs(v) }
func alone(sum float64, _ int) float64  { return sum }
func meanOf(sum float64, n int) float64 { return sum / float64(n) }
func rootOf(sum float64, _ int) float64 { return math.Sqrt(sum) }
func largest(a, b float64) float64      { return max(a, b) }
func smallest(a, b float64) float64     { return min(a, b) }
func times(a, b float64) float64        { return a * b }
func three(fn func(a, b float64) float64) func(a, b, c float32) float32 {
	return func(a, b, _ float32) float32 { return float32(fn(float64(a), float64(b))) }
}

func tensorSoftmax(log bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		dims, def := x.dims(), int64(-1)
		if n.l.g.opset < 13 {
			def = 1
		}
		axis, err := axisOf(n.intAttr("axis", def), len(dims))
		if err != nil {
			return x, err
		}
		b := &softmaxBody{n: dims[axis], step: volume(dims[axis+1:]), log: log}
		if n.l.g.opset < 13 { // all axes from this one on are one
			b.n, b.step = b.n*b.step, 1
		}
		return n.compute(b, dims, x)
	}
}

func tensorLayerNorm(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	n.intAttr("stash_type", 1)
	dims := x.dims()
	axis, err := axisOf(n.intAttr("axis", -1), len(dims))
	if err != nil {
		return x, err
	}
	b := &normBody{n: volume(dims[axis:]), div: 1, eps: float64(n.floatAttr("epsilon", 1e-5))}
	return n.norm(b, x, b.n)
}

// norm reads scale and shift, of so many elements.
func (n *node) norm(b *normBody, x ref, size int) (ref, error) {
	scale, err := n.weights(1)
	if err != nil {
		return x, err
	}
	b.scale, b.shift = scale.floats, make([]float32, size)
	if s, err := n.get(2); err != nil {
		return x, err
	} else if s.k != nil || s.v != nil {
		k, err := n.weights(2)
		if err != nil {
			return x, err
		}
		b.shift = k.floats
	}
	if len(b.scale) != size || len(b.shift) != size {
		return x, fmt.Errorf("scale and shift have %d and %d elements, expected %d", len(b.scale), len(b.shift), size)
	}
	return n.compute(b, x.dims(), x)
}

func tensorInstanceNorm(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	if len(dims) < 3 {
		return x, fmt.Errorf("shape %v has no channels of several elements", dims)
	}
	b := &normBody{n: volume(dims[2:]), div: volume(dims[2:]), eps: float64(n.floatAttr("epsilon", 1e-5))}
	return n.norm(b, x, dims[1])
}

func tensorGroupNorm(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	n.intAttr("stash_type", 1)
	dims, groups := x.dims(), int(n.intAttr("num_groups", 0))
	if len(dims) < 3 || groups < 1 || dims[1]%groups != 0 {
		return x, fmt.Errorf("attribute num_groups: %d does not divide the channels of %v", groups, dims)
	}
	b := &normBody{n: volume(dims[1:]) / groups, div: volume(dims[2:]), eps: float64(n.floatAttr("epsilon", 1e-5))}
	size := dims[1]
	if n.l.g.opset < 21 { // a scale per group
		b.div, size = b.n, groups
	}
	return n.norm(b, x, size)
}

func tensorMatMul(n *node) (ref, error) {
	a, b, err := n.two((*node).floats)
	if err != nil {
		return a, err
	}
	return n.product(a, b)
}

// product multiplies the matrices in the last two axes.
func (n *node) product(a, b ref) (ref, error) {
	da, db := a.dims(), b.dims()
	if len(da) < 2 || len(db) < 2 || da[len(da)-1] != db[len(db)-2] {
		return a, fmt.Errorf("a product of %v and %v is not supported%s", da, db, wayOut)
	}
	m := &matmulBody{rows: da[len(da)-2], depth: da[len(da)-1], cols: db[len(db)-1]}
	la, lb := da[:len(da)-2], db[:len(db)-2]
	shape, err := spread(la, lb)
	if err != nil {
		return a, err
	}
	if volume(lb) == 1 { // one matrix for all rows
		m.rows *= volume(la)
		m.a, m.b = []int{0}, []int{0}
	} else {
		scaledBy := func(list []int, by int) []int {
			for i := range list {
				list[i] *= by
			}
			return list
		}
		if size, err := n.l.shapeSize(shape); err != nil || size > maxTables {
			return a, errors.Join(err, fmt.Errorf("%d matrices are more than %d", size, maxTables))
		} else if err := n.l.spend(2 * size); err != nil {
			return a, err
		}
		m.a = scaledBy(offsets(shape, spreadSteps(la, shape)), m.rows*m.depth)
		m.b = scaledBy(offsets(shape, spreadSteps(lb, shape)), m.depth*m.cols)
	}
	if b.k != nil && len(m.b) > 1 { // several constant matrices are not packed ahead
		if b, err = n.hold(b); err != nil {
			return b, err
		}
	}
	return n.compute(m, append(slices.Clone(shape), da[len(da)-2], m.cols), a, b)
}

// hold makes a constant a tensor.
func (n *node) hold(r ref) (ref, error) {
	v, err := n.emit(&op{kind: opBody, body: &mapBody{func(v float32) float32 { return v }}, args: []operand{{k: r.k.floats}}}, 1, 1, len(r.k.floats))
	return ref{v: v, shape: r.dims()}, err
}

func tensorPRelu(n *node) (ref, error) {
	x, slope, err := n.two((*node).floats)
	if err != nil {
		return x, err
	}
	return n.zip(0, func(x, s, _ float32) float32 {
		if x < 0 {
			return x * s
		}
		return x
	}, x, slope)
}

func tensorWhere(n *node) (ref, error) {
	cond, err := n.get(0)
	if err != nil {
		return cond, err
	}
	if cond.k == nil || cond.k.floats != nil {
		return cond, fmt.Errorf("a condition that is not constant is not supported%s", wayOut)
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
	c := ref{k: &constant{dims: cond.k.dims, floats: make([]float32, len(cond.k.ints))}}
	for i, v := range cond.k.ints {
		c.k.floats[i] = float32(v)
	}
	return n.zip(0, func(a, b, c float32) float32 {
		if c != 0 {
			return a
		}
		return b
	}, a, b, c)
}

// tensorLRN is the normalisation of AlexNet and GoogLeNet over neighbouring
// channels.
func tensorLRN(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	dims, size := x.dims(), int(n.intAttr("size", 1))
	if len(dims) < 2 || size < 1 {
		return x, fmt.Errorf("attribute size: %d of shape %v is not supported", size, dims)
	}
	b := &lrnBody{channels: dims[1], area: volume(dims[2:]), before: (size - 1) / 2, after: size / 2,
		alpha: float64(n.floatAttr("alpha", 1e-4)) / float64(size), beta: float64(n.floatAttr("beta", 0.75)), bias: float64(n.floatAttr("bias", 1))}
	return n.compute(b, dims, x)
}

type lrnBody struct {
	channels, area, before, after int
	alpha, beta, bias             float64
}

func (b *lrnBody) run(_ *Session, out []float32, in [][]float32) {
	for i, v := range in[0][:len(out)] {
		c, sum := i/b.area%b.channels, 0.0
		for k := max(0, c-b.before); k <= min(b.channels-1, c+b.after); k++ {
			u := float64(in[0][i+(k-c)*b.area])
			sum += float64(u * u)
		}
		out[i] = float32(float64(v) / math.Pow(b.bias+float64(b.alpha*sum), b.beta))
	}
}

func tensorConvTranspose(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	w, err := n.weights(1)
	if err != nil {
		return x, err
	}
	d, groups := x.dims(), int(n.intAttr("group", 1))
	if len(d) != 4 || len(w.dims) != 4 || d[0] != 1 || w.dims[0] != d[1] || groups < 1 || d[1]%groups != 0 {
		return x, fmt.Errorf("weights of shape %v in %d groups do not fit %v%s", w.dims, groups, d, wayOut)
	}
	if auto := n.stringAttr("auto_pad", "NOTSET"); auto != "NOTSET" || n.attr("output_shape") != nil {
		return x, fmt.Errorf("attributes auto_pad and output_shape are not supported%s", wayOut)
	}
	if extra, err := n.intsAttr("output_padding", 2, 0, 0, maxWindow); err != nil {
		return x, err
	} else if win, _, _, err := n.window(w.dims[2:], 1<<20, 1<<20, false); err != nil {
		return x, err
	} else {
		b := &deconvBody{win: win, cin: d[1], cout: w.dims[1] * groups, groups: groups, h: d[2], w: d[3], weights: w.floats,
			oh: (d[2]-1)*win.sh + (win.kh-1)*win.dh + 1 - win.top - win.bottom + extra[0],
			ow: (d[3]-1)*win.sw + (win.kw-1)*win.dw + 1 - win.left - win.right + extra[1]}
		if b.oh < 1 || b.ow < 1 {
			return x, fmt.Errorf("the output of %d x %d is empty", b.oh, b.ow)
		}
		b.bias = make([]float32, b.cout)
		if r, err := n.get(2); err != nil {
			return x, err
		} else if r.k != nil {
			if len(r.k.floats) != b.cout {
				return x, fmt.Errorf("bias has %d elements for %d channels", len(r.k.floats), b.cout)
			}
			b.bias = r.k.floats
		}
		return n.compute(b, []int{1, b.cout, b.oh, b.ow}, x)
	}
}
