package imaging

// box is a rectangle of pixels, right and bottom exclusive.
type box struct{ left, top, right, bottom int }

func (b box) width() int  { return b.right - b.left }
func (b box) height() int { return b.bottom - b.top }

// add makes the box contain the pixels of a row from x0 up to but not including x1.
func (b *box) add(y, x0, x1 int) {
	b.left, b.right = min(b.left, x0), max(b.right, x1)
	b.top, b.bottom = min(b.top, y), max(b.bottom, y+1)
}

// distanceMap computes distances to an outline. Its buffers are reused.
type distanceMap struct {
	vertical []int // of a pixel of the box: rows to the nearest outline pixel of its column
	at, from []int // the lower envelope of a row's parabolas
	squares  []int // of a row
}

// measure gives, row after row of a box, the squares of the distances in px from its pixels to the nearest pixel of an
// outline inside it, of which there is at least one. They are exact (A. Meijster, J. B. T. M. Roerdink and W. H.
// Hesselink, "A general algorithm for computing distance transforms in linear time", 2000).
func (d *distanceMap) measure(outline *Mask, b box, row func(y int, squares []int)) {
	width, height := b.width(), b.height()
	d.vertical, d.squares = grow(d.vertical, width*height), grow(d.squares, width)
	d.at, d.from = grow(d.at, width), grow(d.from, width)
	far := width + height
	for x := range width {
		nearest := far
		for y := range height {
			nearest++
			if outline.At(x+b.left, y+b.top) {
				nearest = 0
			}
			d.vertical[y*width+x] = nearest
		}
		nearest = far
		for y := height - 1; y >= 0; y-- {
			nearest = min(nearest+1, d.vertical[y*width+x])
			d.vertical[y*width+x] = nearest
		}
	}
	for y := range height {
		d.along(d.vertical[y*width:][:width])
		row(y, d.squares)
	}
}

// along computes the squares of one row.
func (d *distanceMap) along(vertical []int) {
	square := func(x, at int) int { return (x-at)*(x-at) + vertical[at]*vertical[at] }
	// d.at[k] is the column whose parabola is the lowest from column d.from[k] on.
	k := 0
	d.at[0], d.from[0] = 0, 0
	for x := 1; x < len(vertical); x++ {
		for k >= 0 && square(d.from[k], d.at[k]) > square(d.from[k], x) {
			k--
		}
		if k < 0 {
			k = 0
			d.at[0] = x
			continue
		}
		at := d.at[k]
		meet := 1 + floorDiv(x*x-at*at+vertical[x]*vertical[x]-vertical[at]*vertical[at], 2*(x-at))
		if meet < len(vertical) {
			k++
			d.at[k], d.from[k] = x, meet
		}
	}
	for x := len(vertical) - 1; x >= 0; x-- {
		d.squares[x] = square(x, d.at[k])
		if x == d.from[k] {
			k--
		}
	}
}
