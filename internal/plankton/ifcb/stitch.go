package ifcb

import (
	"image"
	"image/draw"
)

// ROI is one image of a bin: a target, or two that belong to one cut particle.
type ROI struct {
	Target
	// Second is the other half of a stitched pair, nil otherwise.
	Second *Target
}

// Stitched tells whether the ROI is made of two targets.
func (r ROI) Stitched() bool { return r.Second != nil }

// Size is the image's size in px: the box around both halves of a stitched pair.
func (r ROI) Size() (width, height int) {
	box := r.box()
	return box.Dx(), box.Dy()
}

func (r ROI) box() image.Rectangle {
	if r.Second == nil {
		return r.Rect()
	}
	return r.Rect().Union(r.Second.Rect())
}

// minOverlap is by how many px the boxes of a cut particle overlap at least, on each side, exclusive: generation 2's
// rule, which avoids joining neighbours that merely touch.
const minOverlap = 2

func isPair(a, b Target) bool {
	ra, rb := a.Rect(), b.Rect()
	box := ra.Union(rb)
	return a.Trigger == b.Trigger && box.Dx() <= maxImagePixels/box.Dy() &&
		ra.Min.X < rb.Max.X-minOverlap && ra.Max.X > rb.Min.X+minOverlap &&
		ra.Min.Y < rb.Max.Y-minOverlap && ra.Max.Y > rb.Min.Y+minOverlap
}

// rawROIs are the targets with an image, as they stand.
func rawROIs(targets []Target) []ROI {
	var rois []ROI
	for _, t := range targets {
		if t.HasImage() {
			rois = append(rois, ROI{Target: t})
		}
	}
	return rois
}

// stitch joins the pairs among the targets with an image. A target belongs to one pair at most.
func stitch(targets []Target) []ROI {
	rois := rawROIs(targets)
	joined := rois[:0]
	for i := 0; i < len(rois); i++ {
		roi := rois[i]
		if i+1 < len(rois) && isPair(roi.Target, rois[i+1].Target) {
			second := rois[i+1].Target
			roi.Second = &second
			i++
		}
		joined = append(joined, roi)
	}
	return joined
}

// compose pastes a, then b over it, on the box around both, and fills the gap that neither covers with one value: the
// mean (rounded half to even) of the covered pixels that have a 4-neighbour in the gap.
func compose(a, b *image.Gray, ra, rb image.Rectangle) *image.Gray {
	box := ra.Union(rb)
	out := image.NewGray(image.Rect(0, 0, box.Dx(), box.Dy()))
	ra, rb = ra.Sub(box.Min), rb.Sub(box.Min)
	draw.Draw(out, ra, a, image.Point{}, draw.Src)
	draw.Draw(out, rb, b, image.Point{}, draw.Src)

	inGap := func(x, y int) bool {
		p := image.Pt(x, y)
		return p.In(out.Rect) && !p.In(ra) && !p.In(rb)
	}
	var sum, n int
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			if !inGap(x, y) && (inGap(x-1, y) || inGap(x+1, y) || inGap(x, y-1) || inGap(x, y+1)) {
				sum += int(out.Pix[y*out.Stride+x])
				n++
			}
		}
	}
	if n == 0 {
		return out
	}
	fill := roundHalfEven(sum, n)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			if inGap(x, y) {
				out.Pix[y*out.Stride+x] = fill
			}
		}
	}
	return out
}

// roundHalfEven is sum/n rounded to the nearest whole number, a half to the even one.
func roundHalfEven(sum, n int) uint8 {
	quotient, rest := sum/n, sum%n
	if 2*rest > n || (2*rest == n && quotient%2 == 1) {
		quotient++
	}
	return uint8(quotient)
}
