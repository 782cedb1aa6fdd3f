package imaging

import "image"

// The parameters of a v4 mask.
const (
	strongEdge = 0.3  // an edge begins where the moment is above this
	weakEdge   = 0.09 // and goes on where it is above this
	minAreaV4  = 41   // px
)

// stagesV4 are the stages that only v4 has, with their buffers.
type stagesV4 struct {
	strong, padded, grown Mask
	dark                  darkMask
	blob                  blobMeter
}

// findBlobsV4 makes the mask of all blobs of an image.
func (a *Analyser) findBlobsV4(gray *image.Gray, size shape) {
	m, work, v := &a.mask, &a.work, &a.v4
	moments := a.congruency(gray, size)
	m.reset(size)
	setAbove(m, moments, weakEdge)
	v.strong.reset(size)
	setAbove(&v.strong, moments, strongEdge)
	a.components.keepMarked(m, &v.strong)
	cleanColumns(m)
	cleanRows(m)

	// In the closing nothing ends at the image's border: what grows over it is there when the mask shrinks again.
	const reach = 2
	m.pad(&v.padded, reach)
	closeGaps(&v.padded, &v.grown, diamond)
	v.padded.unpad(m, reach)

	thin(m, work, 3)
	v.dark.addTo(m, gray)
	a.components.fillHoles(m)

	// The blobs shrink by the pixels of their outline, unless nothing of size is left then.
	outlineOf(work, m)
	m.copyTo(&v.grown)
	v.grown.subtract(work)
	if a.components.dropSmall(&v.grown, minAreaV4) > 0 {
		a.mask, v.grown = v.grown, a.mask
		return
	}
	a.components.dropSmall(m, minAreaV4)
}
