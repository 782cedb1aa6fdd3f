package imaging

import (
	"crypto/sha256"
	"math/bits"
	"slices"
)

// Mask is a black and white picture: 64 pixels a word, so that most stages work on 64 pixels at once. Pixels outside
// it read as not set.
type Mask struct {
	width, height int
	words         int // per row
	// bits of a row beyond the width are zero; bit 0 is the leftmost pixel.
	bits []uint64
}

// Bounds gives the size in px.
func (m *Mask) Bounds() (width, height int) { return m.width, m.height }

// At tells whether the pixel in this column and row is set; outside the mask none is.
func (m *Mask) At(x, y int) bool {
	if x < 0 || y < 0 || x >= m.width || y >= m.height {
		return false
	}
	return m.row(y)[x/64]>>(x%64)&1 != 0
}

// Count is the number of pixels that are set.
func (m *Mask) Count() int {
	n := 0
	for _, w := range m.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// SHA256 is the hash of the mask packed 8 pixels a byte, the first in the highest bit, rows following one another
// without a gap, zeros at the end: what numpy.packbits gives.
func (m *Mask) SHA256() [sha256.Size]byte {
	packed := make([]byte, (m.width*m.height+7)/8)
	m.each(func(x, y int) {
		i := y*m.width + x
		packed[i/8] |= 0x80 >> (i % 8)
	})
	return sha256.Sum256(packed)
}

// reset makes m an empty mask of this size, in the memory it has.
func (m *Mask) reset(s shape) {
	words := (s.width + 63) / 64
	*m = Mask{s.width, s.height, words, grow(m.bits, words*s.height)}
	clear(m.bits)
}

// row gives the words of a row; those above and below the mask are empty.
func (m *Mask) row(y int) []uint64 { return m.bits[y*m.words:][:m.words] }

func (m *Mask) set(x, y int) { m.bits[y*m.words+x/64] |= 1 << (x % 64) }

// tail has the bits of the last word of a row that are pixels.
func (m *Mask) tail() uint64 { return ^uint64(0) >> (m.words*64 - m.width) }

// trim clears the bits that are no pixels.
func (m *Mask) trim() {
	tail := m.tail()
	for i := m.words - 1; i < len(m.bits); i += m.words {
		m.bits[i] &= tail
	}
}

// invert turns every pixel over.
func (m *Mask) invert() {
	for i := range m.bits {
		m.bits[i] = ^m.bits[i]
	}
	m.trim()
}

// fill sets the pixels from column x0 up to but not including x1 of row y, or clears them.
func (m *Mask) fill(y, x0, x1 int, on bool) {
	row := m.row(y)
	for x0 < x1 {
		end := min(x1, x0/64*64+64)
		w := ^uint64(0) >> (64 - (end - x0)) << (x0 % 64)
		if on {
			row[x0/64] |= w
		} else {
			row[x0/64] &^= w
		}
		x0 = end
	}
}

// each calls f for every pixel that is set, row after row.
func (m *Mask) each(f func(x, y int)) {
	for i, w := range m.bits {
		for ; w != 0; w &= w - 1 {
			f(i%m.words*64+bits.TrailingZeros64(w), i/m.words)
		}
	}
}

// hood gives words of a row with their neighbours: bit b of at(i, d) is the pixel d columns to the right of the one
// that bit b of word i stands for.
type hood []uint64

func (h hood) at(i, d int) uint64 {
	if len(h) == 0 {
		return 0
	}
	w := h[i]
	switch {
	case d > 0:
		w >>= d
		if i+1 < len(h) {
			w |= h[i+1] << (64 - d)
		}
	case d < 0:
		w <<= -d
		if i > 0 {
			w |= h[i-1] >> (64 + d)
		}
	}
	return w
}

// hood gives a row, empty above and below the mask.
func (m *Mask) hood(y int) hood {
	if y < 0 || y >= m.height {
		return nil
	}
	return m.row(y)
}

// clone gives a copy.
func (m *Mask) clone() *Mask {
	c := *m
	c.bits = slices.Clone(m.bits)
	return &c
}

// pad makes dst the mask with so many (at most 63) pixels, not set, added on each side.
func (m *Mask) pad(dst *Mask, by int) {
	dst.reset(shape{m.width + 2*by, m.height + 2*by})
	for y := range m.height {
		from, to := m.hood(y), dst.row(y+by)
		for i := range from {
			to[i] = from.at(i, -by)
		}
		if len(to) > len(from) {
			to[len(from)] = from[len(from)-1] >> (64 - by)
		}
	}
}

// unpad makes dst the mask without so many (at most 63) pixels of each side.
func (m *Mask) unpad(dst *Mask, by int) {
	dst.reset(shape{m.width - 2*by, m.height - 2*by})
	for y := range dst.height {
		from, to := m.hood(y+by), dst.row(y)
		for i := range to {
			to[i] = from.at(i, by)
		}
	}
	dst.trim()
}

// subtract clears the pixels of another mask of the same size.
func (m *Mask) subtract(other *Mask) {
	for i, w := range other.bits {
		m.bits[i] &^= w
	}
}

// copyTo makes dst the same mask, in the memory it has.
func (m *Mask) copyTo(dst *Mask) {
	dst.reset(shape{m.width, m.height})
	copy(dst.bits, m.bits)
}
