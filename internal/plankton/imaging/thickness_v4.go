package imaging

import "math"

// Constants of the distance map, rounded to float32 before they are used.
var (
	pi32     = float32(math.Pi)
	halfPi32 = float32(math.Pi / 2)
	sqrt2f32 = float32(math.Sqrt2)
)

// thickness is a blob's distance map: of each pixel the distance to the rim plus 1. The reference computes in float32,
// and so does this: every operation is rounded to it, sums are taken column after column.
type thickness struct {
	distances distanceMap
	holes     components
	filled    Mask
	height    int
	of        []float32 // of the pixels, column after column; 0 outside the blob
	sum, x    float32   // of all of them; the width of the representative transect, px
}

// load computes the map from the rim of a blob.
func (t *thickness) load(rim *Mask) {
	rim.copyTo(&t.filled)
	t.holes.fillHoles(&t.filled)
	t.height = rim.height
	t.of = grow(t.of, rim.width*rim.height)
	t.distances.measure(rim, box{right: rim.width, bottom: rim.height}, func(y int, squares []int) {
		for x, square := range squares {
			v := float32(0)
			if t.filled.At(x, y) {
				v = float32(math.Sqrt(float64(square)) + 1)
			}
			t.of[x*t.height+y] = v
		}
	})
	t.sum = 0
	for _, v := range t.of {
		t.sum += v
	}
	mean := t.sum / float32(t.filled.Count())
	t.x = float32(4*mean) - 2
}

// width is the representative width in px.
func (t *thickness) width() float64 { return float64(t.x) }

// volume is the volume in px^3.
func (t *thickness) volume() float64 {
	square := float32(t.x * t.x)
	c1 := square / (square + float32(2*t.x) + 0.5)
	return float64(float32(float32(float32(c1*halfPi32)*2) * t.sum))
}

// surface is the surface in px^2: of the map as a landscape of triangles, two for four neighbouring pixels, unless all
// four are on the ground.
func (t *thickness) surface() float64 {
	var lower, upper float32
	for end := 2 * t.height; end <= len(t.of); end += t.height {
		left, right := t.of[end-2*t.height:end-t.height], t.of[end-t.height:end]
		for i := range t.height - 1 {
			opposite := right[i+1]
			u, v, w := left[i]-left[i+1], left[i]-opposite, right[i]-opposite
			if left[i] == 0 && u == 0 && v == 0 && w == 0 {
				continue
			}
			lower += triangle32(u, v)
			upper += triangle32(w, v)
		}
	}
	c := float32(pi32*t.x) / 2 / (float32(float32(2*sqrt2f32)*t.x)/2 + (1+sqrt2f32)/2)
	return float64(float32(2 * c * (lower + upper)))
}

// triangle32 is the area of a triangle over half a square of 1 px: along the one side the height differs by u, along
// the diagonal by v.
func triangle32(u, v float32) float32 {
	d := u - v
	square := float32(d*d) + float32(u*u) + 1
	return 0.5 * float32(math.Sqrt(float64(square)))
}
