package imaging

import "math"

// revolution is a blob as a solid of revolution, turned so that its major axis lies along the rows: slices of it, a
// column each.
type revolution struct {
	slices  []slice
	columns []turnedAxis
	strip   stripArgs
	sums    [8]float64 // of its area
}

// slice is one column of the turned blob: where it is along the axis, the height of its middle and its radius, px.
type slice struct{ x, y, radius float64 }

// turnedAxis is what a row or column adds to the coordinates of its pixels in the blob.
type turnedAxis struct{ x, y float64 }

// load cuts the blob, turned by its orientation in degrees, into slices.
func (v *revolution) load(m *Mask, c centroid, orientation float64) {
	v.slices = v.slices[:0]
	v.turn(m, c, orientation, func(pixels, top int) {
		radius := float64(pixels) / 2
		v.slices = append(v.slices, slice{float64(len(v.slices) + 1), float64(top+1) + radius, radius})
	})
	if n := len(v.slices); n >= 2 {
		v.slices[0].y = v.slices[1].y
		v.slices[n-1].y = v.slices[n-2].y
		v.slices[0].x -= 0.5
		v.slices[n-1].x += 0.5
	}
}

// turn rotates the blob about its centre, by the nearest pixel as MATLAB's imrotate does, and gives each column that
// has pixels: their number and the row of the topmost one. The turned picture is a square that the blob's centre is in
// the middle of.
func (v *revolution) turn(m *Mask, c centroid, orientation float64, column func(pixels, top int)) {
	n := c.area
	reach := max(c.sumY, m.height*n-c.sumY, c.sumX, m.width*n-c.sumX)
	size := (2*reach + n - 1) / n
	top, left := (reach-c.sumY)/n, (reach-c.sumX)/n // of the blob in a square of the same size

	sin, cos := math.Sincos(-orientation * (math.Pi / 180))
	x0, y0 := turnedCorner(float64(size), sin, cos)
	v.columns = grow(v.columns, size)
	for i := range v.columns {
		yw := y0 + (float64(i) + 0.5)
		v.columns[i] = turnedAxis{-float64(yw * sin), float64(yw * cos)}
	}
	for j := range size {
		xw := x0 + (float64(j) + 0.5)
		dx, dy := float64(xw*cos), float64(xw*sin)
		pixels, first := 0, 0
		for i, row := range v.columns {
			// Coordinates count from 1; truncated after 0.5 was added they are rounded, those below 0 are outside anyhow.
			x, y := int(dx+row.x+0.5)-1, int(dy+row.y+0.5)-1
			if m.At(x-left, y-top) {
				if pixels == 0 {
					first = i
				}
				pixels++
			}
		}
		if pixels > 0 {
			column(pixels, first)
		}
	}
}

// turnedCorner is the corner, in turned coordinates, of the picture that shows the middle of a turned square. It is
// lowered by two units in the last place, which decides the pixels that lie exactly half way.
func turnedCorner(size, sin, cos float64) (x, y float64) {
	low, high := 0.5, size+0.5
	minX, maxX, minY, maxY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, cx := range [2]float64{low, high} {
		for _, cy := range [2]float64{low, high} {
			tx, ty := float64(cx*cos)+float64(cy*sin), float64(-cx*sin)+float64(cy*cos)
			minX, maxX = min(minX, tx), max(maxX, tx)
			minY, maxY = min(minY, ty), max(maxY, ty)
		}
	}
	x = low + ((minX+maxX)/2 - (low+high)/2)
	y = low + ((minY+maxY)/2 - (low+high)/2)
	down := math.Inf(-1)
	return math.Nextafter(math.Nextafter(x, down), down), math.Nextafter(math.Nextafter(y, down), down)
}

// volume is the volume in px^3, of cones between the slices.
func (v *revolution) volume() float64 {
	var volume float64
	for k := 1; k < len(v.slices); k++ {
		a, b := v.slices[k-1], v.slices[k]
		before, here := float64(math.Pi*float64(a.radius*a.radius)), float64(math.Pi*float64(b.radius*b.radius))
		volume += float64((b.x - a.x) / 3 * (here + before + math.Sqrt(here*before)))
	}
	return volume
}

// width is the mean diameter in px.
func (v *revolution) width() float64 {
	var sum float64
	for _, s := range v.slices {
		sum += 2 * s.radius
	}
	return sum / float64(len(v.slices))
}

// semicircle has cosines and sines of the angles of the points on a slice's edge, a quarter of a degree apart.
var semicircle = func() (c struct{ cos, sin [721]float64 }) {
	for j := range c.cos {
		c.sin[j], c.cos[j] = math.Sincos(float64(j) * 0.25 * (math.Pi / 180))
	}
	return c
}()

// surface is the surface in px^2: triangles between points on the edges of the slices, over half a turn and doubled,
// and the flat ends.
func (v *revolution) surface(k *kernels) float64 {
	var sum float64
	p := &v.strip
	for i := 1; i < len(v.slices); i++ {
		a, b := v.slices[i-1], v.slices[i]
		gap := b.x - a.x
		*p = stripArgs{cos: semicircle.cos[:], sin: semicircle.sin[:], sums: v.sums[:], y0: a.y, r0: a.radius, y1: b.y, r1: b.radius,
			gapSquare: gap * gap, steps: len(semicircle.cos) / len(v.sums)}
		k.strip(p)
		for _, part := range v.sums {
			sum += part
		}
	}
	first, last := v.slices[0].radius, v.slices[len(v.slices)-1].radius
	return 2*sum + float64(math.Pi*float64(first*first)) + float64(math.Pi*float64(last*last))
}
