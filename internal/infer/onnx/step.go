package onnx

import "math"

// The steps that are not convolutions. They are bound by memory, not by
// arithmetic.

// pixel gives the channels at row y and column x.
func (v view) pixel(arena []float32, y, x int) []float32 { return pixel(v, arena, y, x) }

func pixel[T any](v view, arena []T, y, x int) []T { return arena[v.off+y*v.rs+x*v.ps:][:v.c] }

// inRows lets step work on the rows of pixels of out, its operands beside them.
func (p *pixelArgs) inRows(s *Session, out, a view, step func(*pixelArgs)) {
	p.m, p.c, p.outStep, p.aStep = out.w, out.c, out.ps, a.ps
	for y := range out.h {
		p.out, p.a = s.arena[out.off+y*out.rs:], s.arena[a.off+y*a.rs:]
		step(p)
	}
}

// wide sees rows without gaps as one pixel each, so that few channels make
// long vectors.
func wide(views ...*view) (factor int) {
	for _, v := range views {
		if v.ps != v.c {
			return 1
		}
	}
	factor = views[0].w
	for _, v := range views {
		v.c, v.ps, v.w = v.c*v.w, v.rs, 1
	}
	return factor
}

type affineStep struct {
	k            *kernels
	in, out      view
	scale, shift []float32
	act          act
}

func (a *affineStep) run(s *Session) {
	p := &s.pixels
	p.scale, p.shift, p.act = a.scale, a.shift, a.act
	p.inRows(s, a.out, a.in, a.k.affine)
	finish(s, a.k, a.out, a.act)
}

type actStep struct {
	k       *kernels
	in, out view
	act     act
}

func (a *actStep) run(s *Session) {
	s.pixels.act = a.act
	s.pixels.inRows(s, a.out, a.in, a.k.activate)
}

// finish applies an activation that is not a clamp, in place.
func finish(s *Session, k *kernels, v view, a act) {
	if a.kind > actClamp {
		s.pixels.act = a
		s.pixels.inRows(s, v, v, k.activate)
	}
}

type binaryStep struct {
	k         *kernels
	a, b, out view
	fn        byte
	act       act
}

func (b *binaryStep) run(s *Session) {
	p := &s.pixels
	p.act, p.m, p.c = b.act, b.out.w, b.out.c
	p.outStep, p.aStep, p.bStep = b.out.ps, b.a.ps, b.b.ps
	gate := b.b.h == 1 && b.b.w == 1
	if gate {
		p.bStep = 0
	}
	for y := range b.out.h {
		p.out, p.a = s.arena[b.out.off+y*b.out.rs:], s.arena[b.a.off+y*b.a.rs:]
		p.b = s.arena[b.b.off:]
		if !gate {
			p.b = p.b[y*b.b.rs:]
		}
		b.k.binary(b.fn, p)
	}
	finish(s, b.k, b.out, b.act)
}

// copyStep moves the input of a Concat that could not be written in place.
type copyStep struct {
	in, out view
	bytes   bool
}

func (c *copyStep) run(s *Session) {
	for y := range c.out.h {
		for x := range c.out.w {
			if c.bytes {
				copy(pixel(c.out, s.bytes, y, x), pixel(c.in, s.bytes, y, x))
			} else {
				copy(c.out.pixel(s.arena, y, x), c.in.pixel(s.arena, y, x))
			}
		}
	}
}

// borderStep puts zeros, or the zero points of bytes, round the image of a buffer.
type borderStep struct{ *buffer }

func (b *borderStep) run(s *Session) {
	at, edge := b.off, b.top*b.rs+b.left*b.ps
	for range b.h {
		b.zero(s, at, edge)
		at, edge = at+edge+b.w*b.ps, (b.right+b.left)*b.ps
	}
	b.zero(s, at, b.right*b.ps+b.bottom*b.rs)
}

func (b *borderStep) zero(s *Session, at, n int) {
	if b.grid == nil {
		clear(s.arena[at:][:n])
		return
	}
	for i := range s.bytes[at:][:n] {
		s.bytes[at+i] = uint8(b.grid.zero)
	}
}

type padStep struct {
	in, out view
	win     window
	fill    float32
}

func (p *padStep) run(s *Session) {
	for y := range p.out.h {
		for x := range p.out.w {
			px := p.out.pixel(s.arena, y, x)
			iy, ix := y-p.win.top, x-p.win.left
			if iy >= 0 && iy < p.in.h && ix >= 0 && ix < p.in.w {
				copy(px, p.in.pixel(s.arena, iy, ix))
				continue
			}
			for i := range px {
				px[i] = p.fill
			}
		}
	}
}

// flattenStep makes an image a vector in the file's order.
type flattenStep struct {
	in, out view
	chw     bool
}

func (f *flattenStep) run(s *Session) {
	dst := s.arena[f.out.off:][:f.out.c]
	for y := range f.in.h {
		for x := range f.in.w {
			px := f.in.pixel(s.arena, y, x)
			at := y*f.in.w + x
			if !f.chw {
				copy(dst[at*len(px):], px)
				continue
			}
			for c, v := range px {
				dst[c*f.in.h*f.in.w+at] = v
			}
		}
	}
}

type softmaxStep struct{ in, out view }

func (m *softmaxStep) run(s *Session) {
	for y := range m.out.h {
		for x := range m.out.w {
			Softmax(m.out.pixel(s.arena, y, x), m.in.pixel(s.arena, y, x))
		}
	}
}

// Softmax makes probabilities of scores; dst may be src. It sums in float64.
func Softmax(dst, src []float32) {
	top := -inf
	for _, v := range src {
		top = max(top, v) // NaN wins
	}
	sum := 0.0
	for i, v := range src {
		e := math.Exp(float64(v) - float64(top))
		dst[i] = float32(e)
		sum += e
	}
	for i := range src {
		dst[i] = float32(float64(dst[i]) / sum)
	}
}
