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

// resized gives an image the size of the input: stretched, or fitted into it
// and filled up as Pillow's ImageOps.pad does.
func (p *Preprocessor) resized(img picture) picture {
	w, h := p.width, p.height
	if p.keepAspect {
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
	out := newPicture(p.width, p.height, img.n)
	for i := range out.pix {
		out.pix[i] = p.fill
	}
	left, top := half(p.width-w), half(p.height-h)
	for y := range h {
		copy(out.row(top + y)[left*img.n:], img.row(y))
	}
	return out
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

// smooth is a filter whose support grows with the factor by which an image
// shrinks, so that no pixel is left out.
type smooth struct {
	support float64
	at      func(float64) float64
}

var smoothFilters = map[string]smooth{
	"box": {0.5, func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	"bilinear": {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	"bicubic": {2, func(x float64) float64 { // Keys 1981 with a = -1/2
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64(float64(float64((a+2)*x-(a+3))*x)*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	}},
	"lanczos": {3, func(x float64) float64 {
		if x >= -3 && x < 3 {
			return sinc(x) * sinc(x/3)
		}
		return 0
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// precision is the number of bits after the point of Pillow's weights.
const precision = 32 - 8 - 2

// taps are the weights of one output: those of the inputs from first on.
type taps struct {
	first   int
	weights []int32
}

// weights gives the taps of every output, as Pillow computes them.
func (f smooth) weights(in, out int) []taps {
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support, inverse := f.support*widen, 1/widen
	list := make([]taps, out)
	most := int(2*support) + 2
	exact, store := make([]float64, 0, most), make([]int32, 0, out*most)
	for i := range list {
		center := (float64(i) + 0.5) * scale
		first := max(0, int(center-support+0.5))
		last := min(in, int(center+support+0.5))
		exact = exact[:0]
		sum := 0.0
		for x := first; x < last; x++ {
			w := f.at((float64(x) - center + 0.5) * inverse)
			exact = append(exact, w)
			sum += w
		}
		begin := len(store)
		for _, w := range exact {
			if sum != 0 {
				w /= sum
			}
			store = append(store, int32(float64(w*(1<<precision))+math.Copysign(0.5, w)))
		}
		list[i] = taps{first: first, weights: store[begin:]}
	}
	return list
}

// resize filters along rows and across them, and rounds to bytes after each. It
// does so across first where Pillow 13 does: where the height shrinks by more
// than twice what the width does. (Earlier ones never do; the order changes
// some pixels by one.)
func (f smooth) resize(img picture, w, h int) picture {
	if h < img.h && 2*(img.w-w) < img.h-h {
		return f.width(f.height(img, h), w)
	}
	return f.height(f.width(img, w), h)
}

func (f smooth) width(img picture, w int) picture {
	if w == img.w {
		return img
	}
	table, out := f.weights(img.w, w), newPicture(w, img.h, img.n)
	for y := range img.h {
		along(out.row(y), img.row(y), table, img.n)
	}
	return out
}

func (f smooth) height(img picture, h int) picture {
	if h == img.h {
		return img
	}
	out, sums := newPicture(img.w, h, img.n), make([]int32, img.w*img.n)
	for y, t := range f.weights(img.h, h) {
		across(out.row(y), sums, img, t)
	}
	return out
}

// along filters one row.
func along(dst, src []byte, table []taps, n int) {
	if n == 1 {
		for x, t := range table {
			sum := int32(1 << (precision - 1))
			in := src[t.first:][:len(t.weights)]
			for k, w := range t.weights {
				sum += int32(in[k]) * w
			}
			dst[x] = clip(sum)
		}
		return
	}
	for x, t := range table {
		r, g, b := int32(1<<(precision-1)), int32(1<<(precision-1)), int32(1<<(precision-1))
		in := src[3*t.first:][:3*len(t.weights)]
		for k, w := range t.weights {
			r += int32(in[3*k]) * w
			g += int32(in[3*k+1]) * w
			b += int32(in[3*k+2]) * w
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = clip(r), clip(g), clip(b)
	}
}

// across makes one row of several.
func across(dst []byte, sums []int32, img picture, t taps) {
	for i := range sums {
		sums[i] = 1 << (precision - 1)
	}
	k := 0
	for ; k+1 < len(t.weights); k += 2 {
		w, w2 := t.weights[k], t.weights[k+1]
		in, in2 := img.row(t.first + k)[:len(sums)], img.row(t.first + k + 1)[:len(sums)]
		for i, v := range in {
			sums[i] += int32(v)*w + int32(in2[i])*w2
		}
	}
	if k < len(t.weights) {
		w := t.weights[k]
		for i, v := range img.row(t.first + k)[:len(sums)] {
			sums[i] += int32(v) * w
		}
	}
	for i, s := range sums {
		dst[i] = clip(s)
	}
}

func clip(sum int32) byte { return byte(min(max(sum>>precision, 0), 255)) }
