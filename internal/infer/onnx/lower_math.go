package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

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

// tensorLayerNorm is a norm over the last axes; of RMSNormalization by the deviation from zero.
func tensorLayerNorm(origin bool) func(*node) (ref, error) {
	return func(n *node) (ref, error) {
		x, err := n.floats(0)
		if err != nil {
			return x, err
		}
		dims := x.dims()
		axis, err := axisOf(n.intAttr("axis", -1), len(dims))
		if err != nil {
			return x, err
		}
		if x.v != nil {
			return n.layerNorm(x, axis, origin)
		}
		n.intAttr("stash_type", 1)
		b := &normBody{n: volume(dims[axis:]), div: 1, eps: float64(n.floatAttr("epsilon", 1e-5)), fromZero: origin}
		return n.norm(b, x, b.n)
	}
}

// tensorBatchNorm is of tensors whose channels are the second axis.
func tensorBatchNorm(n *node) (ref, error) {
	x, err := n.floats(0)
	if err != nil {
		return x, err
	}
	dims := x.dims()
	if len(dims) < 2 {
		return x, fmt.Errorf("shape %v has no channels", dims)
	}
	scale, shift, err := n.batchNorm(dims[1])
	if err != nil {
		return x, err
	}
	shape := slices.Repeat([]int{1}, len(dims)-1)
	shape[0] = dims[1]
	return n.zip(0, func(x, scale, shift float32) float32 { return float32(x*scale) + shift }, x,
		ref{k: &constant{dims: shape, floats: scale}}, ref{k: &constant{dims: shape, floats: shift}})
}

// norm reads scale and shift, of so many elements.
func (n *node) norm(b *normBody, x ref, size int) (ref, error) {
	var err error
	if b.scale, b.shift, err = n.scaleAndShift(size); err != nil {
		return x, err
	}
	return n.compute(b, x.dims(), x)
}

func (n *node) scaleAndShift(size int) (scale, shift []float32, err error) {
	k, err := n.weights(1)
	if err != nil {
		return nil, nil, err
	}
	scale, shift = k.floats, make([]float32, size)
	if s, err := n.get(2); err != nil {
		return nil, nil, err
	} else if s.k != nil || s.v != nil {
		k, err := n.weights(2)
		if err != nil {
			return nil, nil, err
		}
		shift = k.floats
	}
	if len(scale) != size || len(shift) != size {
		return nil, nil, fmt.Errorf("scale and shift have %d and %d elements, expected %d", len(scale), len(shift), size)
	}
	return scale, shift, nil
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
		if a.v != nil && b.k != nil {
			return n.productRows(a, b.k.floats, append(slices.Clone(shape), da[len(da)-2], m.cols))
		}
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
	v, err := n.emit(&op{kind: opBody, body: &mapBody{func(out, in []float32) { copy(out, in) }}, args: []operand{{k: r.k.floats}}}, 1, 1, len(r.k.floats))
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
