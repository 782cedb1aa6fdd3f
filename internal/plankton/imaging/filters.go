package imaging

import (
	"math"
	"sync"
)

// Parameters of phase congruency, as in the original; see P. Kovesi's phasecong3.
const (
	scales        = 4
	orientations  = 6
	minWavelength = 2.0 // px
	wavelengthBy  = 2.5 // from one scale to the next
	sigmaOnF      = 0.55
	cutOff        = 0.3
	gain          = 5.0
	noiseFactor   = 2.0
	epsilon       = 1e-4
)

// filterBank is what phase congruency needs for images of one shape: log-Gabor filters and transforms. It is read only
// once it is made.
//
// A filter is zero in half of the frequencies. Turned by 180 degrees it gives the conjugate response, which is as good:
// so the half is always that of positive frequencies of one axis, and the filters of all orientations of an axis
// share their factors.
type filterBank struct {
	shape
	*kernels
	halves [2]halfPlane // of the orientations that are not turned, and of those that are
}

// halfPlane has the factors of the orientations whose filters are zero in half of the columns. (For turned ones rows and
// columns are exchanged.)
//
// A row holds the positive frequencies; in the place of frequency 0, which passes no filter, is the frequency 1/2 of an
// even length, which is as much positive as negative.
type halfPlane struct {
	rows, columns int   // of the whole plane
	along, across *plan // of the vectors along a column, transformed first, and along a row
	groups        int   // of a row
	blocks        []block
	// rowBlocks are the groups of rows, which are columns in the second transform.
	rowBlocks []block
	// radial are the factors by frequency, for the rows from 0 to rows/2: the others mirror them.
	radial [scales][]float64
	// straight are the factors by direction of the orientation in the middle, for the same rows; slanted those of an
	// outer one, for the rows from -rows/2 to rows/2: the other one mirrors them.
	straight, slanted []float64
}

// view is how an orientation's filter is laid out.
type view struct {
	half    int  // which half plane: 1 if it is turned
	slanted int  // how the rows of slanted go: 1 as they are, -1 mirrored; 0 is straight
	turned  bool // by 180 degrees
}

// views are the orientations', 30 degrees apart. The slanted factors are those at 330 degrees, or turned at 300.
var views = [orientations]view{
	{half: 0, slanted: 0, turned: false},
	{half: 0, slanted: -1, turned: false},
	{half: 1, slanted: -1, turned: true},
	{half: 1, slanted: 0, turned: true},
	{half: 1, slanted: 1, turned: true},
	{half: 0, slanted: 1, turned: true},
}

// bytes is about what the bank holds in memory.
func (f *filterBank) bytes() int {
	n := 0
	for i := range f.halves {
		h := &f.halves[i]
		n += scales*len(h.radial[0]) + len(h.straight) + len(h.slanted)
	}
	return 8 * n
}

// frequency is the k-th of an axis of n points, in cycles per px. An odd axis is divided by n-1, so that it reaches 0.5 on
// both ends as an even one does on one; that is how the original's library does it.
func frequency(k, n int) float64 { return float64(k) / float64(max(n-n%2, 1)) }

func newFilterBank(s shape, k *kernels) *filterBank {
	f := &filterBank{shape: s, kernels: k}
	rows, columns := newPlan(s.width), newPlan(s.height)
	f.halves[0] = newHalfPlane(k, columns, rows)
	f.halves[1] = newHalfPlane(k, rows, columns)
	f.halves[0].fillRadial(k.lanes, nil)
	f.halves[1].fillRadial(k.lanes, &f.halves[0])
	f.halves[0].fillAngular(k.lanes, func(along, across float64) (u, v float64) { return -across, -along }, 0, 5)
	f.halves[1].fillAngular(k.lanes, func(along, across float64) (u, v float64) { return -along, -across }, 3, 4)
	return f
}

func newHalfPlane(k *kernels, along, across *plan) halfPlane {
	h := halfPlane{rows: along.n, columns: across.n, along: along, across: across, groups: k.groups((across.n-1)/2 + 1)}
	h.blocks = k.split(h.groups, along.length())
	h.rowBlocks = k.split(k.groups(along.n), across.length())
	width := h.groups * k.lanes
	for i := range h.radial {
		h.radial[i] = make([]float64, (h.rows/2+1)*width)
	}
	h.straight, h.slanted = make([]float64, (h.rows/2+1)*width), make([]float64, (h.rows/2*2+1)*width)
	return h
}

// places are the places in a row that have a frequency: the first has one only of an even length.
func (h *halfPlane) places() (from, to int) { return h.columns % 2, (h.columns-1)/2 + 1 }

// at is the number of the frequency at a place in a row.
func (h *halfPlane) at(place int) int {
	if place == 0 {
		return h.columns / 2
	}
	return place
}

// fillRadial computes the radial factors, or copies those that the other half plane has.
func (h *halfPlane) fillRadial(lanes int, other *halfPlane) {
	from, to := h.places()
	for row := range h.rows/2 + 1 {
		u := frequency(row, h.rows)
		for i := from; i < to; i++ {
			at := row*h.groups*lanes + i
			if other != nil && row > 0 {
				theirs := h.at(i)*other.groups*lanes + row
				if 2*row == other.columns {
					theirs -= row // in the place of 0
				}
				for s := range h.radial {
					h.radial[s][at] = other.radial[s][theirs]
				}
				continue
			}
			v := frequency(h.at(i), h.columns)
			for s, g := range radial(float64(u*u) + float64(v*v)) {
				h.radial[s][at] = g
			}
		}
	}
}

// fillAngular computes the angular factors. opposite gives the frequencies of the image's axes, those of turned filters;
// the other two are the orientations of the factors.
func (h *halfPlane) fillAngular(lanes int, opposite func(along, across float64) (u, v float64), straight, slanted int) {
	width := h.groups * lanes
	from, to := h.places()
	for row := -(h.rows / 2); row <= h.rows/2; row++ {
		along := frequency(row, h.rows)
		for i := from; i < to; i++ {
			u, v := opposite(along, frequency(h.at(i), h.columns))
			rho := 1 / math.Sqrt(float64(u*u)+float64(v*v))
			cos, sin := float64(u*rho), float64(-v*rho)
			h.slanted[(row+h.rows/2)*width+i] = angular(slanted, cos, sin)
			if row < 0 {
				continue
			}
			if !views[straight].turned {
				cos, sin = -cos, -sin
			}
			h.straight[row*width+i] = angular(straight, cos, sin)
		}
	}
}

// Logarithms of the parameters, and twice the square of the filters' width in them.
var (
	logWavelengthBy = math.Log(wavelengthBy)
	twoVariances    = 2 * float64(math.Log(sigmaOnF)*math.Log(sigmaOnF))
)

// spacing has, for each scale, the factor that does not depend on the frequency when the square of a sum is multiplied out.
var spacing = func() (factors [scales]float64) {
	for s := range factors {
		d := float64(s) * logWavelengthBy
		factors[s] = math.Exp(-d * d / twoVariances)
	}
	return factors
}()

// radial gives a frequency's factors of the scales, from the square of its distance from 0: log-Gabor functions, which are
// exp(-(d + s*log wavelengthBy)^2/twoVariances), times a low pass, 1/(1 + (rho/0.45)^30).
func radial(square float64) (g [scales]float64) {
	y := square / (0.45 * 0.45)
	y2 := float64(y * y)
	y4 := float64(y2 * y2)
	power := float64(float64(float64(y4*y4)*y4) * float64(y2*y))
	d := math.Log(square*(minWavelength*minWavelength)) / 2
	factor := math.Exp(-float64(d*d)/twoVariances) / (1 + power)
	step := math.Exp(-2 * float64(d*logWavelengthBy) / twoVariances)
	for s := range g {
		g[s] = factor * spacing[s]
		factor *= step
	}
	return g
}

// directions are the orientations' sines and cosines.
var directions = func() (d [orientations]struct{ sin, cos float64 }) {
	for o := range d {
		d[o].sin, d[o].cos = math.Sincos(float64(o) * math.Pi / orientations)
	}
	return d
}()

// angular is an orientation's factor by direction: a raised cosine of three times the angle between them.
func angular(orientation int, cos, sin float64) float64 {
	d := directions[orientation]
	if float64(cos*d.cos)+float64(sin*d.sin) <= 0.5 { // 60 degrees and more away
		return 0
	}
	// cos(3 angle - orientation*90 degrees)
	switch orientation % 4 {
	case 0:
		return (cos*(4*float64(cos*cos)-3) + 1) / 2
	case 1:
		return (sin*(3-4*float64(sin*sin)) + 1) / 2
	case 2:
		return (-cos*(4*float64(cos*cos)-3) + 1) / 2
	}
	return (-sin*(3-4*float64(sin*sin)) + 1) / 2
}

// Filters keeps the filters of recent image shapes: making them takes a third of the time of an image's analysis, and a bin of
// thousands of images has some hundred shapes. It may be shared by the analysers of several goroutines.
type Filters struct {
	limit   int
	kernels *kernels
	err     error // that there are no such kernels

	mu    sync.Mutex
	banks map[shape]*cachedBank
	bytes int
	clock int64
}

type cachedBank struct {
	*filterBank
	used int64
}

// NewFilters makes a cache of at most about limit bytes. A shape takes 30 bytes per px and a little: an image of a
// common size, 96 x 72 px, 0.2 MB. The environment variable HYDRAULICS_IMAGING_KERNELS may name the kernels to use
// (portable, avx2, avx512); if the processor does not have them, each analysis ends with an error that says so.
func NewFilters(limit int) *Filters {
	f := &Filters{limit: limit, banks: map[shape]*cachedBank{}}
	f.kernels, f.err = chosenKernels()
	return f
}

// get gives the filters of a shape, from the cache or made now. Those that do not fit the cache are not kept.
func (c *Filters) get(s shape) *filterBank {
	c.mu.Lock()
	c.clock++
	cached, ok := c.banks[s]
	if ok {
		cached.used = c.clock
	}
	c.mu.Unlock()
	if ok {
		return cached.filterBank
	}
	k := c.kernels
	if min(s.width, s.height) < k.lanes { // the padding would take several times as much memory as the image
		k = &portable
	}
	bank := newFilterBank(s, k)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.banks[s]; ok || bank.bytes() > c.limit {
		return bank
	}
	c.banks[s] = &cachedBank{bank, c.clock}
	c.bytes += bank.bytes()
	for c.bytes > c.limit {
		c.dropOldest()
	}
	return bank
}

func (c *Filters) dropOldest() {
	var oldest *cachedBank
	for _, b := range c.banks {
		if oldest == nil || b.used < oldest.used {
			oldest = b
		}
	}
	delete(c.banks, oldest.shape)
	c.bytes -= oldest.bytes()
}
