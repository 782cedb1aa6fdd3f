package imaging

import "math"

// halfTurn has cosine and sine of the directions in which a Feret diameter is measured, a degree apart. The other half
// of the turn gives the same ones.
var halfTurn = func() (directions [180]struct{ cos, sin float64 }) {
	for k := range directions {
		sin, cos := math.Sincos(-float64(k) * (math.Pi / 180))
		directions[k].cos, directions[k].sin = cos, sin
	}
	return directions
}()

// measureHull computes the measures of the convex hull of a rim. A rim whose pixels are in one line has no hull: it is
// taken for the blob itself.
func (r *BlobV4) measureHull(h *hull, rim *Mask) {
	if h.enclose(rim) {
		r.ConvexArea, r.ConvexPerimeter = h.polygon()
	} else {
		r.ConvexArea, r.ConvexPerimeter = float64(r.Area), r.Perimeter
	}
	r.Solidity = float64(r.Area) / r.ConvexArea
	r.MinFeretDiameter, r.MaxFeretDiameter = h.feret()
}

// polygon gives the area of the hull in px^2, by Heron's formula from triangles about its middle, to which half the
// perimeter is added for the halves of the pixels outside it, and its perimeter in px.
func (h *hull) polygon() (area, perimeter float64) {
	var row, column int
	for _, v := range h.vertices {
		row, column = row+v.row, column+v.column
	}
	n := float64(len(h.vertices))
	middleRow, middleColumn := float64(row)/n, float64(column)/n
	toMiddle := func(p point) float64 {
		dr, dc := float64(p.row)-middleRow, float64(p.column)-middleColumn
		return math.Sqrt(float64(dr*dr) + float64(dc*dc))
	}
	for i, to := range h.vertices {
		from := h.vertices[(i+len(h.vertices)-1)%len(h.vertices)]
		dr, dc := to.row-from.row, to.column-from.column
		a, b, c := math.Sqrt(float64(dr*dr+dc*dc)), toMiddle(from), toMiddle(to)
		s := (a + b + c) / 2
		perimeter += a
		area += math.Sqrt(max(s*(s-a)*(s-b)*(s-c), 0))
	}
	return area + perimeter/2, perimeter
}

// feret gives the least and the greatest extent in px of the pixels, squares of 1 px, over all directions.
func (h *hull) feret() (least, greatest float64) {
	points := h.vertices
	if len(points) < 3 {
		points = h.ends
	}
	least = math.Inf(1)
	for _, d := range &halfTurn {
		low, high := math.Inf(1), math.Inf(-1)
		for _, p := range points {
			at := float64(float64(p.column)*d.cos) - float64(float64(p.row)*d.sin)
			low, high = min(low, at), max(high, at)
		}
		extent := high - low + math.Abs(d.cos) + math.Abs(d.sin)
		least, greatest = min(least, extent), max(greatest, extent)
	}
	return least, greatest
}
