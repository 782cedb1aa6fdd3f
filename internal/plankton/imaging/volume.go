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
func (g *region) sorVolume(m *Mask) float64 {
	g.counts = grow(g.counts, m.width)
	counts := g.counts
	clear(counts)
	m.each(func(x, _ int) { counts[x]++ })
	var volume float64
	for _, n := range counts {
		radius := float64(n) / 2
		volume += float64(math.Pi * float64(radius*radius))
	}
	return volume
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

// sum adds D over the mask's pixels.
func (d *distanceMap) sum(m *Mask, g *region) float64 {
	var sum float64
	d.measure(&g.perimeter, g.box, func(y int, squares []int) {
		for x, square := range squares {
			if m.At(x+g.left, y+g.top) {
				sum += math.Sqrt(float64(square)) + 1
			}
		}
	})
	return sum
}
