package imaging

import "math"

// rimOf writes to dst the pixels of m that have a 4-neighbour that is not set. Outside the mask nothing is set.
func rimOf(dst, m *Mask) {
	dst.reset(shape{m.width, m.height})
	for y := range m.height {
		above, here, below, to := m.hood(y-1), m.hood(y), m.hood(y+1), dst.row(y)
		for i, w := range here {
			to[i] = w &^ (here.at(i, -1) & here.at(i, 1) & above.at(i, 0) & below.at(i, 0))
		}
	}
}

// lengthOf is the length of a rim in px: each pixel counts by its neighbours in the rim (K. Benkrid and D. Crookes,
// "Design and FPGA implementation of a perimeter estimator", 2000).
func lengthOf(rim *Mask) float64 {
	var straight, diagonal, mixed int
	rim.each(func(x, y int) {
		edges := asBit(rim.At(x-1, y)) + asBit(rim.At(x+1, y)) + asBit(rim.At(x, y-1)) + asBit(rim.At(x, y+1))
		corners := asBit(rim.At(x-1, y-1)) + asBit(rim.At(x+1, y-1)) + asBit(rim.At(x-1, y+1)) + asBit(rim.At(x+1, y+1))
		switch 1 + 2*edges + 10*corners {
		case 5, 7, 15, 17, 25, 27:
			straight++
		case 21, 33:
			diagonal++
		case 13, 23:
			mixed++
		}
	})
	return float64(straight) + float64(float64(diagonal)*math.Sqrt2) + float64(float64(mixed)*(1+math.Sqrt2)/2)
}
