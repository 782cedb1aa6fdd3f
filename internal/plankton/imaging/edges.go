package imaging

import (
	"image"
	"math"
)

// edgeThreshold is the least moment of an edge, exclusive. The original asks for a hysteresis between 0.2 and 0.1 with
// the two exchanged, which comes down to this.
const edgeThreshold = 0.1

// setAbove sets the pixels of m whose moment is above the threshold.
func setAbove(m *Mask, moments []float64, threshold float64) {
	for y := range m.height {
		row := m.row(y)
		for x, v := range moments[y*m.width:][:m.width] {
			if v > threshold {
				row[x/64] |= 1 << (x % 64)
			}
		}
	}
}

// cleanRows keeps an edge in the first and in the last row only where it goes on inside.
func cleanRows(m *Mask) {
	first, last := m.hood(0), m.hood(m.height-1)
	for i := range first {
		first[i] &= m.hood(1).at(i, 0)
	}
	for i := range last {
		last[i] &= m.hood(m.height-2).at(i, 0)
	}
}

// cleanColumns keeps an edge in the first and in the last column only where it goes on inside.
func cleanColumns(m *Mask) {
	for y := range m.height {
		if !m.At(1, y) {
			m.fill(y, 0, 1, false)
		}
		if !m.At(m.width-2, y) {
			m.fill(y, m.width-1, m.width, false)
		}
	}
}

// clusters are the two means of an image's grey values.
type clusters struct{ low, high float64 }

// darkFactor times the middle between the clusters is the grey value below which a pixel counts as dark.
const darkFactor = 0.65

// threshold is the grey value below which a pixel is dark.
func (c clusters) threshold() float64 { return (c.low + c.high) / 2 * darkFactor }

// twoMeans splits the grey values in two by Lloyd's iterations, at most 10. The original starts from random values;
// this starts from mean -+ one sample standard deviation, which gives its most frequent result. A cluster without
// pixels keeps its centre. An image of one pixel has no deviation, and NaN for a centre.
func twoMeans(gray *image.Gray) clusters {
	var count [256]int
	width, height := gray.Rect.Dx(), gray.Rect.Dy()
	for y := range height {
		for _, v := range gray.Pix[y*gray.Stride:][:width] {
			count[v]++
		}
	}
	mean, deviation := deviation(&count)
	c := clusters{mean - deviation, mean + deviation}
	for range 10 {
		var n, sum [2]int
		for v, k := range count {
			i := 1
			if math.Abs(float64(v)-c.low) <= math.Abs(float64(v)-c.high) {
				i = 0
			}
			n[i] += k
			sum[i] += v * k
		}
		moved := c
		if n[0] > 0 {
			moved.low = float64(sum[0]) / float64(n[0])
		}
		if n[1] > 0 {
			moved.high = float64(sum[1]) / float64(n[1])
		}
		if moved == c {
			break
		}
		c = moved
	}
	return c
}

// deviation gives mean and sample standard deviation of a histogram.
func deviation(count *[256]int) (mean, deviation float64) {
	var n, sum int
	for v, k := range count {
		n += k
		sum += v * k
	}
	mean = float64(sum) / float64(n)
	var squares float64
	for v, k := range count {
		d := float64(v) - mean
		squares += float64(float64(k) * float64(d*d))
	}
	return mean, math.Sqrt(squares / float64(n-1))
}

// addDark sets the pixels of m that are darker than the threshold too, and gives their number.
func addDark(m *Mask, gray *image.Gray, threshold float64) (dark int) {
	for y := range m.height {
		row := m.row(y)
		for x, v := range gray.Pix[y*gray.Stride:][:m.width] {
			if float64(v) < threshold {
				row[x/64] |= 1 << (x % 64)
				dark++
			}
		}
	}
	return dark
}
