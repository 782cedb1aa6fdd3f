package imaging

import "math"

// Method is how a volume was computed from an outline.
type Method string

// The methods.
const (
	// SOR is a solid of revolution: compact shapes.
	SOR Method = "sor"
	// DistanceMap is for shapes with bays, arms and gaps.
	DistanceMap Method = "distmap"
)

// chooseMethod follows H. M. Sosik's biovolume.m: areaRatio is convex area/area, roundness equivalent diameter/major
// axis.
func chooseMethod(areaRatio, eccentricity, roundness float64) Method {
	if areaRatio < 1.2 || eccentricity < 0.8 && roundness > 0.8 {
		return SOR
	}
	return DistanceMap
}

// sorVolume is the volume in px^3 of a solid of revolution about a horizontal axis: a disc for each column of the
// image, of the diameter of its pixels. As in the original the shape is neither centred nor rotated first.
func sorVolume(m *Mask) float64 {
	counts := make([]int, m.width)
	m.each(func(x, _ int) { counts[x]++ })
	var volume float64
	for _, n := range counts {
		radius := float64(n) / 2
		volume += float64(math.Pi * float64(radius*radius))
	}
	return volume
}

// distanceMap computes distances to an outline. Its buffers are reused.
type distanceMap struct {
	vertical []int // of a pixel of the box: rows to the nearest outline pixel of its column
	at, from []int // the lower envelope of a row's parabolas
}

// volume computes the volume in px^3 of a mask by Moberg and Sosik's distance map: D is the distance of a pixel to
// the nearest pixel of the outline plus 1, the transect 4 mean(D) - 2, and the volume c1 c2 2 sum(D). The outline has at
// least one pixel.
func (d *distanceMap) volume(m *Mask, g *region) (volume, transect float64) {
	sum := d.sum(m, g)
	x := 4*(sum/float64(g.area)) - 2
	square := float64(x * x)
	c1 := square / (square + float64(2*x) + 0.5)
	return c1 * (math.Pi / 2) * 2 * sum, x
}

// sum adds D over the mask's pixels. The distances are exact (A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink,
// "A general algorithm for computing distance transforms in linear time", 2000).
func (d *distanceMap) sum(m *Mask, g *region) float64 {
	width, height := g.right-g.left, g.bottom-g.top
	d.vertical = grow(d.vertical, width*height)
	d.at, d.from = grow(d.at, width), grow(d.from, width)
	far := width + height
	for x := range width {
		nearest := far
		for y := range height {
			nearest++
			if g.perimeter.At(x+g.left, y+g.top) {
				nearest = 0
			}
			d.vertical[y*width+x] = nearest
		}
		nearest = far
		for y := height - 1; y >= 0; y-- {
			nearest = min(nearest+1, d.vertical[y*width+x])
			d.vertical[y*width+x] = nearest
		}
	}
	var sum float64
	for y := range height {
		sum += d.row(m, g, y, d.vertical[y*width:][:width])
	}
	return sum
}

// row adds D over the mask's pixels of one row of the box.
func (d *distanceMap) row(m *Mask, g *region, y int, vertical []int) float64 {
	square := func(x, at int) int { return (x-at)*(x-at) + vertical[at]*vertical[at] }
	// d.at[k] is the column whose parabola is the lowest from column d.from[k] on.
	k := 0
	d.at[0], d.from[0] = 0, 0
	for x := 1; x < len(vertical); x++ {
		for k >= 0 && square(d.from[k], d.at[k]) > square(d.from[k], x) {
			k--
		}
		if k < 0 {
			k = 0
			d.at[0] = x
			continue
		}
		at := d.at[k]
		meet := 1 + floorDiv(x*x-at*at+vertical[x]*vertical[x]-vertical[at]*vertical[at], 2*(x-at))
		if meet < len(vertical) {
			k++
			d.at[k], d.from[k] = x, meet
		}
	}
	var sum float64
	for x := len(vertical) - 1; x >= 0; x-- {
		if m.At(x+g.left, y+g.top) {
			sum += math.Sqrt(float64(square(x, d.at[k]))) + 1
		}
		if x == d.from[k] {
			k--
		}
	}
	return sum
}
