package onnx

// convStep is a convolution as an implicit matrix product.
type convStep struct {
	k           *kernels
	out, res    view
	hasRes      bool
	origin      int // of the first output's window
	aStep       int // between the windows of neighbouring outputs
	rowStep     int
	rows, width int
	taps        []int
	depth       int
	groups      int
	groupIn     int
	groupOut    int
	panels      int // per group
	w, bias     []float32
	act         act
	pre         *affineStep
}

// blockFloats is about half of a small second-level cache: so much of the
// input is worked on before the next block, with all panels.
const blockFloats = 32 << 10

func (c *convStep) run(s *Session) {
	if c.pre != nil {
		c.runAfter(s)
		return
	}
	// Rows that are read by all panels while they are in the cache.
	block := max(blockFloats/(c.width*c.aStep), 1)
	for y := 0; y < c.rows; y += block {
		end := min(y+block, c.rows)
		for g := range c.groups {
			for p := range c.panels {
				for row := y; row < end; row++ {
					c.panel(s, g, p, row, 0, c.width, s.arena[c.origin+row*c.rowStep+g*c.groupIn:], c.aStep)
				}
			}
		}
		for row := y; row < end; row++ {
			c.finish(s, row, 0, c.width)
		}
	}
}

// runAfter is run with an affine operation before: each block of pixels goes
// through it into the scratch, and from there into the product.
func (c *convStep) runAfter(s *Session) {
	depth := c.depth
	block := max(len(s.scratch)/depth, 1)
	lo, hi := c.pre.act.bounds()
	for row := range c.rows {
		for x := 0; x < c.width; x += block {
			m := min(block, c.width-x)
			for i := range m {
				affine(s.scratch[i*depth:][:depth], s.arena[c.origin+row*c.rowStep+(x+i)*c.aStep:][:depth], c.pre.scale, c.pre.shift, lo, hi)
			}
			for p := range c.panels {
				c.panel(s, 0, p, row, x, m, s.scratch, depth)
			}
			c.finish(s, row, x, m)
		}
	}
}

// panel runs the kernel for m outputs of a row, from x on.
func (c *convStep) panel(s *Session, g, p, row, x, m int, a []float32, aStep int) {
	nr := c.k.nr
	at := g*c.panels + p
	first := g*c.groupOut + p*nr
	args := &s.panel
	args.a, args.aStep, args.taps, args.depth = a, aStep, c.taps, c.depth
	size := len(c.taps) * c.depth * nr
	args.w, args.bias = c.w[at*size:][:size], c.bias[at*nr:][:nr]
	args.m, args.n = m, min(nr, c.groupOut-p*nr)
	args.out, args.outStep = s.arena[c.out.off+row*c.out.rs+x*c.out.ps+first:], c.out.ps
	args.res = nil
	if c.hasRes {
		args.res, args.resStep = s.arena[c.res.off+row*c.res.rs+x*c.res.ps+first:], c.res.ps
	}
	args.lo, args.hi = c.act.bounds()
	c.k.panel(args)
}

// finish applies an activation that is not a clamp.
func (c *convStep) finish(s *Session, row, x, m int) {
	if c.act.kind <= actClamp {
		return
	}
	at := c.out.off + row*c.out.rs + x*c.out.ps
	for i := range m {
		px := s.arena[at+i*c.out.ps:][:c.out.c]
		c.act.apply(px, px)
	}
}

// depthwiseStep is a convolution of each channel by itself.
type depthwiseStep struct {
	convStep
	w, bias []float32
}

func (d *depthwiseStep) run(s *Session) {
	args := &s.depthwise
	args.taps, args.w, args.bias = d.taps, d.w, d.bias
	args.c, args.m = d.out.c, d.width
	args.outStep, args.aStep = d.out.ps, d.aStep
	args.lo, args.hi = d.act.bounds()
	for row := range d.rows {
		args.a = s.arena[d.origin+row*d.rowStep:]
		args.out = s.arena[d.out.off+row*d.out.rs:]
		args.res = nil
		if d.hasRes {
			args.res, args.resStep = s.arena[d.res.off+row*d.res.rs:], d.res.ps
		}
		d.k.depthwise(args)
		d.finish(s, row, 0, d.width)
	}
}
