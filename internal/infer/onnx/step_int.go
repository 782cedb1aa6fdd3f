package onnx

// intConvStep is a convolution as an implicit matrix product of integers.
type intConvStep struct {
	sweep
	k                *kernels
	out, res         view
	hasRes, toBytes  bool
	taps             []int
	channels, depth  int // channels of a tap, and that in whole quads
	w                []int8
	filters          []int32 // of a depthwise one
	start            []int32
	mult, add        []float32
	resScale, lo, hi float32
	zero             int32
	act              act
	pre              *scaleStep
}

// blockBytes is about half of a small second-level cache's share: so much of the
// input is worked on before the next block, with all panels.
const blockBytes = 64 << 10

func (c *intConvStep) run(s *Session) {
	if c.pre != nil {
		c.runAfter(s)
		return
	}
	block := max(blockBytes/(c.width*c.aStep), 1)
	for y := 0; y < c.rows; y += block {
		end := min(y+block, c.rows)
		for first := 0; first < c.out.c; first += c.k.ints.nr {
			for row := y; row < end; row++ {
				c.panel(s, first, row, 0, c.width, s.bytes[c.origin+row*c.rowStep:], c.aStep)
			}
		}
		for row := y; row < end; row++ {
			c.finish(s, row, 0, c.width)
		}
	}
}

// runAfter makes the bytes of each block of pixels before it multiplies them.
func (c *intConvStep) runAfter(s *Session) {
	step := byteStep(c.channels)
	block := max((len(s.byteScratch)-quad)/step, 1) // a product reads whole quads
	for row := range c.rows {
		for x := 0; x < c.width; x += block {
			m := min(block, c.width-x)
			p := &s.scale
			c.pre.set(p)
			c.pre.from(s, p, c.origin+row*c.rowStep+x*c.aStep)
			p.floats, p.bytes, p.outStep, p.aStep, p.m, p.c = nil, s.byteScratch, step, c.aStep, m, c.channels
			c.k.ints.scale(p)
			for first := 0; first < c.out.c; first += c.k.ints.nr {
				c.panel(s, first, row, x, m, s.byteScratch, step)
			}
			c.finish(s, row, x, m)
		}
	}
}

// byteStep is the distance of pixels of so many bytes: whole vectors, which do
// not all fall into the same cache sets.
func byteStep(channels int) int {
	if channels < arenaAlign {
		return channels
	}
	step := ceilTo(channels, arenaAlign)
	if step%1024 == 0 {
		step += 64
	}
	return step
}

// set sets what is the same for all pixels but the input.
func (c *intConvStep) set(p *intPanelArgs) {
	p.taps, p.depth = c.taps, c.depth
	p.resScale, p.lo, p.hi, p.zero = c.resScale, c.lo, c.hi, c.zero
}

// to sets where the outputs from the first channel on go.
func (c *intConvStep) to(s *Session, p *intPanelArgs, first, row, x, m int) {
	at := c.out.off + row*c.out.rs + x*c.out.ps + first
	p.m, p.outStep, p.floats, p.bytes, p.res = m, c.out.ps, nil, nil, nil
	if c.toBytes {
		p.bytes = s.bytes[at:]
	} else {
		p.floats = s.arena[at:]
	}
	if c.hasRes {
		p.res, p.resStep = s.arena[c.res.off+row*c.res.rs+x*c.res.ps+first:], c.res.ps
	}
}

// panel runs the kernel for m outputs of a row, from x on.
func (c *intConvStep) panel(s *Session, first, row, x, m int, a []uint8, aStep int) {
	nr := c.k.ints.nr
	p := &s.intPanel
	c.set(p)
	c.to(s, p, first, row, x, m)
	size := len(c.taps) * c.depth * nr
	p.a, p.aStep, p.n = a, aStep, min(nr, c.out.c-first)
	p.w = c.w[first/nr*size:][:size]
	p.start, p.mult, p.add = c.start[first:][:nr], c.mult[first:][:nr], c.add[first:][:nr]
	c.k.ints.panel(p)
}

// finish applies an activation that is not a clamp, to floats.
func (c *intConvStep) finish(s *Session, row, x, m int) {
	finish(s, c.k, view{off: c.out.off + row*c.out.rs + x*c.out.ps, h: 1, w: m, c: c.out.c, ps: c.out.ps, rs: c.out.rs}, c.act)
}

// intDepthwiseStep is a convolution of each channel by itself.
type intDepthwiseStep struct{ intConvStep }

func (d *intDepthwiseStep) run(s *Session) {
	p := &s.intPanel
	d.set(p)
	p.filters, p.start, p.mult, p.add, p.aStep, p.n = d.filters, d.start, d.mult, d.add, d.aStep, d.out.c
	for row := range d.rows {
		d.to(s, p, 0, row, 0, d.width)
		p.a = s.bytes[d.origin+row*d.rowStep:]
		d.k.ints.depthwise(p)
		d.finish(s, row, 0, d.width)
	}
}

// scaleStep scales and shifts channels, from or to bytes.
type scaleStep struct {
	k                  *intKernels
	in, out            view
	fromBytes, toBytes bool
	scale, shift       []float32 // or, nil, a step
	scaleA, step       float32
	zeroA, lo, hi      float32
	zero               int32
}

func (c *scaleStep) set(p *scaleArgs) {
	p.scale, p.shift, p.scaleA, p.step = c.scale, c.shift, c.scaleA, c.step
	p.zeroA, p.lo, p.hi, p.zero = c.zeroA, c.lo, c.hi, c.zero
}

func (c *scaleStep) from(s *Session, p *scaleArgs, at int) {
	p.a, p.aFloats = nil, nil
	if c.fromBytes {
		p.a = s.bytes[at:]
	} else {
		p.aFloats = s.arena[at:]
	}
}

func (c *scaleStep) run(s *Session) {
	p := &s.scale
	c.set(p)
	p.m, p.c, p.outStep, p.aStep = c.out.w, c.out.c, c.out.ps, c.in.ps
	for y := range c.out.h {
		c.from(s, p, c.in.off+y*c.in.rs)
		p.floats, p.bytes = nil, nil
		if c.toBytes {
			p.bytes = s.bytes[c.out.off+y*c.out.rs:]
		} else {
			p.floats = s.arena[c.out.off+y*c.out.rs:]
		}
		c.k.scale(p)
	}
}

// sumStep adds bytes to bytes.
type sumStep struct {
	k              *intKernels
	a, b, out      view
	zeroA, zeroB   float32
	scaleA, scaleB float32
	step, lo, hi   float32
	zero           int32
}

func (c *sumStep) run(s *Session) {
	p := &s.scale
	p.zeroA, p.zeroB, p.scaleA, p.scaleB, p.step = c.zeroA, c.zeroB, c.scaleA, c.scaleB, c.step
	p.lo, p.hi, p.zero = c.lo, c.hi, c.zero
	p.m, p.c, p.outStep, p.aStep, p.bStep = c.out.w, c.out.c, c.out.ps, c.a.ps, c.b.ps
	p.floats, p.aFloats = nil, nil
	for y := range c.out.h {
		p.bytes, p.a, p.b = s.bytes[c.out.off+y*c.out.rs:], s.bytes[c.a.off+y*c.a.rs:], s.bytes[c.b.off+y*c.b.rs:]
		c.k.add(p)
	}
}
