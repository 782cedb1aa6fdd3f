package onnx

import (
	"math"
	"slices"
)

// Quantised models in integers: where the kernels have them, a value that a
// QuantizeLinear rounded is kept as bytes. Products of such values with whole
// weights sum integers; scaling, batch norms and sums go from bytes to bytes;
// everything else reads floats made of the bytes, and what it gives is rounded
// after it. What is not quantised stays in floats beside it.

// grid is what bytes stand for: (byte - zero) * scale. Integers of int8 are
// shifted by 128.
type grid struct {
	scale float32
	zero  int32
}

// grid gives the grid that the activation rounds to; nil for one that bytes
// do not have.
func (a act) grid() *grid {
	zero := a.beta - a.lo
	if a.kind != actQuantised || a.hi-a.lo != 255 || !(zero >= 0 && zero <= 255) {
		return nil
	}
	return &grid{scale: a.alpha, zero: int32(zero)}
}

// bounds gives what a number on the grid's scale is clamped to before the zero
// point is added, so that it fits a byte and obeys the clamp.
func (g *grid) bounds(a act) (lo, hi float32) {
	lo, hi = -float32(g.zero), float32(255-g.zero)
	if a.kind != actClamp {
		return lo, hi
	}
	whole := func(v float32) float32 { return float32(math.RoundToEven(float64(v / g.scale))) }
	low, high := whole(a.lo), whole(a.hi)
	return min(max(lo, low), hi), max(min(hi, high), lo)
}

// intWeights are the integers of a convolution's weights, ordered as its
// floats, and the scale of each output channel.
type intWeights struct {
	w     []int8
	scale []float32
}

// scaled gives weights whose outputs are multiplied.
func (w *intWeights) scaled(by []float32) *intWeights {
	if w == nil {
		return nil
	}
	out := &intWeights{w: w.w, scale: slices.Clone(w.scale)}
	for i, v := range by {
		out.scale[i] *= v
	}
	return out
}

// start gives the sum that each output channel begins with: what the input's
// zero point adds. It is false where a sum may not fit 32 bits.
func (w *intWeights) start(zero int32) ([]int32, bool) {
	per := len(w.w) / len(w.scale)
	out := make([]int32, len(w.scale))
	for c := range out {
		sum, size := int64(0), int64(0)
		for _, v := range w.w[c*per : (c+1)*per] {
			sum += int64(v)
			size += max(int64(v), -int64(v))
		}
		if 2*255*size > math.MaxInt32 {
			return nil, false
		}
		out[c] = int32(-int64(zero) * sum)
	}
	return out, true
}

// integers lets the values of a rewritten program be bytes.
func integers(p *program) {
	p.dropDead()
	onGrids(p)
	p.ops = slices.DeleteFunc(p.ops, func(o *op) bool { return o == nil })
	t := &typer{p: p, floats: map[*value]*value{}}
	for _, o := range p.ops {
		t.op(o)
	}
	p.ops = t.ops
	p.dropDead()
	for i, o := range p.ops {
		if o.grid != nil {
			foldQuantisedPad(p, o)
			fuseScaling(p, i, o)
		}
	}
	p.ops = slices.DeleteFunc(p.ops, func(o *op) bool { return o == nil })
}

// onGrids takes rounding out of the activations and says of the rounded value
// what its bytes stand for. Rounding alone goes into the operation before it, or
// becomes an affine operation that changes nothing.
func onGrids(p *program) {
	for i, o := range p.ops {
		g := o.act.grid()
		if g == nil || o.out.out {
			continue
		}
		o.act = act{}
		o.out.grid = g
		if o.kind != opAct {
			continue
		}
		e := only(o.in[0])
		if e != nil && e.out.grid == nil && e.act.kind <= actClamp && (e.kind == opConv || e.kind == opAffine || e.kind == opBinary || e.kind == opConcat || e.kind == opAct) {
			p.absorb(i, o, e)
			o = e
		}
		if o.kind == opAct {
			o.identity()
		}
	}
}

// identity makes an affine operation of one that clamps or does nothing.
func (o *op) identity() {
	o.kind, o.scale, o.shift = opAffine, slices.Repeat([]float32{1}, o.out.c), make([]float32, o.out.c)
}

// changesNothing tells that an affine operation at most clamps.
func (o *op) changesNothing() bool {
	for i, v := range o.scale {
		if v != 1 || o.shift[i] != 0 {
			return false
		}
	}
	return true
}

// typer settles which operations read and write bytes, and puts those that
// convert between the others.
type typer struct {
	p      *program
	ops    []*op
	floats map[*value]*value // made of bytes
}

func (t *typer) op(o *op) {
	native := false
	switch o.kind {
	case opConv:
		native = t.product(o)
	case opAffine:
		native = o.act.kind <= actClamp && (o.in[0].grid != nil || o.out.grid != nil)
	case opBinary:
		a, b := o.in[0], o.in[1]
		native = o.fn == '+' && o.act.kind <= actClamp && a.grid != nil && b.grid != nil && o.out.grid != nil && a.size() == b.size()
	case opConcat:
		if native = o.out.grid != nil; native {
			for i, v := range o.in {
				o.in[i] = t.onGrid(v, o.out.grid)
			}
		}
	}
	if native {
		t.ops = append(t.ops, o)
		return
	}
	for i, v := range o.in {
		o.in[i] = t.float(v)
	}
	if o.pre != nil && o.pre.kind == opBinary {
		o.pre.in[1] = t.float(o.pre.in[1])
	}
	t.ops = append(t.ops, o)
	if o.out.grid != nil {
		out := o.out
		o.out = &value{h: out.h, w: out.w, c: out.c, def: o}
		t.scaling(o.name, o.out, out)
	}
}

// product tells whether a convolution can sum integers, and what is added to
// its result is floats in any case.
func (t *typer) product(o *op) bool {
	if o.res != nil {
		o.res = t.float(o.res)
	}
	g := o.in[0].grid
	if o.ints == nil || g == nil || o.pre != nil || o.groups != 1 && !o.depthwise() || o.out.grid != nil && o.act.kind > actClamp {
		return false
	}
	if _, fits := o.ints.start(g.zero); !fits {
		return false
	}
	o.grid = g
	return true
}

// float gives a value in floats.
func (t *typer) float(v *value) *value {
	if v.grid == nil {
		return v
	}
	if t.floats[v] == nil {
		t.floats[v] = t.scaling("", v, &value{h: v.h, w: v.w, c: v.c})
	}
	return t.floats[v]
}

// onGrid gives a value as bytes of a grid.
func (t *typer) onGrid(v *value, g *grid) *value {
	if v.grid != nil && *v.grid == *g {
		return v
	}
	return t.scaling("", v, &value{h: v.h, w: v.w, c: v.c, grid: g})
}

// scaling adds an operation that only converts.
func (t *typer) scaling(name string, in, out *value) *value {
	o := &op{in: []*value{in}, out: out, name: name}
	o.identity()
	out.def = o
	t.ops = append(t.ops, o)
	return out
}

// foldQuantisedPad is foldPad with rounding between: zeros become zero points,
// which the border has.
func foldQuantisedPad(p *program, o *op) {
	q := only(o.in[0])
	if q == nil || q.kind != opAffine || q.act.kind != actNone || slices.ContainsFunc(q.shift, func(v float32) bool { return v != 0 }) {
		return
	}
	e := only(q.in[0])
	at := slices.Index(p.ops, e)
	if e == nil || e.kind != opPad || e.fill != 0 || at < 0 {
		return
	}
	o.win.top += e.win.top
	o.win.left += e.win.left
	o.win.bottom += e.win.bottom
	o.win.right += e.win.right
	q.in[0] = e.in[0]
	q.out.h, q.out.w = e.in[0].h, e.in[0].w
	p.ops[at] = nil
}

// fuseScaling is fuseBefore for a product of integers: what makes its bytes
// works on each block of pixels that it multiplies.
func fuseScaling(p *program, i int, o *op) {
	e := only(o.in[0])
	if e == nil || e.kind != opAffine || !o.win.one() || o.groups != 1 || o.in[0].h*o.in[0].w == 1 {
		return
	}
	if at := slices.Index(p.ops[:i], e); at >= 0 {
		o.pre, o.in[0], p.ops[at] = e, e.in[0], nil
	}
}
