package onnx

// convStep is a convolution as an implicit matrix product.
type convStep struct {
	sweep
	k        *kernels
	out, res view
	hasRes   bool
	taps     []int
	depth    int
	groups   int
	groupIn  int
	groupOut int
	panels   int // per group
	part     int // pixels of a row that are worked on at once
	w, bias  []float32
	act      act
	pre      *affineStep // or
	gate     *view       // a factor per channel, before
}

// blockFloats is about half of a small second-level cache: so much of the
// input is worked on before the next block, with all panels.
const blockFloats = 32 << 10

// longFloats is what of one row of pixels does not stay in a third-level cache's share of a core while all panels
// read it: it is worked on in parts of partFloats. Shorter rows are read faster by one panel after the other.
const (
	longFloats = 512 << 10
	partFloats = 64 << 10
)

func (c *convStep) run(s *Session) {
	if c.pre != nil || c.gate != nil {
		c.runAfter(s)
		return
	}
	// Pixels that are read by all panels while they are in the cache: rows, or part of one.
	block, m := max(blockFloats/(c.width*c.aStep), 1), c.part
	for y := 0; y < c.rows; y += block {
		end := min(y+block, c.rows)
		for x := 0; x < c.width; x += m {
			n := min(m, c.width-x)
			for g := range c.groups {
				for p := range c.panels {
					for row := y; row < end; row++ {
						c.panel(s, g, p, row, x, n, s.arena[c.origin+row*c.rowStep+x*c.aStep+g*c.groupIn:], c.aStep)
					}
				}
			}
			for row := y; row < end; row++ {
				c.finish(s, row, x, n)
			}
		}
	}
}

// partOf gives the pixels of a row that stay in the cache.
func (c *convStep) partOf() int {
	size := c.width * c.aStep
	if size <= longFloats {
		return c.width
	}
	parts := (size + partFloats - 1) / partFloats
	return ceilTo((c.width+parts-1)/parts, c.k.tile)
}

// runAfter is run with an affine operation or a gate before: each block of
// pixels goes through it into the scratch, and from there into the product.
func (c *convStep) runAfter(s *Session) {
	depth := c.depth
	step := scratchStep(depth)
	block := max(len(s.scratch)/step, 1)
	for row := range c.rows {
		for x := 0; x < c.width; x += block {
			m := min(block, c.width-x)
			p := &s.pixels
			p.out, p.outStep, p.m, p.c = s.scratch, step, m, depth
			p.a, p.aStep = s.arena[c.origin+row*c.rowStep+x*c.aStep:], c.aStep
			if c.gate != nil {
				p.b, p.bStep, p.act = s.arena[c.gate.off:], 0, act{}
				c.k.binary('*', p)
			} else {
				p.scale, p.shift, p.act = c.pre.scale, c.pre.shift, c.pre.act
				c.k.affine(p)
			}
			for p := range c.panels {
				c.panel(s, 0, p, row, x, m, s.scratch, step)
			}
			c.finish(s, row, x, m)
		}
	}
}

// scratchStep keeps the pixels of the scratch off multiples of 1 KiB.
func scratchStep(depth int) int {
	step := ceilTo(depth, arenaAlign)
	if step%256 == 0 {
		step += arenaAlign
	}
	return step
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
	at := c.out.off + row*c.out.rs + x*c.out.ps
	finish(s, c.k, view{off: at, h: 1, w: m, c: c.out.c, ps: c.out.ps, rs: c.out.rs}, c.act)
}

// depthwiseStep is a convolution of each channel by itself.
type depthwiseStep struct{ convStep }

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
