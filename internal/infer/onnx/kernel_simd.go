//go:build amd64 || arm64

package onnx

import "unsafe"

//go:generate go run ./genasm .

// simd are the assembly functions of one instruction set.
type simd struct {
	lanes int
	// tiles[v-1][m-1] multiplies m pixels with v vectors of channels.
	tiles     [2][]func(*tileArgs)
	filters   []func(*tileArgs) // filters[m-1]: depthwise
	affine    func(*rowArgs)
	add       func(*rowArgs)
	sub       func(*rowArgs)
	mul       func(*rowArgs)
	acts      map[actKind]func(*rowArgs)
	max, mean func(*rowArgs)
	exp, norm func(*rowArgs) // nil where there is none
}

func (s *simd) kernels(name string) *kernels {
	k := &kernels{name: name, nr: 2 * s.lanes, halves: true, tile: len(s.tiles[0]), panel: s.panel, depthwise: s.depthwise, affine: s.affinePixels,
		activate: s.activate, binary: s.binary, pool: s.pool, mean: simdMean, norm: portableNorm, exp: portableExp}
	if s.norm != nil {
		k.norm, k.exp = s.normPixels, s.exponentials
	}
	return k
}

// last reports where a run of n floats in each of m pixels ends. The callers
// index with it: an argument out of range panics instead of reaching past a slice.
func last(m, step, n int) int { return (m-1)*step + n - 1 }

func (s *simd) panel(p *panelArgs) {
	t := &p.tile
	*t = tileArgs{w: &p.w[0], bias: &p.bias[0], taps: &p.taps[0], ntaps: len(p.taps), depth: p.depth, n: p.n, lo: p.lo, hi: p.hi,
		out: &p.out[0], a: &p.a[0], outStep: 4 * p.outStep, aStep: 4 * p.aStep}
	_ = p.out[last(p.m, p.outStep, p.n)]
	_ = p.a[p.taps[len(p.taps)-1]+last(p.m, p.aStep, p.depth)]
	if p.res != nil {
		_ = p.res[last(p.m, p.resStep, p.n)]
		t.hasRes, t.res, t.resStep = 1, &p.res[0], 4*p.resStep
	}
	vectors := (p.n + s.lanes - 1) / s.lanes
	if len(p.w) < len(p.taps)*p.depth*vectors*s.lanes || len(p.bias) < vectors*s.lanes {
		panic("onnx: packed weights are short")
	}
	t.run(p.m, s.tiles[vectors-1])
}

func (s *simd) depthwise(p *depthwiseArgs) {
	t := &p.tile
	*t = tileArgs{w: &p.w[0], bias: &p.bias[0], taps: &p.taps[0], ntaps: len(p.taps), n: p.c, lo: p.lo, hi: p.hi,
		out: &p.out[0], a: &p.a[0], outStep: 4 * p.outStep, aStep: 4 * p.aStep, wStep: 4 * p.c}
	_ = p.out[last(p.m, p.outStep, p.c)]
	_ = p.a[p.taps[len(p.taps)-1]+last(p.m, p.aStep, p.c)]
	_, _ = p.w[len(p.taps)*p.c-1], p.bias[p.c-1]
	if p.res != nil {
		_ = p.res[last(p.m, p.resStep, p.c)]
		t.hasRes, t.res, t.resStep = 1, &p.res[0], 4*p.resStep
	}
	t.run(p.m, s.filters)
}

// run splits m pixels into tiles as even as can be: first those that are one
// larger.
func (t *tileArgs) run(m int, by []func(*tileArgs)) {
	n := (m + len(by) - 1) / len(by)
	size, larger := m/n, m%n
	if larger > 0 {
		t.part(size+1, larger, by)
		t.out, t.a, t.res = further(t.out, t.outTile), further(t.a, t.aTile), further(t.res, t.resTile)
	}
	t.part(size, n-larger, by)
}

func (t *tileArgs) part(size, count int, by []func(*tileArgs)) {
	t.tiles, t.outTile, t.aTile, t.resTile = count, size*t.outStep, size*t.aStep, size*t.resStep
	by[size-1](t)
}

// further moves from the last tile of a part to the next part; nil stays.
func further(p *float32, by int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), by)) }

func (p *pixelArgs) row(withB bool) *rowArgs {
	r := &p.asm
	*r = rowArgs{out: &p.out[0], a: &p.a[0], m: p.m, c: p.c, outStep: 4 * p.outStep, aStep: 4 * p.aStep}
	_, _ = p.out[last(p.m, p.outStep, p.c)], p.a[last(p.m, p.aStep, p.c)]
	if withB {
		_ = p.b[last(p.m, p.bStep, p.c)]
		r.b, r.bStep = &p.b[0], 4*p.bStep
	}
	r.lo, r.hi = p.act.bounds()
	return r
}

func (s *simd) affinePixels(p *pixelArgs) {
	r := p.row(false)
	_, _ = p.scale[p.c-1], p.shift[p.c-1]
	r.scale, r.shift = &p.scale[0], &p.shift[0]
	s.affine(r)
}

func (s *simd) normPixels(p *pixelArgs, mean, inverse float32) {
	r := p.row(false)
	_, _ = p.scale[p.c-1], p.shift[p.c-1]
	r.scale, r.shift, r.lo, r.hi = &p.scale[0], &p.shift[0], mean, inverse
	s.norm(r)
}

func (s *simd) exponentials(p *pixelArgs, top float32) {
	r := p.row(false)
	r.alpha = top
	s.exp(r)
}

func (s *simd) binary(fn byte, p *pixelArgs) {
	r := p.row(true)
	switch fn {
	case '+':
		s.add(r)
	case '-':
		s.sub(r)
	case '*':
		s.mul(r)
	}
}

func (s *simd) activate(p *pixelArgs) {
	f := s.acts[p.act.kind]
	if f == nil {
		portableActivate(p)
		return
	}
	r := p.row(false)
	switch p.act.kind {
	case actHardSigmoid, actHardSwish:
		r.lo, r.hi = p.act.alpha, p.act.beta
	case actQuantised:
		r.lo, r.hi, r.alpha, r.beta = p.act.lo, p.act.hi, p.act.alpha, p.act.beta
	}
	f(r)
}

func (s *simd) pool(p *poolArgs) {
	if len(p.taps) == 0 {
		portablePool(p)
		return
	}
	r := &p.asm
	*r = rowArgs{out: &p.out[0], a: &p.a[0], taps: &p.taps[0], ntaps: len(p.taps), m: p.m, c: p.c, outStep: 4 * p.outStep, aStep: 4 * p.aStep, lo: float32(p.n)}
	_, _ = p.out[last(p.m, p.outStep, p.c)], p.a[p.taps[len(p.taps)-1]+last(p.m, p.aStep, p.c)]
	if p.kind == poolMax {
		s.max(r)
	} else {
		s.mean(r)
	}
}

func simdMean(out, arena []float32, in view) {
	r := rowArgs{out: &out[0], a: &arena[in.off], ntaps: in.h, m: in.w, c: in.c, aStep: 4 * in.ps, bStep: 4 * in.rs, lo: float32(in.h * in.w)}
	_, _ = out[in.c-1], arena[in.off+(in.h-1)*in.rs+last(in.w, in.ps, in.c)]
	imageMean(&r)
}
