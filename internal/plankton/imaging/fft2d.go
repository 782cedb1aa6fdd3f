package imaging

// shape is the size of an image, px.
type shape struct{ width, height int }

// blockValues is about how many values a block of columns has: it stays in the fast cache while it is transformed.
const blockValues = 2048

// block is a range of groups of columns.
type block struct{ from, to int }

// split splits so many groups into ranges that are transformed together, of vectors of length n.
func (k *kernels) split(groups, n int) (list []block) {
	size := min(max(blockValues/n/k.lanes, 1), (64+k.lanes-1)/k.lanes)
	if k.lanes == 1 {
		size = max(size, 4)
	}
	parts := (groups + size - 1) / size
	for i := range parts {
		list = append(list, block{groups * i / parts, groups * (i + 1) / parts})
	}
	return list
}

// largest is how many groups the largest block has.
func largest(blocks []block) (groups int) {
	for _, b := range blocks {
		groups = max(groups, b.to-b.from)
	}
	return groups
}

// transformer transforms blocks of columns. Its buffers are reused.
type transformer struct {
	*kernels
	blocks [2][]float64
	folds  []float64

	stage  stageArgs
	factor filterArgs
	turned transposeArgs
}

// room is how many float64 the largest of these blocks takes: of so many rows, or of as many as their transform needs.
func (k *kernels) room(p *plan, rows int, blocks []block) int {
	return max(rows, p.length()) * largest(blocks) * k.group()
}

// fit makes room for blocks of so many float64.
func (t *transformer) fit(size int) {
	for i := range t.blocks {
		t.blocks[i] = grow(t.blocks[i], size)
	}
	t.folds = grow(t.folds, maxRadix*2*max(t.group(), 4))
}

// length is that of the longest vectors in a transform.
func (p *plan) length() int {
	if p.chirp != nil {
		return p.chirp.inner.n
	}
	return p.n
}

// run gives the unnormalised forward DFT of the columns in the first block, of p.n rows of so many groups: rows of dst,
// a step apart. The blocks are overwritten.
func (t *transformer) run(p *plan, groups int, dst []float64, step int) {
	switch {
	case p.chirp != nil:
		t.bluestein(p.chirp, groups, dst, step)
	case p.n == 1:
		copy(dst[:groups*t.group()], t.blocks[0])
	default:
		t.stages(p, 0, groups, dst, step)
	}
}

// stages transforms what is in blocks[from]: to dst, or if that is nil to the block whose index it gives.
func (t *transformer) stages(p *plan, from, groups int, dst []float64, step int) (to int) {
	unit := t.group()
	width := groups
	for i := range p.stages {
		s := &p.stages[i]
		a := &t.stage
		*a = stageArgs{x: t.blocks[from], y: t.blocks[1-from], twiddle: s.twiddle, roots: s.roots, folds: t.folds, half: s.r / 2, rootStep: s.r / 2 * 16}
		by := &t.kernels.stages
		if i < len(p.stages)-1 {
			a.outer, a.inner = s.m, width
			a.xNext, a.yNext, a.yStep = s.m*width*unit, width*unit, s.r*width*unit
		} else {
			by = &t.lasts
			rows := p.n / s.r
			if dst != nil {
				a.y = dst
			}
			a.outer, a.inner = rows, groups
			a.xNext, a.yNext, a.yStep = rows*groups*unit, rows*step, step
		}
		_ = a.x[s.r*a.xNext-1]
		_ = a.y[(s.r-1)*a.yNext+(a.outer-1)*a.yStep+a.inner*unit-1]
		by.of(s.r)(a)
		width *= s.r
		from = 1 - from
	}
	return from
}

// turnOver makes columns of the rows of src: so many squares of lanes rows, of so many groups. The steps are between rows.
func (t *transformer) turnOver(dst []float64, dstStep int, src []float64, srcStep, squares, groups int) {
	unit := t.group()
	_ = src[(squares*t.lanes-1)*srcStep+groups*unit-1]
	_ = dst[(groups*t.lanes-1)*dstStep+squares*unit-1]
	t.turned = transposeArgs{src: src, dst: dst, srcStep: srcStep, dstStep: dstStep, squares: squares, groups: groups}
	t.transpose(&t.turned)
}
