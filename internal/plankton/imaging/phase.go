package imaging

import (
	"image"
	"math"
)

// phase computes phase congruency. Its buffers are reused from image to image.
type phase struct {
	transformer
	// spectra are the image's, conjugate and divided by the number of pixels: of each half plane's positive frequencies.
	spectra   [2][]float64
	between   []float64 // the transforms of the two axes
	responses [scales][]float64
	median    median
	point     energyArgs
	moments   [2][]float64 // of the orientations of each half plane
	sum       []float64    // of both, row after row
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// congruency gives the sum of the maximum and the minimum moment of phase congruency of every pixel, row after row:
// strong where the image has an edge or a line of whatever contrast. The two moments' sum is a third of the sum over
// the orientations of the squared congruency: the term that tells them apart cancels. The slice is good until the next
// call.
func (p *phase) congruency(gray *image.Gray, bank *filterBank) []float64 {
	p.fitTo(bank)
	p.transform(gray, bank)
	clear(p.moments[0])
	clear(p.moments[1])
	for o := range orientations {
		half := views[o].half
		p.respond(bank, o)
		h := &bank.halves[half]
		p.add(p.moments[half], h.columns*p.groups(h.rows), p.noise(h))
	}
	down, along := p.groups(bank.height)*p.lanes, p.groups(bank.width)*p.lanes
	for y := range bank.height {
		row := p.sum[y*bank.width:][:bank.width]
		for x, sum := range p.moments[1][y*along:][:bank.width] {
			row[x] = (sum + p.moments[0][x*down+y]) / (orientations / 2)
		}
	}
	return p.sum
}

// fitTo makes the buffers fit.
func (p *phase) fitTo(bank *filterBank) {
	p.kernels = bank.kernels
	padded := p.groups(bank.width) * p.groups(bank.height) * p.lanes * p.group()
	size := 0
	for i := range bank.halves {
		h := &bank.halves[i]
		p.spectra[i] = grow(p.spectra[i], p.groups(h.rows)*p.lanes*h.groups*p.group())
		p.moments[i] = grow(p.moments[i], h.columns*p.groups(h.rows)*p.lanes)
		size = max(size, p.room(h.along, h.rows, h.blocks), p.room(h.across, p.groups(h.columns)*p.lanes, h.rowBlocks))
	}
	p.fit(size)
	p.between = grow(p.between, padded)
	for s := range p.responses {
		p.responses[s] = grow(p.responses[s], padded)
	}
	p.sum = grow(p.sum, bank.width*bank.height)
}

// transform computes the image's spectra, in the form that makes the inverse transforms forward ones.
func (p *phase) transform(gray *image.Gray, bank *filterBank) {
	unit := p.group()
	h, turned := &bank.halves[0], &bank.halves[1]
	columns, rows := p.groups(bank.width), p.groups(bank.height)
	for _, b := range turned.rowBlocks {
		p.load(gray, b)
		p.run(h.along, b.to-b.from, p.between[b.from*unit:], columns*unit)
	}
	whole := p.responses[0] // column after column
	for _, b := range h.rowBlocks {
		groups := b.to - b.from
		p.turnOver(p.blocks[0], groups*unit, p.between[b.from*p.lanes*columns*unit:], columns*unit, groups, columns)
		p.run(h.across, groups, whole[b.from*unit:], rows*unit)
	}
	n := 1 / float64(bank.width*bank.height)
	for i := 0; i < bank.width*rows*unit; i += unit {
		for j := range p.lanes {
			whole[i+j] *= n
			whole[i+p.lanes+j] *= -n
		}
	}
	p.turnOver(p.spectra[0], h.groups*unit, whole, rows*unit, h.groups, rows)
	for x := range bank.width {
		copy(p.spectra[1][x*turned.groups*unit:][:turned.groups*unit], whole[x*rows*unit:])
	}
	// The frequencies 1/2 go to the place of 0.
	if bank.width%2 == 0 {
		from := whole[bank.width/2*rows*unit:]
		for y := range bank.height {
			p.putFirst(p.spectra[0][y*h.groups*unit:], from[p.at(y):])
		}
	}
	if bank.height%2 == 0 {
		from := whole[p.at(bank.height/2):]
		for x := range bank.width {
			p.putFirst(p.spectra[1][x*turned.groups*unit:], from[x*rows*unit:])
		}
	}
}

// putFirst makes the number whose real part is the first of from the first of a group.
func (k *kernels) putFirst(to, from []float64) { to[0], to[k.lanes] = from[0], from[k.lanes] }

// load fills the first block with columns of an image.
func (p *phase) load(gray *image.Gray, b block) {
	from, to := b.from*p.lanes, min(b.to*p.lanes, gray.Rect.Dx())
	dst := p.blocks[0][:gray.Rect.Dy()*(b.to-b.from)*p.group()]
	clear(dst)
	for y := range gray.Rect.Dy() {
		for pixels := gray.Pix[y*gray.Stride+from : y*gray.Stride+to]; len(pixels) > 0; dst = dst[p.group():] {
			n := min(p.lanes, len(pixels))
			for i, v := range pixels[:n] {
				dst[i] = float64(v)
			}
			pixels = pixels[n:]
		}
	}
}

// respond computes the responses of one orientation's filters: real part even, imaginary part odd (and maybe of the other
// sign than an inverse transform would give it, which nothing after it depends on). They are columns by rows of the
// orientation's half plane.
func (p *phase) respond(bank *filterBank, orientation int) {
	unit := p.group()
	v := views[orientation]
	h := &bank.halves[v.half]
	step, rows := h.groups*unit, p.groups(h.rows)
	for s := range p.responses {
		for _, b := range h.blocks {
			p.weigh(h, v, s, b)
			p.run(h.along, b.to-b.from, p.between[b.from*unit:], step)
		}
		for _, b := range h.rowBlocks {
			groups := b.to - b.from
			p.turnOver(p.blocks[0], groups*unit, p.between[b.from*p.lanes*step:], step, groups, h.groups)
			p.clearOthers(h, v.turned, groups)
			p.run(h.across, groups, p.responses[s][b.from*unit:], rows*unit)
		}
	}
}

// weigh fills the first block with the spectrum times an orientation's filter of one scale.
func (p *phase) weigh(h *halfPlane, v view, scale int, b block) {
	groups, width := b.to-b.from, h.groups*p.lanes
	half := h.rows / 2
	// The rows with frequencies from 0 up, then those up to 0, which mirror them. The frequency 1/2 of an even length
	// goes with the positive ones where the filter is turned.
	positive := (h.rows + 1) / 2
	if v.turned {
		positive = half + 1
	}
	a := &p.factor
	*a = filterArgs{dst: p.blocks[0], spectrum: p.spectra[v.half], radial: h.radial[scale], angular: h.straight,
		spectrumAt: b.from * p.group(), radialAt: b.from * p.lanes, angularAt: b.from * p.lanes,
		spectrumStep: h.groups * p.group(), radialStep: width, angularStep: width, rows: positive, groups: groups}
	if v.slanted != 0 {
		a.angular = h.slanted
		a.angularAt += half * width
		a.angularStep *= v.slanted
	}
	p.filter(a)
	*a = filterArgs{dst: p.blocks[0][positive*groups*p.group():], spectrum: a.spectrum, radial: a.radial, angular: a.angular,
		spectrumAt: b.from*p.group() + positive*a.spectrumStep, spectrumStep: h.groups * p.group(),
		radialAt: b.from*p.lanes + (h.rows-positive)*width, radialStep: -width,
		angularAt: b.from*p.lanes + (h.rows-positive)*width, angularStep: -width, rows: h.rows - positive, groups: groups}
	if v.slanted != 0 {
		a.angularAt = b.from*p.lanes + (half+v.slanted*(positive-h.rows))*width
		a.angularStep = v.slanted * width
	}
	if a.rows > 0 {
		p.filter(a)
	}
}

// clearOthers clears the frequencies that do not pass, in the first block; 1/2, which came in the place of 0, goes to its
// own if it passes.
func (p *phase) clearOthers(h *halfPlane, turned bool, groups int) {
	x, row := p.blocks[0], groups*p.group()
	first := (h.columns + 1) / 2
	if h.columns%2 == 0 && turned {
		copy(x[first*row:][:row], x[:row])
		first++
	}
	clear(x[first*row : h.columns*row])
	clear(x[:row])
}

// noise estimates what energy noise alone would give, from the median response at the finest scale.
func (p *phase) noise(h *halfPlane) float64 {
	tau := p.median.root(p.kernels, p.responses[0], h.columns, h.rows) / math.Sqrt(math.Log(4))
	total := tau * (1 - math.Pow(1/wavelengthBy, scales)) / (1 - 1/wavelengthBy)
	mean, deviation := float64(total*math.Sqrt(math.Pi/2)), float64(total*math.Sqrt((4-math.Pi)/2))
	return max(mean+float64(noiseFactor*deviation), epsilon)
}

// add adds the square of one orientation's phase congruency to the moments of so many groups.
func (p *phase) add(moments []float64, groups int, noise float64) {
	r := &p.responses
	_ = moments[groups*p.lanes-1]
	for i := range r {
		_ = r[i][groups*p.group()-1]
	}
	p.point = energyArgs{moments: moments, r0: r[0], r1: r[1], r2: r[2], r3: r[3], exp: expTable[:], noise: noise,
		noiseSquare: noise * noise, groups: groups}
	p.energy(&p.point)
}
