package onnx

import "slices"

// Plans of what reads or writes bytes.

// intPackedSize bounds the integers that a convolution's packed weights take.
func intPackedSize(o *op, k *intKernels) int {
	switch {
	case o.kind != opConv || o.grid == nil:
		return 0
	case o.depthwise():
		return len(o.ints.w)
	}
	per := o.win.kh * ceilTo(o.win.kw*ceilTo(o.in[0].c, quad), quad)
	return ceilTo(o.out.c, k.nr) * per
}

// intConv plans a convolution that sums integers.
func (pl *planner) intConv(o *op, out view) {
	in := pl.view(o.in[0])
	s := intConvStep{k: pl.k, out: out, toBytes: o.out.grid != nil, act: o.act, resScale: 1}
	if o.res != nil {
		s.res, s.hasRes = pl.view(o.res), true
	}
	s.sweep = newSweep(o.win, in, out, s.hasRes, s.res)
	start, _ := o.ints.start(o.grid.zero) // it fits, or the sums would not be of integers
	s.mult, s.add = make([]float32, len(start)), slices.Clone(o.bias)
	for c, w := range o.ints.scale {
		s.mult[c] = o.grid.scale * w
	}
	s.lo, s.hi = o.act.bounds()
	if g := o.out.grid; g != nil {
		s.lo, s.hi = g.bounds(o.act)
		s.resScale, s.zero = 1/g.scale, g.zero
		for c := range s.mult {
			s.mult[c] /= g.scale
			s.add[c] /= g.scale
		}
	}
	if o.depthwise() {
		s.taps = taps(o.win, in, false)
		s.filters, s.start = make([]int32, len(o.ints.w)), start
		for c := range in.c {
			for t := range s.taps {
				s.filters[t*in.c+c] = int32(o.ints.w[c*len(s.taps)+t])
			}
		}
		pl.intBytes += 4*len(s.filters) + 12*len(start)
		pl.add(&intDepthwiseStep{s})
		return
	}
	if o.pre != nil {
		s.pre = pl.scaling(o.pre, in, view{})
	}
	// Where pixels have no gap, a row of the kernel is one run of channels.
	whole := o.pre == nil && in.ps == in.c && o.win.dw == 1
	s.taps, s.channels = taps(o.win, in, whole), in.c
	if whole {
		s.channels = o.win.kw * in.c
	}
	s.depth = ceilTo(s.channels, quad)
	pl.packInts(o, &s, start)
	pl.add(&s)
}

// packInts orders weights [out][in][kh][kw] as panels of nr output channels, as
// intPanelArgs has them.
func (pl *planner) packInts(o *op, s *intConvStep, start []int32) {
	nr, area := pl.k.ints.nr, o.win.kh*o.win.kw
	cin, cout := s.channels*len(s.taps)/area, s.out.c
	panels := ceilTo(cout, nr) / nr
	size := len(s.taps) * s.depth * nr
	s.w, s.start = make([]int8, panels*size), make([]int32, panels*nr)
	copy(s.start, start)
	s.mult, s.add = padded(s.mult, panels*nr), padded(s.add, panels*nr)
	pl.intBytes += len(s.w) + 12*len(s.start)
	for j := range cout {
		dst, lane := s.w[j/nr*size:], j%nr
		width := pl.k.ints.width(cout - j/nr*nr)
		for t := range area {
			tap, from := t, 0
			if len(s.taps) < area { // rows
				tap, from = t/o.win.kw, t%o.win.kw*cin
			}
			for c := range cin {
				at := tap*s.depth + from + c
				dst[(at/quad*width+lane)*quad+at%quad] = o.ints.w[(j*cin+c)*area+t]
			}
		}
	}
}

func padded(x []float32, n int) []float32 {
	out := make([]float32, n)
	copy(out, x)
	return out
}

// scaling plans an affine operation that reads or writes bytes.
func (pl *planner) scaling(o *op, in, out view) *scaleStep {
	s := &scaleStep{k: pl.k.ints, in: in, out: out, toBytes: o.out.grid != nil}
	s.lo, s.hi = o.act.bounds()
	from, to := 1.0, 1.0
	if g := o.in[0].grid; g != nil {
		s.fromBytes, s.zeroA, s.scaleA, from = true, float32(g.zero), g.scale, float64(g.scale)
	}
	if g := o.out.grid; g != nil {
		s.lo, s.hi = g.bounds(o.act)
		s.zero, s.step, to = g.zero, g.scale, float64(g.scale)
		if o.changesNothing() {
			return s
		}
	}
	s.scale, s.shift = make([]float32, len(o.scale)), make([]float32, len(o.scale))
	for c := range s.scale {
		s.scale[c] = float32(float64(o.scale[c]) * from / to)
		s.shift[c] = float32(float64(o.shift[c]) / to)
	}
	return s
}

// emitScaling plans the same as a step of its own.
func (pl *planner) emitScaling(o *op, out view) {
	s := pl.scaling(o, pl.view(o.in[0]), out)
	if s.scale == nil {
		wide(&s.out, &s.in)
	} else if s.out.c < narrow && s.out.w <= broad {
		n := wide(&s.out, &s.in)
		s.scale, s.shift = slices.Repeat(s.scale, n), slices.Repeat(s.shift, n)
	}
	pl.add(s)
}

// narrow pixels are too short for vectors of bytes to pay; a broad row would need
// too many copies of their scales.
const (
	narrow = 32
	broad  = 1 << 12
)

// sum plans an addition of bytes.
func (pl *planner) sum(o *op, out view) {
	a, b, g := o.in[0].grid, o.in[1].grid, o.out.grid
	s := &sumStep{k: pl.k.ints, a: pl.view(o.in[0]), b: pl.view(o.in[1]), out: out, zeroA: float32(a.zero), zeroB: float32(b.zero),
		scaleA: a.scale, scaleB: b.scale, step: g.scale, zero: g.zero}
	s.lo, s.hi = g.bounds(o.act)
	pl.add(s)
}
