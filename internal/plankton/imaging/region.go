package imaging

import "math"

// region holds the measures of a mask's pixels, all taken as one region even if they are in several parts.
type region struct {
	area            int // px
	diameter        float64
	majorAxis       float64
	minorAxis       float64
	eccentricity    float64
	touchesBorder   bool
	box             // around it
	perimeter       Mask
	perimeterPixels int
	counts          []int // pixels per column
}

// measure measures the pixels of m, of which there is at least one. The axes are those of the ellipse with the same
// second moments.
func (g *region) measure(m *Mask) {
	g.area, g.box = 0, box{left: m.width, top: m.height}
	var sumX, sumY int
	m.each(func(x, y int) {
		g.area++
		sumX, sumY = sumX+x, sumY+y
		g.add(y, x, x+1)
	})
	area := float64(g.area)
	meanX, meanY := float64(sumX)/area, float64(sumY)/area
	var xx, yy, xy float64
	m.each(func(x, y int) {
		dx, dy := float64(x)-meanX, float64(y)-meanY
		xx += float64(dx * dx)
		yy += float64(dy * dy)
		xy += float64(dx * dy)
	})
	xx, yy, xy = xx/area, yy/area, xy/area
	middle, half := (yy+xx)/2, (yy-xx)/2
	root := math.Sqrt(float64(half*half) + float64(xy*xy))
	major, minor := max(middle+root, 0), max(middle-root, 0)
	g.diameter = math.Sqrt(4 * area / math.Pi)
	g.majorAxis = 4 * math.Sqrt(major)
	g.minorAxis = 4 * math.Sqrt(minor)
	g.eccentricity = 0
	if major > 0 {
		g.eccentricity = math.Sqrt(1 - minor/major)
	}
	g.touchesBorder = g.left == 0 || g.top == 0 || g.right == m.width || g.bottom == m.height
	outlineOf(&g.perimeter, m)
	g.perimeterPixels = g.perimeter.Count()
}

// outlineOf writes to dst the pixels of m that have a 4-neighbour in the image that is not set. The image's border
// alone makes no outline.
func outlineOf(dst, m *Mask) {
	dst.reset(shape{m.width, m.height})
	last := m.words - 1
	for y := range m.height {
		here, to := m.hood(y), dst.row(y)
		for i, w := range here {
			left, right := here.at(i, -1), here.at(i, 1)
			if i == 0 {
				left |= 1
			}
			if i == last {
				right |= ^(m.tail() >> 1)
			}
			inner := left & right
			if y > 0 {
				inner &= m.hood(y - 1)[i]
			}
			if y < m.height-1 {
				inner &= m.hood(y + 1)[i]
			}
			to[i] = w &^ inner
		}
	}
}
