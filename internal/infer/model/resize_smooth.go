package model

import (
	"math"
	"sync"
)

// The filters that Pillow computes in whole numbers. Two sums of 32 bits are
// kept in one number of 64, so that a multiplication counts for two pixels.

// smooth is a filter whose support grows with the factor by which an image
// shrinks, so that no pixel is left out.
type smooth struct {
	support float64
	at      func(float64) float64

	mu     sync.Mutex
	tables map[[2]int][]taps // by the lengths in and out
	kept   int               // size of tables, in words of 4 bytes
}

// maxKept bounds the tables of a filter: 4 MB, which are hundreds of usual ones.
const maxKept = 1 << 20

var smoothFilters = map[string]*smooth{
	"box": {support: 0.5, at: func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	"bilinear": {support: 1, at: func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	"bicubic": {support: 2, at: func(x float64) float64 { // Keys 1981 with a = -1/2
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64(float64((float64((a+2)*x)-(a+3))*x)*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	}},
	"lanczos": {support: 3, at: func(x float64) float64 {
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

// table gives the taps of every output. It is kept: many images share a height or
// a width, and Lanczos's weights take half as long as filtering a usual image.
func (f *smooth) table(in, out int) []taps {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := [2]int{in, out}
	list, ok := f.tables[key]
	if ok {
		return list
	}
	list = f.weights(in, out)
	size := 0
	for _, t := range list {
		size += len(t.weights) + 8 // words of the taps themselves
	}
	if size > maxKept/8 {
		return list
	}
	if f.kept += size; f.kept > maxKept {
		clear(f.tables)
		f.kept = size
	}
	if f.tables == nil {
		f.tables = map[[2]int][]taps{}
	}
	f.tables[key] = list
	return list
}

// weights computes the taps of every output, as Pillow does.
func (f *smooth) weights(in, out int) []taps {
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support, inverse := f.support*widen, 1/widen
	list := make([]taps, out)
	most := int(2*support) + 2
	exact, store := make([]float64, 0, most), make([]int32, 0, out*most)
	for i := range list {
		center := float64((float64(i) + 0.5) * scale)
		first := max(0, int(center-support+0.5))
		last := min(in, int(center+support+0.5))
		exact = exact[:0]
		sum := 0.0
		for x := first; x < last; x++ {
			w := f.at((float64(x) - center + 0.5) * inverse)
			exact = append(exact, w)
			sum += w
		}
		from := len(store)
		for _, w := range exact {
			if sum != 0 {
				w /= sum
			}
			store = append(store, int32(float64(w*(1<<precision))+math.Copysign(0.5, w)))
		}
		list[i] = taps{first: first, weights: store[from:]}
	}
	return list
}

// begin is where both sums start: half of the last place, and so much more that
// neither is negative, which would take from the other.
const begin = (1<<(precision-1) + 1<<31) * (1<<32 + 1)

// lower and upper take the pixels out of the two sums. Weights add up to 1 and
// their sizes to less than 2, so that both have room.
func lower(sums uint64) byte { return clipped[uint32(sums)>>precision] }
func upper(sums uint64) byte { return clipped[sums>>(32+precision)] }

// clipped are the pixels by what is left of a sum.
var clipped = func() (table [1 << (32 - precision)]byte) {
	for i := range table {
		table[i] = byte(min(max(i-len(table)/2, 0), 255))
	}
	return table
}()

// resize filters along rows and across them, and rounds to bytes after each. It
// does so across first where Pillow 13 does: where the height shrinks by more
// than twice what the width does. (Earlier ones never do; the order changes
// some pixels by one.)
func (f *smooth) resize(img picture, w, h int) picture {
	if h < img.h && 2*(img.w-w) < img.h-h {
		return f.width(f.height(img, h), w)
	}
	return f.height(f.width(img, w), h)
}

// width filters along rows, two at a time.
func (f *smooth) width(img picture, w int) picture {
	if w == img.w {
		return img
	}
	table, out, pairs := f.table(img.w, w), newPicture(w, img.h, img.n), make([]uint64, img.w*img.n)
	for y := 0; y < img.h; y += 2 {
		next := min(y+1, img.h-1)
		below := img.row(next)
		for i, v := range img.row(y) {
			pairs[i] = uint64(v) | uint64(below[i])<<32
		}
		if img.n == 1 {
			along(out.row(y), out.row(next), pairs, table)
		} else {
			alongRGB(out.row(y), out.row(next), pairs, table)
		}
	}
	return out
}

func along(dst, below []byte, pairs []uint64, table []taps) {
	below = below[:len(table)]
	dst = dst[:len(table)]
	for x, t := range table {
		sums := uint64(begin)
		in := pairs[t.first:][:len(t.weights)]
		for k, w := range t.weights {
			sums += in[k] * uint64(w)
		}
		dst[x], below[x] = lower(sums), upper(sums)
	}
}

func alongRGB(dst, below []byte, pairs []uint64, table []taps) {
	for x, t := range table {
		r, g, b := uint64(begin), uint64(begin), uint64(begin)
		in := pairs[3*t.first:][:3*len(t.weights)]
		for k, w := range t.weights {
			r += in[3*k] * uint64(w)
			g += in[3*k+1] * uint64(w)
			b += in[3*k+2] * uint64(w)
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = lower(r), lower(g), lower(b)
		below[3*x], below[3*x+1], below[3*x+2] = upper(r), upper(g), upper(b)
	}
}

// strip is how many values of a row are filtered across at once: those of the
// rows of a usual image stay in the processor's nearest cache.
const strip = 128

// height filters across rows.
func (f *smooth) height(img picture, h int) picture {
	if h == img.h {
		return img
	}
	table, out := f.table(img.h, h), newPicture(img.w, h, img.n)
	pairs := make([]uint64, img.h*min(strip, img.w*img.n+7)/2)
	var values [strip]byte
	for left := 0; left < img.w*img.n; left += strip {
		width := min(strip, img.w*img.n-left)
		stride := (width + 7) / 8 * 4 // pairs of a row
		for y := range img.h {
			in, to := img.row(y)[left:left+width], pairs[y*stride:(y+1)*stride]
			for i := range len(in) / 2 {
				to[i] = uint64(in[2*i]) | uint64(in[2*i+1])<<32
			}
			if width%2 > 0 {
				to[width/2] = uint64(in[width-1])
			}
		}
		for y, t := range table {
			across(&values, pairs[t.first*stride:], stride, t.weights)
			copy(out.row(y)[left:], values[:width])
		}
	}
	return out
}

// across makes a strip of one row of those of several, eight values at a time.
func across(dst *[strip]byte, pairs []uint64, stride int, weights []int32) {
	for at := 0; at < stride; at += 4 {
		a, b, c, d := uint64(begin), uint64(begin), uint64(begin), uint64(begin)
		from := at
		for _, w := range weights {
			in := (*[4]uint64)(pairs[from:])
			a += in[0] * uint64(w)
			b += in[1] * uint64(w)
			c += in[2] * uint64(w)
			d += in[3] * uint64(w)
			from += stride
		}
		to := (*[8]byte)(dst[2*at:])
		to[0], to[1], to[2], to[3] = lower(a), upper(a), lower(b), upper(b)
		to[4], to[5], to[6], to[7] = lower(c), upper(c), lower(d), upper(d)
	}
}
