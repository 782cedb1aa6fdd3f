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
	rows, columns *plan   // of the vectors along a row and along a column
	down, across  []block // all columns, and all rows: the columns of a transposed array
	// radial are the filters' factors by frequency, row after row and column after column.
	radial [2][scales][]float64
	// angular are the factors by direction, column after column for those orientations that are turned.
	angular [orientations][]float64
	// passing are the columns (of a turned one the rows) where an orientation's filter is not zero everywhere: the rest
	// needs no transform.
	passing [orientations][]block
	work    int // values of scratch for the transforms
}

// turned tells whether an orientation's filter is zero in half of the rows, rather than in half of the columns. Its
// responses are computed row by row first, and come out column after column.
func turned(orientation int) bool { return orientation >= 2 && orientation <= 4 }

// bytes is about what the bank holds in memory.
func (f *filterBank) bytes() int { return (2*scales + orientations) * 8 * f.width * f.height }

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
	f := &filterBank{shape: s, rows: newPlan(s.width), columns: newPlan(s.height),
		down: blocks(s.width, s.height, every), across: blocks(s.height, s.width, every)}
	size := s.width * s.height
	for i := range scales {
		f.radial[0][i], f.radial[1][i] = make([]float64, size), make([]float64, size)
	}
	for i := range f.angular {
		f.angular[i] = make([]float64, size)
	}
	us, vs := axisFrequencies(s.width), axisFrequencies(s.height)
	for y, v := range vs {
		for x, u := range us {
			if x != 0 || y != 0 { // the mean of the image passes no filter
				f.fill(y*s.width+x, x*s.height+y, u, v)
			}
		}
	}
	for o := range f.passing {
		width, height := s.width, s.height
		if turned(o) {
			width, height = height, width
		}
		f.passing[o] = blocks(width, height, func(column int) bool {
			for i := column; i < size; i += width {
				if f.angular[o][i] != 0 {
					return true
				}
			}
			return false
		})
	}
	f.work = max(f.rows.workSize(f.across), f.columns.workSize(f.down))
	return f
}

// Logarithms of the parameters, and twice the square of the filters' width in them.
var (
	logWavelengthBy = math.Log(wavelengthBy)
	twoVariances    = 2 * float64(math.Log(sigmaOnF)*math.Log(sigmaOnF))
)

// directions are the orientations' sines and cosines.
var directions = func() (d [orientations]struct{ sin, cos float64 }) {
	for o := range d {
		d[o].sin, d[o].cos = math.Sincos(float64(o) * math.Pi / orientations)
	}
	return d
}()

// fill computes the filters at one frequency, which is at these places row after row and column after column.
func (f *filterBank) fill(row, column int, u, v float64) {
	rho := math.Sqrt(float64(u*u) + float64(v*v))
	lowPass := 1 / (1 + math.Pow(rho/0.45, 30))
	log := math.Log(rho * minWavelength)
	for s := range scales {
		d := log + float64(float64(s)*logWavelengthBy)
		g := math.Exp(-float64(d*d)/twoVariances) * lowPass
		f.radial[0][s][row], f.radial[1][s][column] = g, g
	}
	sin, cos := -v/rho, u/rho
	// Three times the angle: the filters are raised cosines of three times the angle's difference.
	sin3, cos3 := sin*(3-4*float64(sin*sin)), cos*(4*float64(cos*cos)-3)
	for o, d := range &directions {
		if float64(cos*d.cos)+float64(sin*d.sin) <= 0.5 { // 60 degrees and more away
			continue
		}
		i := row
		if turned(o) {
			i = column
		}
		f.angular[o][i] = ([4]float64{cos3, sin3, -cos3, -sin3}[o%4] + 1) / 2 // cos(3 angle - o*90 degrees)
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

// NewFilters makes a cache of at most about limit bytes. A shape takes 112 bytes per px and a little: an image of a
// common size, 96 x 72 px, 0.8 MB.
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
