package imaging

import (
	"math/bits"
	"slices"
)

// point is the centre of a pixel.
type point struct{ row, column int }

// turn is positive when a, b, c turn counter-clockwise with the row as x and the column as y, 0 when they are in line.
func turn(a, b, c point) int {
	return (b.row-a.row)*(c.column-a.column) - (b.column-a.column)*(c.row-a.row)
}

// hull finds the convex hull of pixels.
type hull struct {
	ends     []point // of the rows
	vertices []point // counter-clockwise, none in line with its neighbours
	lines    []side  // the rows inside
	filled   Mask
}

// enclose computes the hull of the pixels of m (A. M. Andrew's monotone chain, exact in whole numbers) and tells
// whether it has an inside.
func (h *hull) enclose(m *Mask) bool {
	h.ends, h.vertices = h.ends[:0], h.vertices[:0]
	for y := range m.height {
		row := m.row(y)
		first := next(row, 0, m.width, true)
		if first == m.width {
			continue
		}
		h.ends = append(h.ends, point{y, first})
		if last := lastSet(row); last > first {
			h.ends = append(h.ends, point{y, last})
		}
	}
	h.chain()
	slices.Reverse(h.ends)
	h.chain()
	return len(h.vertices) >= 3
}

func lastSet(row []uint64) int {
	for i := len(row) - 1; i >= 0; i-- {
		if row[i] != 0 {
			return i*64 + bits.Len64(row[i]) - 1
		}
	}
	return -1
}

// chain appends one side of the hull, without its last point, which the other side begins with.
func (h *hull) chain() {
	start := len(h.vertices)
	for _, p := range h.ends {
		for n := len(h.vertices); n >= start+2 && turn(h.vertices[n-2], h.vertices[n-1], p) <= 0; n-- {
			h.vertices = h.vertices[:n-1]
		}
		h.vertices = append(h.vertices, p)
	}
	h.vertices = h.vertices[:max(len(h.vertices)-1, start)]
}

// area is the number of pixels inside or on the hull or on the lines drawn along its edges, in an image of this size.
func (h *hull) area(s shape) int {
	h.filled.reset(s)
	for _, side := range h.sides() {
		h.filled.fill(side.row, side.from, side.to+1, true)
	}
	for i, to := range h.vertices {
		h.draw(to, h.vertices[(i+len(h.vertices)-1)%len(h.vertices)])
	}
	return h.filled.Count()
}

// side is the columns of one row that are inside or on the hull.
type side struct{ row, from, to int }

func (h *hull) sides() []side {
	top, bottom := h.vertices[0].row, h.vertices[0].row
	for _, v := range h.vertices {
		top, bottom = min(top, v.row), max(bottom, v.row)
	}
	h.lines = grow(h.lines, bottom-top+1)
	sides := h.lines
	for i := range sides {
		sides[i] = side{row: top + i}
	}
	for i, b := range h.vertices {
		a := h.vertices[(i+len(h.vertices)-1)%len(h.vertices)]
		// Edges that lead to higher rows have the inside on their right in the picture, the others on their left.
		for row := a.row; row <= b.row && a.row < b.row; row++ {
			sides[row-top].from = -floorDiv((a.column-b.column)*(row-a.row), b.row-a.row) + a.column
		}
		for row := b.row; row <= a.row && b.row < a.row; row++ {
			sides[row-top].to = floorDiv((a.column-b.column)*(row-b.row), a.row-b.row) + b.column
		}
	}
	return sides
}

// floorDiv is a/b rounded down, b > 0.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// draw sets the pixels of the line from a to b (J. E. Bresenham, IBM Syst. J. 4, 1965).
func (h *hull) draw(a, b point) {
	dr, stepR := distance(a.row, b.row)
	dc, stepC := distance(a.column, b.column)
	r, c := a.row, a.column
	steep := dr > dc
	if steep {
		r, c, dr, dc, stepR, stepC = c, r, dc, dr, stepC, stepR
	}
	d := 2*dr - dc
	for range dc {
		if steep {
			h.filled.set(r, c)
		} else {
			h.filled.set(c, r)
		}
		for d >= 0 {
			r += stepR
			d -= 2 * dc
		}
		c += stepC
		d += 2 * dr
	}
	h.filled.set(b.column, b.row)
}

func distance(from, to int) (length, step int) {
	if to > from {
		return to - from, 1
	}
	return from - to, -1
}
