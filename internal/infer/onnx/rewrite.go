package onnx

import (
	"math"
	"slices"
)

// rewrite folds and fuses until nothing changes. Each rule looks at an
// operation and at the one that makes its first input, when nobody else reads
// that: it either absorbs the second operation into the first and lets it
// write the second's output, or changes the second to read further back.
func rewrite(p *program) {
	for range maxRounds {
		p.dropDead()
		changed := false
		for i, o := range p.ops {
			if o == nil {
				continue
			}
			for _, rule := range rules {
				if rule(p, i, o) {
					changed = true
					break
				}
			}
		}
		p.ops = slices.DeleteFunc(p.ops, func(o *op) bool { return o == nil })
		if !changed {
			break
		}
	}
	p.dropDead()
	for i, o := range p.ops {
		fuseBefore(p, i, o)
	}
	p.ops = slices.DeleteFunc(p.ops, func(o *op) bool { return o == nil })
}

// maxRounds is more than any network needs; it bounds the time.
const maxRounds = 32

// rules are tried in order. A rule that applies tells true and keeps users
// counts right where they matter: an absorbed value has none.
var rules = []func(p *program, i int, o *op) bool{foldAffine, matchHardSigmoid, matchGate, matchGelu, fuseAct, fuseResidual, foldPad, nestConcat}

// dropDead removes what does not lead to the output, and counts the users of
// each value.
func (p *program) dropDead() {
	for _, o := range p.ops {
		o.out.users = 0
		for _, v := range o.reads() {
			v.users = 0
		}
	}
	for _, r := range p.outs {
		r.v.users = 1
	}
	var kept []*op
	for _, o := range slices.Backward(p.ops) {
		if o.out.users == 0 {
			o.out.def = nil
			continue
		}
		for _, v := range o.reads() {
			v.users++
		}
		kept = append(kept, o)
	}
	slices.Reverse(kept)
	p.ops = kept
}

// only gives the operation that makes v when exactly one operation reads v, and
// nobody else.
func only(v *value) *op {
	if v.users != 1 || v.out {
		return nil
	}
	return v.def
}

// absorb lets an earlier operation write what o wrote; o goes.
func (p *program) absorb(i int, o, earlier *op) bool {
	earlier.out.users = 0
	earlier.out = o.out
	o.out.def = earlier
	p.ops[i] = nil
	return true
}

// foldAffine puts an affine operation into the convolution or affine operation
// before it. Weights may be shared with other nodes: they are copied.
func foldAffine(p *program, i int, o *op) bool {
	if o.kind != opAffine {
		return false
	}
	e := only(o.in[0])
	if e == nil || e.act.kind != actNone || max(e.rows, 1) != max(o.rows, 1) {
		return false
	}
	switch e.kind {
	case opAffine:
		e.shift, e.scale = slices.Clone(e.shift), slices.Clone(e.scale)
		for c := range e.scale {
			e.shift[c] = float32(e.shift[c]*o.scale[c]) + o.shift[c]
			e.scale[c] *= o.scale[c]
		}
	case opConv:
		if e.res != nil {
			return false
		}
		e.w, e.bias = slices.Clone(e.w), slices.Clone(e.bias)
		per := len(e.w) / len(e.bias)
		for c, s := range o.scale {
			for k := range e.w[c*per : (c+1)*per] {
				e.w[c*per+k] *= s
			}
			e.bias[c] = float32(e.bias[c]*s) + o.shift[c]
		}
		e.ints = e.ints.scaled(o.scale)
	default:
		return false
	}
	e.act = o.act
	return p.absorb(i, o, e)
}

// fuseAct lets the operation before it end with an activation.
func fuseAct(p *program, i int, o *op) bool {
	if o.kind != opAct {
		return false
	}
	e := only(o.in[0])
	if e == nil || e.act.kind != actNone {
		return false
	}
	if e.kind != opConv && e.kind != opAffine && e.kind != opBinary {
		return false
	}
	e.act = o.act
	return p.absorb(i, o, e)
}

// matchHardSigmoid finds clamp(x+3, 0, 6)/6, which is how exports write it.
func matchHardSigmoid(p *program, i int, o *op) bool {
	if o.kind != opAffine || o.act.kind != actNone {
		return false
	}
	e := only(o.in[0])
	if e == nil || e.kind != opAffine || e.act.kind != actClamp || e.act.lo != 0 || e.act.hi != 6 {
		return false
	}
	for c := range o.scale {
		if d := o.scale[c] - 1.0/6; d > 1e-6 || d < -1e-6 || o.shift[c] != 0 || e.scale[c] != 1 || e.shift[c] != 3 {
			return false
		}
	}
	e.kind, e.scale, e.shift = opAct, nil, nil
	e.act = act{kind: actHardSigmoid, alpha: 1.0 / 6, beta: 0.5}
	return p.absorb(i, o, e)
}

// matchGate finds x*sigmoid(x) and x*hardsigmoid(x).
func matchGate(p *program, i int, o *op) bool {
	if o.kind != opBinary || o.fn != '*' || o.act.kind != actNone {
		return false
	}
	for k, v := range o.in {
		x := o.in[1-k]
		e := only(v)
		if e == nil || e.kind != opAct || e.in[0] != x || x.size() != v.size() {
			continue
		}
		switch {
		case e.act.kind == actSigmoid:
			e.act.kind = actSilu
		case e.act.kind == actHardSigmoid:
			e.act.kind = actHardSwish
		default:
			continue
		}
		x.users--
		return p.absorb(i, o, e)
	}
	return false
}

// matchGelu finds x*(1+erf(x/sqrt(2)))/2, which is how exports before opset 20 write
// it, with the half at any of three places.
func matchGelu(_ *program, _ int, o *op) bool {
	product, halves := o, float32(1)
	if half, ok := o.factor(0); ok {
		product, halves = only(o.in[0]), half
	}
	if product == nil || product.kind != opBinary || product.fn != '*' || product.act.kind != actNone {
		return false
	}
	for k, v := range product.in {
		sum := only(v)
		if sum == nil {
			continue
		}
		by, ok := sum.factor(1)
		if !ok {
			continue
		}
		erf := only(sum.in[0])
		if erf == nil || erf.kind != opAffine || erf.act.kind != actErf {
			continue
		}
		erf = &op{kind: opAffine, in: erf.in, scale: erf.scale, shift: erf.shift}
		root, ok := erf.factor(0)
		x, other := erf.in[0], product.in[1-k]
		by *= halves
		if h := only(other); other != x && h != nil {
			if f, scaled := h.factor(0); scaled && h.in[0] == x {
				other, by = x, by*f
			}
		}
		if !ok || other != x || !nearly(root, math.Sqrt2/2) || !nearly(by, 0.5) {
			continue
		}
		o.kind, o.in, o.act, o.scale, o.shift = opAct, []*value{x}, act{kind: actGelu}, nil, nil
		return true
	}
	return false
}

// factor gives the number that an affine operation multiplies everything by, where it
// adds that number times ones, and does nothing else.
func (o *op) factor(ones float32) (by float32, ok bool) {
	if o.kind != opAffine || o.act.kind != actNone {
		return 0, false
	}
	for c, s := range o.scale {
		if s != o.scale[0] || o.shift[c] != s*ones {
			return 0, false
		}
	}
	return o.scale[0], true
}

func nearly(got float32, want float64) bool { return math.Abs(float64(got)-want) < 1e-6 }

// fuseResidual lets a convolution add the other operand before its activation.
// It takes the place of the addition, when both operands are there.
func fuseResidual(p *program, i int, o *op) bool {
	if o.kind != opBinary || o.fn != '+' || o.in[0] == o.in[1] || o.in[0].size() != o.in[1].size() {
		return false
	}
	for k := 1; k >= 0; k-- {
		e := only(o.in[k])
		if e == nil || e.kind != opConv || e.act.kind != actNone || e.res != nil {
			continue
		}
		at := slices.Index(p.ops, e)
		if at < 0 {
			continue
		}
		p.ops[at] = nil
		e.res, e.act = o.in[1-k], o.act
		p.absorb(i, o, e)
		p.ops[i] = e
		return true
	}
	return false
}

// foldPad puts padding with zeros into the convolution after it. It may not
// go into a pool: there padding is not zero.
func foldPad(p *program, _ int, o *op) bool {
	if o.kind != opConv {
		return false
	}
	e := only(o.in[0])
	if e == nil || e.kind != opPad || e.fill != 0 {
		return false
	}
	at := slices.Index(p.ops, e)
	if at < 0 {
		return false
	}
	o.win.top += e.win.top
	o.win.left += e.win.left
	o.win.bottom += e.win.bottom
	o.win.right += e.win.right
	e.out.users = 0
	o.in[0] = e.in[0]
	p.ops[at] = nil
	return true
}

// nestConcat lets a Concat begin with what earlier ones made of its first inputs, so that all are in one place:
// PyTorch's DenseNets put a block's layers together anew for each layer.
func nestConcat(p *program, i int, o *op) bool {
	if o.kind != opConcat {
		return false
	}
	before := len(o.in)
	for _, e := range p.ops[:i] {
		if e == nil || e.kind != opConcat || len(e.in) >= len(o.in) || !slices.Equal(e.in, o.in[:len(e.in)]) {
			continue
		}
		for _, v := range e.in {
			v.users--
		}
		e.out.users++
		o.in = slices.Concat([]*value{e.out}, o.in[len(e.in):])
	}
	return len(o.in) < before
}

// fuseBefore lets a 1x1 convolution apply the affine operation or the gate
// before it to each block of pixels that it multiplies.
func fuseBefore(p *program, i int, o *op) {
	if o == nil || o.kind != opConv || !o.win.one() || o.groups != 1 || o.in[0].h*o.in[0].w == 1 {
		return
	}
	e := only(o.in[0])
	if e == nil {
		return
	}
	switch {
	case e.kind == opAffine && e.act.kind <= actClamp:
	case e.kind == opBinary && e.fn == '*' && e.act.kind == actNone && e.in[1].h*e.in[1].w == 1:
	default:
		return
	}
	at := slices.Index(p.ops[:i], e)
	if at < 0 {
		return
	}
	o.pre = e
	o.in[0] = e.in[0]
	p.ops[at] = nil
}
