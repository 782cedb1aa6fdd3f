package onnx

import "slices"

// emit makes the step of an operation.
func (pl *planner) emit(o *op) {
	out := pl.see(o, o.out)
	switch o.kind {
	case opConv:
		if o.grid != nil {
			pl.intConv(o, out)
		} else {
			pl.conv(o, out)
		}
	case opPool:
		pl.add(&poolStep{k: pl.k, in: pl.view(o.in[0]), out: out, win: o.win, kind: o.pool, padded: o.padded})
	case opGlobal:
		pl.add(&globalStep{k: pl.k, in: pl.view(o.in[0]), out: out, kind: o.pool})
	case opAffine:
		if o.in[0].grid != nil || o.out.grid != nil {
			pl.emitScaling(o, out)
			return
		}
		in, n := pl.see(o, o.in[0]), 1
		if o.rows == 0 {
			n = wide(&out, &in)
		}
		pl.add(&affineStep{k: pl.k, in: in, out: out, scale: slices.Repeat(o.scale, n), shift: slices.Repeat(o.shift, n), act: o.act})
	case opAct:
		in := pl.see(o, o.in[0])
		wide(&out, &in)
		pl.add(&actStep{k: pl.k, in: in, out: out, act: o.act})
	case opBinary:
		if o.out.grid != nil {
			pl.sum(o, out)
			return
		}
		pl.add(&binaryStep{k: pl.k, a: pl.see(o, o.in[0]), b: pl.see(o, o.in[1]), out: out, fn: o.fn, act: o.act})
	case opConcat:
		at := out
		for _, v := range o.in {
			in := pl.view(v)
			at.c = in.c
			if in.off != at.off {
				pl.add(&copyStep{in: in, out: at, bytes: v.grid != nil})
			}
			at.off += in.c
		}
	case opSoftmax:
		pl.add(&softmaxStep{in: pl.view(o.in[0]), out: out})
	case opNorm:
		pl.add(&normStep{k: pl.k, in: pl.see(o, o.in[0]), out: out, eps: o.eps, origin: o.origin, scale: o.scale, shift: o.shift})
	case opPad:
		pl.add(&padStep{in: pl.view(o.in[0]), out: out, win: o.win, fill: o.fill})
	case opBody:
		pl.tensorStep(o, out)
	case opLoad:
		pl.add(&loadStep{in: output{view: pl.view(o.in[0]), dims: ref{v: o.in[0], axes: o.axes}.dims(), axes: o.axes}, out: out})
	case opStore:
		pl.add(&storeStep{in: pl.view(o.in[0]), out: out})
	case opFlatten:
		pl.add(&flattenStep{in: pl.view(o.in[0]), out: out, chw: o.chw})
	}
}

func (pl *planner) add(s step) { pl.steps = append(pl.steps, s) }

// see is view for an operation that may see a tensor as an image.
func (pl *planner) see(o *op, v *value) view {
	in := pl.view(v)
	if o.rows == 0 {
		return in
	}
	c := in.c / o.rows
	return view{off: in.off, h: 1, w: o.rows, c: c, ps: c, rs: in.c}
}

func ceilTo(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// depthwise tells that each channel has a filter of its own.
func (o *op) depthwise() bool {
	return o.groups > 1 && o.groups == o.in[0].c && o.groups == o.out.c
}

// packedSize gives the floats that a convolution's packed weights and biases
// take.
func packedSize(o *op, nr int) int {
	if o.kind != opConv || o.grid != nil {
		return 0
	}
	if o.depthwise() {
		return len(o.w) + len(o.bias)
	}
	perOut := len(o.w) / len(o.bias)
	return o.groups * ceilTo(len(o.bias)/o.groups, nr) * (perOut + 1)
}

// take gives the next n floats of the packed weights.
func (pl *planner) take(n int) []float32 {
	at := len(pl.packed)
	pl.packed = pl.packed[:at+n]
	return pl.packed[at : at+n : at+n]
}

func (pl *planner) conv(o *op, out view) {
	in := pl.see(o, o.in[0])
	s := convStep{k: pl.k, out: out, act: o.act}
	if o.res != nil {
		s.res, s.hasRes = pl.see(o, o.res), true
	}
	s.sweep = newSweep(o.win, in, out, s.hasRes, s.res)
	cin, cout := in.c/o.groups, out.c/o.groups
	switch {
	case o.depthwise():
		s.taps = taps(o.win, in, false)
		w := pl.take(len(o.w))
		for c := range in.c {
			for t := range s.taps {
				w[t*in.c+c] = o.w[c*len(s.taps)+t]
			}
		}
		bias := pl.take(len(o.bias))
		copy(bias, o.bias)
		s.w, s.bias = w, bias
		pl.add(&depthwiseStep{s})
		return
	case o.pre != nil && o.pre.kind == opBinary:
		gate := pl.view(o.pre.in[1])
		s.gate = &gate
	case o.pre != nil:
		// Blocks of pixels go through a scratch of the session's.
		s.pre = &affineStep{scale: o.pre.scale, shift: o.pre.shift, act: o.pre.act}
	}
	// Where pixels have no gap, a row of the kernel is one run of channels.
	whole := o.pre == nil && o.groups == 1 && in.ps == in.c && o.win.dw == 1
	s.taps, s.depth = taps(o.win, in, whole), cin
	if whole {
		s.depth = o.win.kw * cin
	}
	s.groups, s.groupIn, s.groupOut = o.groups, cin, cout
	per := o.win.kh * o.win.kw * cin
	s.panels = ceilTo(cout, pl.k.nr) / pl.k.nr
	s.w = pl.take(o.groups * s.panels * pl.k.nr * per)
	s.bias = pl.take(o.groups * s.panels * pl.k.nr)
	s.part = s.partOf()
	pl.pack(o, &s, per)
	pl.add(&s)
}

// sweep is how a convolution goes over its input, in rows of outputs.
type sweep struct {
	origin      int // of the first output's window
	aStep       int // between the windows of neighbouring outputs
	rowStep     int
	rows, width int
}

func newSweep(w window, in, out view, hasRes bool, res view) sweep {
	s := sweep{origin: in.off - w.top*in.rs - w.left*in.ps, aStep: w.sw * in.ps, rowStep: w.sh * in.rs, rows: out.h, width: out.w}
	if w.one() && in.flat() && out.flat() && (!hasRes || res.flat()) {
		s.rows, s.width = 1, out.h*out.w
	}
	return s
}

// taps gives the offsets of the kernel's elements from its first, or of its
// rows.
func taps(w window, in view, rows bool) []int {
	var list []int
	for y := range w.kh {
		for x := range w.kw {
			if x > 0 && rows {
				break
			}
			list = append(list, y*w.dh*in.rs+x*w.dw*in.ps)
		}
	}
	return list
}

// pack orders weights [out][in][kh][kw] as panels of nr output channels:
// [panel][kh][kw][in][nr], with zeros for the channels of the last panel that
// do not exist. It is half as wide where that is enough.
func (pl *planner) pack(o *op, s *convStep, per int) {
	nr, area := pl.k.nr, o.win.kh*o.win.kw
	for g := range s.groups {
		for p := range s.panels {
			first := p * nr
			width := pl.k.width(s.groupOut - first)
			dst := s.w[(g*s.panels+p)*per*nr:]
			n := min(nr, s.groupOut-first)
			copy(s.bias[(g*s.panels+p)*nr:], o.bias[g*s.groupOut+first:][:n])
			for lane := range n {
				src := o.w[(g*s.groupOut+first+lane)*per:][:per]
				for t := range area {
					to := dst[t*s.groupIn*width+lane:]
					for c := range s.groupIn {
						to[c*width] = src[c*area+t]
					}
				}
			}
		}
	}
}
