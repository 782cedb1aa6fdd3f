package onnx

// poolStep is a maximum or mean over windows. Padding is never read: windows
// are cut at the image's edge.
type poolStep struct {
	k       *kernels
	in, out view
	win     window
	kind    poolKind
	padded  bool
}

func (p *poolStep) run(s *Session) {
	args := &s.pool
	args.c, args.kind, args.outStep, args.aStep = p.out.c, p.kind, p.out.ps, p.win.sw*p.in.ps
	w := p.win
	// Outputs [x0, x1) have windows that lie in the image's width.
	x0 := min((w.left+w.sw-1)/w.sw, p.out.w)
	x1 := max(x0, min(p.out.w, floorDiv(p.in.w-1-(w.kw-1)*w.dw+w.left, w.sw)+1))
	for y := range p.out.h {
		for x := range x0 {
			p.windows(s, y, x, 1)
		}
		if x0 < x1 {
			p.windows(s, y, x0, x1-x0)
		}
		for x := x1; x < p.out.w; x++ {
			p.windows(s, y, x, 1)
		}
	}
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// windows makes m outputs of row y from x on, whose windows are cut alike.
func (p *poolStep) windows(s *Session, y, x, m int) {
	w, args := p.win, &s.pool
	top, left := y*w.sh-w.top, x*w.sw-w.left
	y0, y1 := inside(top, w.kh, w.dh, p.in.h)
	x0, x1 := inside(left, w.kw, w.dw, p.in.w)
	args.taps = args.taps[:0]
	for ky := y0; ky < y1; ky++ {
		for kx := x0; kx < x1; kx++ {
			args.taps = append(args.taps, (ky-y0)*w.dh*p.in.rs+(kx-x0)*w.dw*p.in.ps)
		}
	}
	args.n = max(len(args.taps), 1)
	if p.padded { // but not what lies beyond the padding, which ceil mode may reach
		_, y1 := inside(top, w.kh, w.dh, p.in.h+w.bottom)
		_, x1 := inside(left, w.kw, w.dw, p.in.w+w.right)
		args.n = max(y1*x1, 1)
	}
	args.m = m
	args.out = s.arena[p.out.off+y*p.out.rs+x*p.out.ps:]
	args.a = s.arena[p.in.off:]
	if len(args.taps) > 0 {
		args.a = args.a[(top+y0*w.dh)*p.in.rs+(left+x0*w.dw)*p.in.ps:]
	}
	p.k.pool(args)
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
	k       *kernels
	in, out view
	kind    poolKind
}

func (g *globalStep) run(s *Session) {
	px := g.out.pixel(s.arena, 0, 0)
	if g.kind == poolMean {
		g.k.mean(px, s.arena, g.in)
		return
	}
	for c := range px {
		px[c] = -inf
	}
	for y := range g.in.h {
		for x := range g.in.w {
			for c, v := range g.in.pixel(s.arena, y, x) {
				px[c] = max(px[c], v) // NaN wins
			}
		}
	}
}
