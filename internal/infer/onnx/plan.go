package onnx

import (
	"fmt"
	"slices"
)

// plan is a network ready to run: where each value lies in a session's arena,
// and the steps with packed weights. It does not change and is shared.
type plan struct {
	steps   []step
	arena   int // floats that a session needs
	bytes   int // and bytes
	weights int // bytes, packed
	kernels string
	in      view
	outs    []output
}

// output is what the caller reads.
type output struct {
	view
	dims []int  // as the file has them, the batch first
	axes string // what they are
}

// step is one operation on an arena.
type step interface{ run(s *Session) }

// view is an image in an arena: the element at row y, column x and channel k is
// at off + y*rs + x*ps + k.
type view struct{ off, h, w, c, ps, rs int }

func (v view) size() int { return v.h * v.w * v.c }

// flat tells that the pixels follow one another without a gap between rows.
func (v view) flat() bool { return v.rs == v.w*v.ps }

// buffer is a part of an arena: one image with all channels of the values
// that a Concat puts side by side, and a border of zeros. Floats and bytes have an
// arena each.
type buffer struct {
	h, w, c                  int
	top, left, bottom, right int
	ps, rs, size, off        int
	first, last              int   // steps between which it is in use
	grid                     *grid // of bytes
}

func (b *buffer) bordered() bool { return b.top|b.left|b.bottom|b.right != 0 }

// place is where a value lies in a buffer.
type place struct {
	buf     *buffer
	channel int
}

type planner struct {
	p        *program
	k        *kernels
	limits   Limits
	places   map[*value]place
	bufs     []*buffer
	arena    [2]int // of floats and of bytes
	packed   []float32
	intBytes int // of weights packed as integers
	steps    []step
}

// arenaAlign is a cache line; arenaSlack lets a vector store at the very end
// reach past it.
const (
	arenaAlign = 16
	arenaSlack = 64
)

func newPlan(p *program, k *kernels, limits Limits) (*plan, error) {
	pl := newPlanner(p, k, limits)
	pl.lifetimes()
	return pl.finish()
}

func newPlanner(p *program, k *kernels, limits Limits) *planner {
	pl := &planner{p: p, k: k, limits: limits, places: map[*value]place{}}
	pl.placeValues()
	pl.borders()
	return pl
}

// finish lays buffers with known lifetimes out and makes the steps.
func (pl *planner) finish() (*plan, error) {
	p, k, limits := pl.p, pl.k, pl.limits
	if err := pl.layOut(); err != nil {
		return nil, err
	}
	weights, integers := 0, 0
	for _, o := range p.ops {
		weights += packedSize(o, k.nr)
		integers += intPackedSize(o, k.ints)
	}
	if weights+integers > 2*limits.Total {
		return nil, fmt.Errorf("the packed weights have more than %d elements", 2*limits.Total)
	}
	pl.packed = make([]float32, 0, weights)
	for i, o := range p.ops {
		pl.freshBorders(i)
		pl.emit(o)
	}
	out := &plan{kernels: k.name, steps: pl.steps, arena: pl.arena[0] + arenaSlack, weights: 4*weights + pl.intBytes, in: pl.view(p.in)}
	if pl.arena[1] > 0 {
		out.bytes = pl.arena[1] + arenaSlack
	}
	for _, r := range p.outs {
		out.outs = append(out.outs, output{view: pl.view(r.v), dims: r.dims(), axes: r.axes})
	}
	return out, nil
}

// placeValues gives each value a buffer. The inputs of a Concat share its
// output's, each at its channel, where that is a multiple of 16 and the value
// is not in another Concat already.
func (pl *planner) placeValues() {
	type spot struct {
		in      *value
		channel int
	}
	parent := map[*value]spot{}
	for _, o := range pl.p.ops {
		if o.kind != opConcat {
			continue
		}
		at := 0
		for _, v := range o.in {
			if _, taken := parent[v]; !taken && v.def != nil && at%arenaAlign == 0 {
				parent[v] = spot{o.out, at}
			}
			at += v.c
		}
	}
	var find func(v *value) place
	find = func(v *value) place {
		if got, ok := pl.places[v]; ok {
			return got
		}
		var got place
		if s, ok := parent[v]; ok {
			got = find(s.in)
			got.channel += s.channel
		} else {
			b := &buffer{h: v.h, w: v.w, c: v.c, grid: v.grid, first: len(pl.p.ops), last: -1}
			pl.bufs = append(pl.bufs, b)
			got = place{buf: b}
		}
		pl.places[v] = got
		return got
	}
	// Backwards, so that a Concat comes before its inputs: no deep recursion.
	for _, o := range slices.Backward(pl.p.ops) {
		find(o.out)
	}
	find(pl.p.in)
}

// borders asks for zeros round what convolutions read with padding.
func (pl *planner) borders() {
	for _, o := range pl.p.ops {
		if o.kind != opConv {
			continue
		}
		in, w := o.in[0], o.win
		b := pl.places[in].buf
		b.top = max(b.top, w.top)
		b.left = max(b.left, w.left)
		b.bottom = max(b.bottom, (o.out.h-1)*w.sh+(w.kh-1)*w.dh-w.top-(in.h-1))
		b.right = max(b.right, (o.out.w-1)*w.sw+(w.kw-1)*w.dw-w.left-(in.w-1))
	}
}

// lifetimes finds the first and last step that uses each buffer.
func (pl *planner) lifetimes() {
	use := func(v *value, at int) {
		b := pl.places[v].buf
		b.first, b.last = min(b.first, at), max(b.last, at)
	}
	use(pl.p.in, -1)
	for i, o := range pl.p.ops {
		use(o.out, i)
		for _, v := range o.reads() {
			use(v, i)
		}
	}
	for _, r := range pl.p.outs {
		use(r.v, len(pl.p.ops))
	}
}

// layOut gives buffers their strides and offsets.
func (pl *planner) layOut() error {
	for _, b := range pl.bufs {
		b.ps = b.c
		if b.grid != nil {
			b.ps = byteStep(b.c)
		} else if b.c >= arenaAlign {
			b.ps = ceilTo(b.c, arenaAlign)
			if b.ps%256 == 0 { // rows 1 KiB apart fall into the same cache sets
				b.ps += arenaAlign
			}
		}
		b.rs = (b.left + b.w + b.right) * b.ps
		size, err := product([]int64{int64(b.top + b.h + b.bottom), int64(b.left + b.w + b.right), int64(b.ps)}, pl.limits.Elements)
		if err != nil {
			return err
		}
		b.size = ceilTo(size, arenaAlign)
	}
	slices.SortStableFunc(pl.bufs, func(a, b *buffer) int { return a.first - b.first })
	for kind := range pl.arena {
		pl.layOutKind(kind)
	}
	if n := pl.arena[0] + pl.arena[1]; n > pl.limits.Total {
		return fmt.Errorf("the intermediate images need %d elements, more than %d", n, pl.limits.Total)
	}
	return nil
}

// of tells whether the buffer is in the arena of floats, 0, or of bytes, 1.
func (b *buffer) of(kind int) bool { return (b.grid != nil) == (kind == 1) }

// layOutKind packs the buffers: the largest first, each at the lowest place that is free in its time. What few places
// hold stays in the caches.
func (pl *planner) layOutKind(kind int) {
	var list []*buffer
	for _, b := range pl.bufs {
		if b.of(kind) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b *buffer) int { return b.size - a.size })
	var placed []*buffer // by offset
	for _, b := range list {
		for _, other := range placed {
			if other.last < b.first || b.last < other.first {
				continue
			}
			if b.off+b.size <= other.off {
				break
			}
			b.off = max(b.off, other.off+other.size)
		}
		at, _ := slices.BinarySearchFunc(placed, b, func(a, b *buffer) int { return a.off - b.off })
		placed = slices.Insert(placed, at, b)
		pl.arena[kind] = max(pl.arena[kind], b.off+b.size)
	}
}

// freshBorders makes the borders of the buffers that the operation is the first to use: others were in their place.
func (pl *planner) freshBorders(at int) {
	for _, b := range pl.bufs {
		if b.bordered() && max(b.first, 0) == at {
			pl.add(&borderStep{b})
		}
	}
}

// view gives a value's place in the arena, without the border.
func (pl *planner) view(v *value) view {
	p := pl.places[v]
	b := p.buf
	return view{off: b.off + b.top*b.rs + b.left*b.ps + p.channel, h: v.h, w: v.w, c: v.c, ps: b.ps, rs: b.rs}
}
