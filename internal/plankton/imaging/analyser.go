package imaging

import (
	"fmt"
	"image"
	"math"
)

// MaxPixels is the largest image that is analysed, more than a camera's whole frame of 1380 x 1034. It bounds the
// memory of an analyser, about 200 bytes a pixel, and up to twice that of images 9 px wide or high.
const MaxPixels = 2 << 20

// keptPixels is the largest image whose buffers are kept for the next one: larger ones are rare.
const keptPixels = MaxPixels / 4

// DefaultPixelsPerMicron is the resolution of an IFCB's camera.
const DefaultPixelsPerMicron = 3.4

// The algorithms.
const (
	// Seed is the original's: [Analyser.Analyse].
	Seed = "seed"
	// V4 is the present one of the Woods Hole Oceanographic Institution: [Analyser.AnalyseV4].
	V4 = "v4"
)

// Versions are the versions of the algorithms, by name: a change of one is a change of its numbers. That of v4 is the
// version of ifcb-features whose numbers it gives.
var Versions = map[string]string{Seed: "1.0", V4: "1.3"}

// minArea is the least number of pixels of a part that is kept.
const minArea = 150

// Options are an analyser's parameters; the zero value is the defaults.
type Options struct {
	// PixelsPerMicron is the camera's resolution, 0 for [DefaultPixelsPerMicron].
	PixelsPerMicron float64
	// Filters are shared between analysers; nil makes a cache of 64 MB.
	Filters *Filters
}

// Analyser analyses one image after the other, in buffers that it keeps. It is for one goroutine at a time.
type Analyser struct {
	um3PerPx3 float64
	filters   *Filters

	phase      phase
	mask, work Mask
	components components
	region     region
	hull       hull
	distances  distanceMap
	v4         stagesV4
}

// NewAnalyser makes an analyser.
func NewAnalyser(o Options) *Analyser {
	if o.PixelsPerMicron == 0 {
		o.PixelsPerMicron = DefaultPixelsPerMicron
	}
	if o.Filters == nil {
		o.Filters = NewFilters(64 << 20)
	}
	edge := 1 / o.PixelsPerMicron
	return &Analyser{um3PerPx3: edge * edge * edge, filters: o.Filters}
}

// Analyse finds and measures the particle of an image by the original's algorithm. That there is none, or that its outline has no hull, is said by
// the result's status; an error is an image without pixels or of more than [MaxPixels].
func (a *Analyser) Analyse(gray *image.Gray) (Result, error) {
	g, size, err := a.atOrigin(gray)
	if err != nil {
		return Result{}, err
	}
	r := Result{Width: size.width, Height: size.height, pixels: g}
	a.outline(g, size, &r)
	a.clean(&r)
	r.Blob = a.mask.clone()
	if r.BlobArea == 0 {
		r.Status = NoBlob
		return r, nil
	}
	a.measure(size, &r)
	return r, nil
}

// atOrigin gives the same pixels with the corner at (0, 0). An error is that they, or the kernels, are not right.
func (a *Analyser) atOrigin(gray *image.Gray) (*image.Gray, shape, error) {
	size := shape{gray.Rect.Dx(), gray.Rect.Dy()}
	if a.filters.err != nil {
		return nil, size, a.filters.err
	}
	if err := checkSize(size.width, size.height); err != nil {
		return nil, size, err
	}
	return &image.Gray{Pix: gray.Pix[gray.PixOffset(gray.Rect.Min.X, gray.Rect.Min.Y):], Stride: gray.Stride,
		Rect: image.Rect(0, 0, size.width, size.height)}, size, nil
}

func checkSize(width, height int) error {
	switch {
	case width <= 0 || height <= 0:
		return fmt.Errorf("image has no pixels (%d x %d)", width, height)
	case width > MaxPixels/height:
		return fmt.Errorf("image of %d x %d pixels is larger than the %d pixels that are analysed", width, height, MaxPixels)
	}
	return nil
}

// congruency gives the moments of an image's phase congruency.
func (a *Analyser) congruency(gray *image.Gray, size shape) []float64 {
	moments := a.phase.congruency(gray, a.filters.get(size))
	if len(moments) > keptPixels {
		a.phase = phase{}
	}
	return moments
}

// Responses computes only the 24 inverse transforms of an image that phase congruency needs, and keeps nothing: what
// the whole is measured against. Errors are those of [Analyser.Analyse].
func (a *Analyser) Responses(gray *image.Gray) error {
	g, size, err := a.atOrigin(gray)
	if err != nil {
		return err
	}
	bank := a.filters.get(size)
	a.phase.fitTo(bank)
	a.phase.transform(g, bank)
	for o := range orientations {
		a.phase.respond(bank, o)
	}
	return nil
}

// outline makes the mask of edges and dark pixels.
func (a *Analyser) outline(gray *image.Gray, size shape, r *Result) {
	moments := a.congruency(gray, size)
	for _, v := range moments {
		r.MomentSum += v
		r.MomentMax = max(r.MomentMax, v)
		if math.Abs(v-edgeThreshold) < 1e-7 {
			r.MomentsNearThreshold++
		}
	}
	m := &a.mask
	m.reset(size)
	setAbove(m, moments, edgeThreshold)
	r.EdgesRaw = m.Count()
	cleanRows(m)
	cleanColumns(m)
	r.Edges = m.Count()

	c := twoMeans(gray)
	r.KmeansC0, r.KmeansC1, r.DarkThreshold = c.low, c.high, c.threshold()
	r.Dark = addDark(m, gray, r.DarkThreshold)
	r.EdgesOrDark = m.Count()
}

// clean makes the outline a filled shape without specks.
func (a *Analyser) clean(r *Result) {
	m, work := &a.mask, &a.work
	closeGaps(m, work, square)
	r.Closed = m.Count()
	dilate(work, m, diamond)
	a.mask, a.work = a.work, a.mask
	r.Dilated = m.Count()
	thin(m, work, 3)
	r.Thinned = m.Count()
	a.components.fillHoles(m)
	r.Filled = m.Count()
	r.Components = a.components.dropSmall(m, minArea)
	r.BlobArea = m.Count()
}

// measure measures the shape.
func (a *Analyser) measure(size shape, r *Result) {
	g := &a.region
	g.measure(&a.mask)
	r.BlobTouchesBorder = g.touchesBorder
	r.EquivalentDiameter, r.Eccentricity = g.diameter, g.eccentricity
	r.MajorAxisLength, r.MinorAxisLength = g.majorAxis, g.minorAxis
	r.Perimeter = g.perimeterPixels
	if !a.hull.enclose(&g.perimeter) {
		r.Status = HullError
		return
	}
	r.HullVertices = len(a.hull.vertices)
	r.ConvexArea = a.hull.area(size)
	r.AreaRatio = float64(r.ConvexArea) / float64(g.area)
	r.P = g.diameter / g.majorAxis
	r.Method = chooseMethod(r.AreaRatio, r.Eccentricity, r.P)
	r.SORVolume = g.sorVolume(&a.mask)
	r.DistmapVolume, r.Transect = a.distances.volume(&a.mask, g)
	r.BiovolumePx = r.DistmapVolume
	if r.Method == SOR {
		r.BiovolumePx = r.SORVolume
	}
	r.BiovolumeUm3 = r.BiovolumePx * a.um3PerPx3
	r.Status = OK
}
