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
type filterBank struct {
	shape
	rows, columns *plan // of the vectors along a row and along a column
	radial        [scales][]float64
	angular       [orientations][]float64
	// passing are the columns where an orientation's filter is not zero everywhere: the rest needs no transform.
	passing [orientations][]block
	across  []block // all columns of the transposed array, that is all rows
	work    int     // values of scratch for the transforms
}

// bytes is about what the bank holds in memory.
func (f *filterBank) bytes() int { return (scales + orientations) * 8 * f.width * f.height }

// axisFrequencies are the frequencies of an axis of n points, in cycles per px. An odd axis is divided by n-1, so that
// it reaches 0.5 on both ends as an even one does on one; that is how the original's library does it.
func axisFrequencies(n int) []float64 {
	u := make([]float64, n)
	d := n - n%2
	for i := range u {
		j := i
		if i > (n-1)/2 {
			j = i - n
		}
		u[i] = float64(j) / float64(max(d, 1))
	}
	return u
}

func newFilterBank(s shape) *filterBank {
	f := &filterBank{shape: s, rows: newPlan(s.width), columns: newPlan(s.height)}
	size := s.width * s.height
	for i := range f.radial {
		f.radial[i] = make([]float64, size)
	}
	for i := range f.angular {
		f.angular[i] = make([]float64, size)
	}
	us, vs := axisFrequencies(s.width), axisFrequencies(s.height)
	for y, v := range vs {
		for x, u := range us {
			if x != 0 || y != 0 { // the mean of the image passes no filter
				f.fill(y*s.width+x, u, v)
			}
		}
	}
	for o := range f.passing {
		f.passing[o] = blocks(s.width, s.height, func(column int) bool {
			for i := column; i < size; i += s.width {
				if f.angular[o][i] != 0 {
					return true
				}
			}
			return false
		})
	}
	f.across = blocks(s.height, s.width, every)
	f.work = max(f.rows.workSize(f.across), f.columns.workSize(blocks(s.width, s.height, every)))
	return f
}

// fill computes the filters at one frequency.
func (f *filterBank) fill(i int, u, v float64) {
	rho := math.Sqrt(float64(u*u) + float64(v*v))
	lowPass := 1 / (1 + math.Pow(rho/0.45, 30))
	log, spread := math.Log(rho*minWavelength), math.Log(sigmaOnF)
	for s := range f.radial {
		d := log + float64(float64(s)*math.Log(wavelengthBy))
		f.radial[s][i] = math.Exp(-float64(d*d)/(2*float64(spread*spread))) * lowPass
	}
	sin, cos := -v/rho, u/rho
	// Three times the angle: the filters are raised cosines of three times the angle's difference.
	sin3, cos3 := sin*(3-4*float64(sin*sin)), cos*(4*float64(cos*cos)-3)
	for o := range f.angular {
		sinA, cosA := math.Sincos(float64(o) * math.Pi / orientations)
		if float64(cos*cosA)+float64(sin*sinA) <= 0.5 { // 60 degrees and more away
			continue
		}
		turned := [4]float64{cos3, sin3, -cos3, -sin3}[o%4] // cos(3 angle - o*90 degrees)
		f.angular[o][i] = (turned + 1) / 2
	}
}

// Filters keeps the filters of recent image shapes: making them costs a quarter of an image's analysis, and a bin of
// thousands of images has some hundred shapes. It may be shared by the analysers of several goroutines.
type Filters struct {
	limit int

	mu    sync.Mutex
	banks map[shape]*cachedBank
	bytes int
	clock int64
}

type cachedBank struct {
	*filterBank
	used int64
}

// NewFilters makes a cache of at most about limit bytes. A typical image takes 0.5 MB.
func NewFilters(limit int) *Filters {
	return &Filters{limit: limit, banks: map[shape]*cachedBank{}}
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
	bank := newFilterBank(s)
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
