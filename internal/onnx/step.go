package onnx

import "math"

// The steps that are not convolutions. They are bound by memory, not by
// arithmetic.

// pixel gives the channels at row y and column x.
func (v view) pixel(arena []float32, y, x int) []float32 {
	return arena[v.off+y*v.rs+x*v.ps:][:v.c]
}

type affineStep struct {
	in, out      view
	scale, shift []float32
	act          act
}

func (a *affineStep) run(s *Session) {
	lo, hi := a.act.bounds()
	for y := range a.out.h {
		for x := range a.out.w {
			px := a.out.pixel(s.arena, y, x)
			affine(px, a.in.pixel(s.arena, y, x), a.scale, a.shift, lo, hi)
			a.act.applyOther(px)
		}
	}
}

func affine(dst, src, scale, shift []float32, lo, hi float32) {
	scale, shift, dst = scale[:len(src)], shift[:len(src)], dst[:len(src)]
	for i, v := range src {
		dst[i] = clamp(float32(v*scale[i])+shift[i], lo, hi)
	}
}

type actStep struct {
	in, out view
	act     act
}

func (a *actStep) run(s *Session) {
	for y := range a.out.h {
		for x := range a.out.w {
			a.act.apply(a.out.pixel(s.arena, y, x), a.in.pixel(s.arena, y, x))
		}
	}
}

// applyOther applies an activation that is not a clamp in place.
func (a act) applyOther(px []float32) {
	if a.kind > actClamp {
		a.apply(px, px)
	}
}

// apply applies an activation; dst may be src.
func (a act) apply(dst, src []float32) {
	dst = dst[:len(src)]
	switch a.kind {
	case actNone:
		copy(dst, src)
	case actClamp:
		for i, v := range src {
			dst[i] = clamp(v, a.lo, a.hi)
		}
	case actSigmoid:
		for i, v := range src {
			dst[i] = sigmoid(v)
		}
	case actSilu:
		for i, v := range src {
			dst[i] = v * sigmoid(v)
		}
	case actHardSigmoid:
		for i, v := range src {
			dst[i] = clamp(float32(v*a.alpha)+a.beta, 0, 1)
		}
	case actHardSwish:
		for i, v := range src {
			dst[i] = v * clamp(float32(v*a.alpha)+a.beta, 0, 1)
		}
	case actTanh:
		for i, v := range src {
			dst[i] = float32(math.Tanh(float64(v)))
		}
	case actLeaky:
		for i, v := range src {
			if v < 0 {
				v *= a.alpha
			}
			dst[i] = v
		}
	case actElu:
		for i, v := range src {
			if v < 0 {
				v = a.alpha * float32(math.Expm1(float64(v)))
			}
			dst[i] = v
		}
	}
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }

type binaryStep struct {
	a, b, out view
	fn        byte
	act       act
}

func (b *binaryStep) run(s *Session) {
	lo, hi := b.act.bounds()
	gate := b.b.h == 1 && b.b.w == 1
	for y := range b.out.h {
		for x := range b.out.w {
			px := b.out.pixel(s.arena, y, x)
			one := b.a.pixel(s.arena, y, x)[:len(px)]
			two := b.b.pixel(s.arena, 0, 0)[:len(px)]
			if !gate {
				two = b.b.pixel(s.arena, y, x)[:len(px)]
			}
			switch b.fn {
			case '+':
				for i := range px {
					px[i] = clamp(one[i]+two[i], lo, hi)
				}
			case '-':
				for i := range px {
					px[i] = clamp(one[i]-two[i], lo, hi)
				}
			case '*':
				for i := range px {
					px[i] = clamp(one[i]*two[i], lo, hi)
				}
			}
			b.act.applyOther(px)
		}
	}
}

// copyStep moves the input of a Concat that could not be written in place.
type copyStep struct{ in, out view }

func (c *copyStep) run(s *Session) {
	for y := range c.out.h {
		for x := range c.out.w {
			copy(c.out.pixel(s.arena, y, x), c.in.pixel(s.arena, y, x))
		}
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
