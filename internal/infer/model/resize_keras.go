package model

import "math"

// Keras's image_dataset_from_directory resizes with tf.image.resize: in
// float32, centres of pixels at half numbers, without antialiasing.

// kerasNearest gives the source index of each of out elements of in.
func kerasNearest(in, out int) []int {
	scale := float32(in) / float32(out)
	index := make([]int, out)
	for i := range index {
		index[i] = min(int((float32(i)+0.5)*scale), in-1)
	}
	return index
}

// mix is an output between two inputs.
type mix struct {
	lower, upper int
	part         float32 // of the upper one
}

func kerasMix(in, out int) []mix {
	scale := float32(in) / float32(out)
	list := make([]mix, out)
	for i := range list {
		at := float32((float32(i)+0.5)*scale) - 0.5
		floor := float32(math.Floor(float64(at)))
		list[i] = mix{lower: max(int(floor), 0), upper: min(int(math.Ceil(float64(at))), in-1), part: at - floor}
	}
	return list
}

// kerasBilinear makes the input of an image by Keras's bilinear filter, whose
// values are not rounded.
func (p *Preprocessor) kerasBilinear(dst []float32, img picture) {
	rows, cols := kerasMix(img.h, p.height), kerasMix(img.w, p.width)
	above, below := make([]float32, p.width*img.n), make([]float32, p.width*img.n)
	lastAbove, lastBelow := -1, -1
	at := 0
	for _, r := range rows {
		if r.lower == lastBelow {
			above, below, lastAbove, lastBelow = below, above, lastBelow, lastAbove
		}
		if r.lower != lastAbove {
			mixRow(above, img.row(r.lower), cols, img.n)
		}
		if r.upper != lastBelow {
			mixRow(below, img.row(r.upper), cols, img.n)
		}
		lastAbove, lastBelow = r.lower, r.upper
		if img.n == 1 && p.norm == nil {
			for x, a := range above {
				v := between(a, below[x], r.part) * p.scale
				for range p.channels {
					dst[at] = v
					at++
				}
			}
			continue
		}
		for x := 0; x < len(above); x += img.n {
			for c := range p.channels {
				k := x + p.source(c, img.n)
				dst[at] = p.norm1(float32(between(above[k], below[k], r.part)*p.scale), c)
				at++
			}
		}
	}
}

// norm1 is mean and std of one value.
func (p *Preprocessor) norm1(v float32, c int) float32 {
	if p.norm == nil {
		return v
	}
	return (v - p.mean[c]) / p.std[c]
}

func mixRow(dst []float32, src []byte, cols []mix, n int) {
	for x, m := range cols {
		for k := range n {
			dst[x*n+k] = between(float32(src[m.lower*n+k]), float32(src[m.upper*n+k]), m.part)
		}
	}
}

func between(a, b, part float32) float32 { return a + float32((b-a)*part) }
