package imaging

import (
	"cmp"
	"math/bits"
	"slices"
)

// components finds connected parts of a mask, as runs of pixels in rows that are joined where they touch.
type components struct {
	runs   []run
	parent []int32 // of a run, in a forest whose roots are the parts
	area   []int   // of a root: pixels
	open   []bool  // of a root: touches the border or is otherwise marked
	after  []int32 // of a run: the next one of its part, -1 after the last
	index  []int32 // of a root: its place among the parts
	list   []part
}

// run is a row's pixels from x0 up to but not including x1.
type run struct{ y, x0, x1 int }

// find lists the runs of m (of its background, if not set) and joins those that touch: over a corner too if diagonal.
func (c *components) find(m *Mask, set, diagonal bool) {
	c.runs, c.parent = c.runs[:0], c.parent[:0]
	reach := 0
	if diagonal {
		reach = 1
	}
	above := 0 // the first run of the row above
	for y := range m.height {
		first := len(c.runs)
		c.scan(m, y, set)
		up := above
		for i := first; i < len(c.runs); i++ {
			c.parent = append(c.parent, int32(i))
			r := c.runs[i]
			for up < first && c.runs[up].x1+reach <= r.x0 {
				up++
			}
			for k := up; k < first && c.runs[k].x0 < r.x1+reach; k++ {
				c.join(k, i)
			}
		}
		above = first
	}
}

// scan appends the runs of one row.
func (c *components) scan(m *Mask, y int, set bool) {
	row := m.row(y)
	for x := 0; x < m.width; {
		start := next(row, x, m.width, set)
		if start == m.width {
			return
		}
		x = next(row, start, m.width, !set)
		c.runs = append(c.runs, run{y, start, x})
	}
}

// next is the first column from x on that is set or not, width if none is.
func next(row []uint64, x, width int, set bool) int {
	for x < width {
		w := row[x/64]
		if !set {
			w = ^w
		}
		if w >>= x % 64; w != 0 {
			return min(x+bits.TrailingZeros64(w), width)
		}
		x = x/64*64 + 64
	}
	return width
}

func (c *components) root(i int) int {
	for int(c.parent[i]) != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = int(c.parent[i])
	}
	return i
}

func (c *components) join(a, b int) {
	a, b = c.root(a), c.root(b)
	c.parent[max(a, b)] = int32(min(a, b))
}

// fillHoles sets the background pixels that are not connected to the outside of the image, over edges of pixels.
func (c *components) fillHoles(m *Mask) {
	c.find(m, false, false)
	c.open = grow(c.open, len(c.runs))
	clear(c.open)
	for i, r := range c.runs {
		if r.y == 0 || r.y == m.height-1 || r.x0 == 0 || r.x1 == m.width {
			c.open[c.root(i)] = true
		}
	}
	c.fillUnmarked(m, true)
}

// fillUnmarked sets or clears the parts that are not marked.
func (c *components) fillUnmarked(m *Mask, on bool) {
	for i, r := range c.runs {
		if !c.open[c.root(i)] {
			m.fill(r.y, r.x0, r.x1, on)
		}
	}
}

// dropSmall clears the parts of fewer than least pixels, connected over edges and corners, and gives how many stay.
func (c *components) dropSmall(m *Mask, least int) (kept int) {
	c.find(m, true, true)
	c.area = grow(c.area, len(c.runs))
	clear(c.area)
	for i, r := range c.runs {
		c.area[c.root(i)] += r.x1 - r.x0
	}
	for i, r := range c.runs {
		root := c.root(i)
		if c.area[root] < least {
			m.fill(r.y, r.x0, r.x1, false)
		} else if root == i {
			kept++
		}
	}
	return kept
}

// keepMarked clears the parts of m, connected over edges and corners, that have no pixel of marks.
func (c *components) keepMarked(m, marks *Mask) {
	c.find(m, true, true)
	c.open = grow(c.open, len(c.runs))
	clear(c.open)
	for i, r := range c.runs {
		if next(marks.row(r.y), r.x0, r.x1, true) < r.x1 {
			c.open[c.root(i)] = true
		}
	}
	c.fillUnmarked(m, false)
}

// part is one connected part: its area in px, the box around it and its runs.
type part struct {
	box
	area        int
	first, last int32
}

// parts gives the parts of m, connected over edges and corners: the largest first, of equal ones the one that begins
// further to the left, then the one further up. The slice is good until the next call.
func (c *components) parts(m *Mask) []part {
	c.find(m, true, true)
	c.after, c.index = grow(c.after, len(c.runs)), grow(c.index, len(c.runs))
	c.list = c.list[:0]
	for i, r := range c.runs {
		c.after[i] = -1
		root := c.root(i)
		if root == i { // the first run of its part
			c.index[i] = int32(len(c.list))
			c.list = append(c.list, part{box: box{left: m.width, top: m.height}, first: int32(i)})
		} else {
			c.after[c.list[c.index[root]].last] = int32(i)
		}
		p := &c.list[c.index[root]]
		p.last = int32(i)
		p.area += r.x1 - r.x0
		p.add(r.y, r.x0, r.x1)
	}
	slices.SortStableFunc(c.list, func(a, b part) int {
		return cmp.Or(b.area-a.area, a.left-b.left, a.top-b.top)
	})
	return c.list
}

// crop makes dst the box of a part of the last call of parts, without the pixels of other parts.
func (c *components) crop(dst *Mask, p part) {
	dst.reset(shape{p.width(), p.height()})
	for i := p.first; i >= 0; i = c.after[i] {
		r := c.runs[i]
		dst.fill(r.y-p.top, r.x0-p.left, r.x1-p.left, true)
	}
}
