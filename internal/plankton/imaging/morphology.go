package imaging

// element is a structuring element of five rows: how far each reaches to the left and right.
type element [5]int

var (
	square  = element{2, 2, 2, 2, 2} // 5 x 5
	diamond = element{0, 1, 2, 1, 0} // |dx|+|dy| <= 2
)

// dilate writes src, grown by the element, to dst. Outside the image nothing is set.
func dilate(dst, src *Mask, e element) {
	dst.reset(shape{src.width, src.height})
	for y := range src.height {
		to := dst.row(y)
		for dy, reach := range e {
			from := src.hood(y + dy - 2)
			if from == nil {
				continue
			}
			for i := range to {
				w := from[i]
				for d := 1; d <= reach; d++ {
					w |= from.at(i, d) | from.at(i, -d)
				}
				to[i] |= w
			}
		}
	}
	dst.trim()
}

// closeGaps dilates m by the element and erodes it again: gaps narrower than the element are closed. In the erosion
// everything outside the image counts as set. work is overwritten.
func closeGaps(m, work *Mask, e element) {
	dilate(work, m, e)
	work.invert() // eroding is dilating the background
	dilate(m, work, e)
	m.invert()
}
