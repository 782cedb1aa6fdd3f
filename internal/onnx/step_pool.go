package onnx

// poolStep is a maximum or mean over windows. Padding is never read: windows
// are cut at the image's edge.
type poolStep struct {
	in, out view
	win     window
	kind    poolKind
	padded  bool
}

func (p *poolStep) run(s *Session) {
	for y := range p.out.h {
		for x := range p.out.w {
			px := p.out.pixel(s.arena, y, x)
			first := -inf
			if p.kind == poolMean {
				first = 0
			}
			for i := range px {
				px[i] = first
			}
			n := p.gather(s, px, y*p.win.sh-p.win.top, x*p.win.sw-p.win.left)
			if p.kind == poolMean && n > 0 {
				for i := range px {
					px[i] /= float32(n)
				}
			}
		}
	}
}

// gather adds up, or takes the maximum of, the window that starts at y, x and
// gives the number of elements a mean divides by.
func (p *poolStep) gather(s *Session, px []float32, y, x int) int {
	w := p.win
	y0, y1 := inside(y, w.kh, w.dh, p.in.h)
	x0, x1 := inside(x, w.kw, w.dw, p.in.w)
	for ky := y0; ky < y1; ky++ {
		for kx := x0; kx < x1; kx++ {
			in := p.in.pixel(s.arena, y+ky*w.dh, x+kx*w.dw)[:len(px)]
			if p.kind == poolMean {
				for i, v := range in {
					px[i] += v
				}
				continue
			}
			for i, v := range in {
				if v > px[i] || v != v {
					px[i] = v
				}
			}
		}
	}
	if p.padded { // but not what lies beyond the padding, which ceil mode may reach
		_, y1 = inside(y, w.kh, w.dh, p.in.h+w.bottom)
		_, x1 = inside(x, w.kw, w.dw, p.in.w+w.right)
		return y1 * x1
	}
	return (y1 - y0) * (x1 - x0)
}

// inside gives the elements [from, to) of a window of k, starting at, that lie
// in [0, size).
func inside(at, k, dilation, size int) (from, to int) {
	if at < 0 {
		from = (-at + dilation - 1) / dilation
	}
	if at < size {
		to = min(k, (size-at+dilation-1)/dilation)
	}
	return from, max(from, to)
}

// globalStep is the mean or maximum of each channel over the image.
type globalStep struct {
	in, out view
	kind    poolKind
}

func (g *globalStep) run(s *Session) {
	px := g.out.pixel(s.arena, 0, 0)
	for c := range px {
		top, sum := -inf, 0.0
		for y := range g.in.h {
			at := g.in.off + y*g.in.rs + c
			for x := range g.in.w {
				v := s.arena[at+x*g.in.ps]
				sum += float64(v)
				top = max(top, v) // NaN wins
			}
		}
		px[c] = top
		if g.kind == poolMean {
			px[c] = float32(sum / float64(g.in.h*g.in.w))
		}
	}
}
