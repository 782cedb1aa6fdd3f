package model

import "math"

// The filters of a manifest. All but Keras's are Pillow's and give its pixels.
const (
	filterNearest       = "nearest"
	filterKerasNearest  = "keras-nearest"
	filterKerasBilinear = "keras-bilinear"
)

var filterNames = []string{filterNearest, "box", "bilinear", "bicubic", "lanczos", filterKerasNearest, filterKerasBilinear}

// picture is an image as rows of bytes, n channels to a pixel: 1 or 3.
type picture struct {
	w, h, n, stride int
	pix             []byte
}

func newPicture(w, h, n int) picture {
	return picture{w: w, h: h, n: n, stride: w * n, pix: make([]byte, w*h*n)}
}

func (p picture) row(y int) []byte { return p.pix[y*p.stride:][:p.w*p.n] }

// resized gives an image the size of the input: stretched, padded to its shape
// and stretched, or fitted into it and filled up as Pillow's ImageOps.pad does.
func (p *Preprocessor) resized(img picture) picture {
	w, h := p.width, p.height
	var colour []byte
	if p.keepAspect {
		colour = p.fill.colour(img)
	}
	switch {
	case p.padBefore:
		if pw, ph := squared(img.w, img.h, w, h); pw != img.w || ph != img.h {
			img = p.fill.pad(img, pw, ph, (pw-img.w)/2, (ph-img.h)/2, colour)
		}
	case p.keepAspect:
		w, h = contain(img.w, img.h, w, h)
	}
	switch f, smooth := smoothFilters[p.filter]; {
	case w == img.w && h == img.h:
	case smooth:
		img = f.resize(img, w, h)
	case p.filter == filterKerasNearest:
		img = pick(img, kerasNearest(img.w, w), kerasNearest(img.h, h))
	default:
		img = pick(img, nearest(img.w, w), nearest(img.h, h))
	}
	if w == p.width && h == p.height {
		return img
	}
	return p.fill.pad(img, p.width, p.height, half(p.width-w), half(p.height-h), colour)
}

// contain gives the largest size of the same shape in a size of w x h, as
// Pillow's ImageOps.contain does, but one pixel at least.
func contain(iw, ih, w, h int) (int, int) {
	shape, want := float64(iw)/float64(ih), float64(w)/float64(h)
	switch {
	case shape > want:
		h = max(1, int(math.RoundToEven(float64(ih)/float64(iw)*float64(w))))
	case shape < want:
		w = max(1, int(math.RoundToEven(shape*float64(h))))
	}
	return w, h
}

func half(n int) int { return int(math.RoundToEven(float64(n) * 0.5)) }

// pick takes the pixels of these columns and rows.
func pick(img picture, cols, rows []int) picture {
	out := newPicture(len(cols), len(rows), img.n)
	for y, from := range rows {
		to := out.row(y)
		if y > 0 && from == rows[y-1] {
			copy(to, out.row(y-1))
			continue
		}
		in := img.row(from)
		if img.n == 1 {
			for x, c := range cols {
				to[x] = in[c]
			}
			continue
		}
		for x, c := range cols {
			copy(to[3*x:3*x+3], in[3*c:3*c+3])
		}
	}
	return out
}

// nearest gives the source index of each of out elements of in, as Pillow
// does. The position is a running sum: floor((2i+1)*in/(2*out)) differs from
// it where the sum has drifted just below a whole number.
func nearest(in, out int) []int {
	scale := float64(in) / float64(out)
	at := scale * 0.5
	index := make([]int, out)
	for i := range index {
		index[i] = min(int(at), in-1)
		at += scale
	}
	return index
}
