package imaging

import (
	"image"
	"math"
)

// moved stands, among the 256 grey values, for the one pixel that was moved into an empty cluster: it may be in another
// one than the other pixels of its grey value.
const moved = 256

// darkMask finds the pixels that are much darker than the background: two means of the grey values, in float32 as the
// reference has it, where rounding decides when the iterations end.
type darkMask struct {
	codes  []uint16 // of the pixels, column after column: grey value or moved
	at     int      // the moved pixel, -1 if there is none
	gray   uint16   // its value
	count  [moved + 1]int
	value  [moved + 1]float32 // 0 to 1
	assign assignment
	far    [2][moved + 1]float32 // square of the distance to the two centres
}

// assignment says to which of the two clusters each code belongs.
type assignment [moved + 1]uint8

// addTo sets the dark pixels of m: those outside the brighter cluster that are at most 3/4 as bright as the darkest
// pixel of it.
func (d *darkMask) addTo(m *Mask, gray *image.Gray) {
	if m.width*m.height < 2 {
		return // one pixel makes no two clusters
	}
	d.load(m, gray)
	c := d.cluster()
	background := uint8(0)
	if c[1] > c[0] {
		background = 1
	}
	darkest := float32(math.Inf(1))
	for k, n := range d.count {
		if n > 0 && d.assign[k] == background {
			darkest = min(darkest, d.value[k])
		}
	}
	threshold := float32(darkest * 0.75)
	var dark [moved + 1]bool
	for k := range dark {
		dark[k] = d.assign[k] != background && d.value[k] <= threshold
	}
	for i, k := range d.codes {
		if dark[k] {
			m.set(i/m.height, i%m.height)
		}
	}
}

// load lists the pixels.
func (d *darkMask) load(m *Mask, gray *image.Gray) {
	d.codes = grow(d.codes, m.width*m.height)
	d.count, d.at = [moved + 1]int{}, -1
	for y := range m.height {
		at := y
		for _, v := range gray.Pix[y*gray.Stride:][:m.width] {
			d.codes[at] = uint16(v)
			d.count[v]++
			at += m.height
		}
	}
	for k := range moved {
		d.value[k] = float32(k) / 255
	}
}

// cluster assigns the pixels, by Lloyd's iterations from the centres 0 and 1, and gives the centres.
func (d *darkMask) cluster() (c [2]float32) {
	c = [2]float32{0, 1}
	d.measure(c)
	for k := range d.assign {
		d.assign[k] = d.nearest(k)
	}
	best := float32(math.Inf(1))
	var before assignment
	movedBefore := -1
	for range 100 {
		c = d.means(c)
		d.measure(c)
		if empty := d.empty(); empty >= 0 {
			d.moveFarthest(uint8(empty))
			c = d.means(c)
			d.measure(c)
		}
		total := d.total()
		if best <= total {
			d.move(movedBefore)
			d.assign = before
			return d.means(c)
		}
		before, movedBefore, best = d.assign, d.at, total
		if !d.reassign() {
			break
		}
	}
	return c
}

func (d *darkMask) measure(c [2]float32) {
	for i := range d.far {
		for k, v := range d.value {
			difference := v - c[i]
			d.far[i][k] = float32(difference * difference)
		}
	}
}

func (d *darkMask) nearest(k int) uint8 {
	if d.far[0][k] <= d.far[1][k] {
		return 0
	}
	return 1
}

// means are the centres of the clusters; one without pixels keeps its own. Sums are taken in the order of the pixels.
func (d *darkMask) means(c [2]float32) [2]float32 {
	var part [2][moved + 1]float32
	var n [2]int
	for k, v := range d.value {
		part[d.assign[k]][k] = v
		n[d.assign[k]] += d.count[k]
	}
	var sum0, sum1 float32
	for _, k := range d.codes {
		sum0 += part[0][k]
		sum1 += part[1][k]
	}
	for i, sum := range [2]float32{sum0, sum1} {
		if n[i] > 0 {
			c[i] = sum / float32(n[i])
		}
	}
	return c
}

// empty is a cluster without pixels, -1 if both have some.
func (d *darkMask) empty() int {
	var n [2]int
	for k, i := range d.assign {
		n[i] += d.count[k]
	}
	switch {
	case n[0] == 0:
		return 0
	case n[1] == 0:
		return 1
	}
	return -1
}

// moveFarthest moves the first of the pixels that are farthest from their centre into an empty cluster.
func (d *darkMask) moveFarthest(empty uint8) {
	own := &d.far[1-empty]
	at := 0
	for i, k := range d.codes {
		if own[k] > own[d.codes[at]] {
			at = i
		}
	}
	d.move(at) // the one that was moved before is where all others are
	d.assign[moved] = empty
}

// move makes a pixel, or with -1 none, the moved one.
func (d *darkMask) move(at int) {
	if d.at >= 0 {
		d.codes[d.at] = d.gray
		d.count[d.gray]++
		d.count[moved] = 0
		d.assign[d.gray] = d.assign[moved]
	}
	d.at = at
	if at >= 0 {
		d.gray = d.codes[at]
		d.codes[at] = moved
		d.count[d.gray]--
		d.count[moved] = 1
		d.value[moved] = d.value[d.gray]
	}
}

// total is the sum of the squares of the distances to the pixels' own centres, in the order of the pixels.
func (d *darkMask) total() float32 {
	var own [moved + 1]float32
	for k, i := range d.assign {
		own[k] = d.far[i][k]
	}
	var sum float32
	for _, k := range d.codes {
		sum += own[k]
	}
	return sum
}

// reassign moves pixels to the other centre where it is nearer and tells whether there were any.
func (d *darkMask) reassign() (changed bool) {
	for k, i := range d.assign {
		to := d.nearest(k)
		if d.count[k] > 0 && to != i && d.far[i][k] > d.far[to][k] {
			d.assign[k] = to
			changed = true
		}
	}
	return changed
}
