package onnx

import "unsafe"

// intSimd are the assembly functions of integers.
type intSimd struct {
	tiles   [2][]func(*intTileArgs)
	filters []func(*intTileArgs)
	// From floats to bytes, bytes to bytes and bytes to floats; and a sum of bytes.
	floatsToBytes, bytesToBytes, bytesToFloats func(*scaleRowArgs)
	quantise, requantise, add                  func(*scaleRowArgs)
}

// intLanes is the number of 32-bit integers of a vector.
const intLanes = 16

func (s *intSimd) kernels() *intKernels {
	return &intKernels{nr: 2 * intLanes, panel: s.panel, depthwise: s.depthwise, scale: s.scale, add: s.sum}
}

// prepare checks the operands that products and filters share.
func (p *intPanelArgs) prepare(channels int) *intTileArgs {
	t := &p.tile
	*t = intTileArgs{start: unsafe.Pointer(&p.start[0]), mult: &p.mult[0], add: &p.add[0], taps: &p.taps[0], ntaps: len(p.taps), n: p.n,
		a: unsafe.Pointer(&p.a[0]), aStep: p.aStep, resScale: p.resScale, lo: p.lo, hi: p.hi, zero: p.zero}
	_, _, _ = p.start[channels-1], p.mult[channels-1], p.add[channels-1]
	if p.bytes != nil {
		_ = p.bytes[last(p.m, p.outStep, p.n)]
		t.out, t.outStep, t.toBytes = unsafe.Pointer(&p.bytes[0]), p.outStep, 1
	} else {
		_ = p.floats[last(p.m, p.outStep, p.n)]
		t.out, t.outStep = unsafe.Pointer(&p.floats[0]), 4*p.outStep
	}
	if p.res != nil {
		_ = p.res[last(p.m, p.resStep, p.n)]
		t.hasRes, t.res, t.resStep = 1, unsafe.Pointer(&p.res[0]), 4*p.resStep
	}
	return t
}

func (s *intSimd) panel(p *intPanelArgs) {
	vectors := (p.n + intLanes - 1) / intLanes
	t := p.prepare(vectors * intLanes)
	_ = p.a[p.taps[len(p.taps)-1]+last(p.m, p.aStep, p.depth)]
	if p.depth%quad != 0 || len(p.w) < len(p.taps)*p.depth*vectors*intLanes {
		panic("onnx: packed weights are short")
	}
	t.w, t.depth = unsafe.Pointer(&p.w[0]), p.depth/quad
	t.run(p.m, s.tiles[vectors-1])
}

func (s *intSimd) depthwise(p *intPanelArgs) {
	t := p.prepare(p.n)
	_, _ = p.a[p.taps[len(p.taps)-1]+last(p.m, p.aStep, p.n)], p.filters[len(p.taps)*p.n-1]
	t.w, t.wStep = unsafe.Pointer(&p.filters[0]), 4*p.n
	t.run(p.m, s.filters)
}

// run is tileArgs.run.
func (t *intTileArgs) run(m int, by []func(*intTileArgs)) {
	n := (m + len(by) - 1) / len(by)
	size, larger := m/n, m%n
	if larger > 0 {
		t.part(size+1, larger, by)
		t.out, t.a, t.res = unsafe.Add(t.out, t.outTile), unsafe.Add(t.a, t.aTile), unsafe.Add(t.res, t.resTile)
	}
	t.part(size, n-larger, by)
}

func (t *intTileArgs) part(size, count int, by []func(*intTileArgs)) {
	t.tiles, t.outTile, t.aTile, t.resTile = count, size*t.outStep, size*t.aStep, size*t.resStep
	by[size-1](t)
}

// row checks the output and gives what the assembly reads; outputs of bytes and
// of floats have different steps.
func (p *scaleArgs) row() *scaleRowArgs {
	r := &p.asm
	*r = scaleRowArgs{m: p.m, c: p.c, zeroA: p.zeroA, zeroB: p.zeroB, scaleA: p.scaleA, scaleB: p.scaleB, step: p.step, lo: p.lo, hi: p.hi, zero: p.zero}
	if p.bytes != nil {
		_ = p.bytes[last(p.m, p.outStep, p.c)]
		r.out, r.outStep = unsafe.Pointer(&p.bytes[0]), p.outStep
	} else {
		_ = p.floats[last(p.m, p.outStep, p.c)]
		r.out, r.outStep = unsafe.Pointer(&p.floats[0]), 4*p.outStep
	}
	if p.aFloats != nil {
		_ = p.aFloats[last(p.m, p.aStep, p.c)]
		r.a, r.aStep = unsafe.Pointer(&p.aFloats[0]), 4*p.aStep
	} else {
		_ = p.a[last(p.m, p.aStep, p.c)]
		r.a, r.aStep = unsafe.Pointer(&p.a[0]), p.aStep
	}
	return r
}

func (s *intSimd) scale(p *scaleArgs) {
	r := p.row()
	if p.scale != nil {
		_, _ = p.scale[p.c-1], p.shift[p.c-1]
		r.scale, r.shift = &p.scale[0], &p.shift[0]
	}
	switch {
	case p.scale == nil && p.bytes == nil:
		panic("onnx: only bytes have a step")
	case p.scale == nil && p.aFloats != nil:
		s.quantise(r)
	case p.scale == nil:
		s.requantise(r)
	case p.aFloats != nil && p.bytes != nil:
		s.floatsToBytes(r)
	case p.aFloats != nil:
		panic("onnx: floats to floats are no integers")
	case p.bytes != nil:
		s.bytesToBytes(r)
	default:
		s.bytesToFloats(r)
	}
}

func (s *intSimd) sum(p *scaleArgs) {
	r := p.row()
	_ = p.b[last(p.m, p.bStep, p.c)]
	r.b, r.bStep = unsafe.Pointer(&p.b[0]), p.bStep
	if p.aFloats != nil || p.bytes == nil {
		panic("onnx: a sum of bytes is of bytes")
	}
	s.add(r)
}
