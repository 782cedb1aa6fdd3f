package imaging

import (
	"image"
	"math"
)

// phase computes phase congruency. Its buffers are reused from image to image.
type phase struct {
	// spectrum is the image's, conjugate and divided by the number of pixels: row after row and column after column.
	spectrum  [2][]complex128
	between   []complex128 // the transforms of the two axes
	responses [scales][]complex128
	work      []complex128
	median    median
	moments   [2][]float64 // row after row, and of the turned orientations column after column
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
	p.fit(bank)
	p.transform(gray, bank)
	clear(p.moments[0])
	clear(p.moments[1])
	for o := range orientations {
		p.respond(bank, o)
		add(p.moments[asBit(turned(o))], &p.responses, p.noise())
	}
	for y := range bank.height {
		row := p.moments[0][y*bank.width:][:bank.width]
		for x, sum := range row {
			row[x] = (sum + p.moments[1][x*bank.height+y]) / (orientations / 2)
		}
	}
	return p.moments[0]
}

// fit makes the buffers fit.
func (p *phase) fit(bank *filterBank) {
	n := bank.width * bank.height
	for i := range 2 {
		p.spectrum[i], p.moments[i] = grow(p.spectrum[i], n), grow(p.moments[i], n)
	}
	p.between, p.work = grow(p.between, n), grow(p.work, bank.work)
	for s := range p.responses {
		p.responses[s] = grow(p.responses[s], n)
	}
}

// transform computes the image's spectrum, in the form that makes the inverse transforms forward ones.
func (p *phase) transform(gray *image.Gray, bank *filterBank) {
	bank.columns.transposed(p.between, bank.down, p.work, func(dst []complex128, b block) {
		for y := 0; len(dst) > 0; y++ {
			for x, v := range gray.Pix[y*gray.Stride+b.from : y*gray.Stride+b.to] {
				dst[x] = complex(float64(v), 0)
			}
			dst = dst[b.to-b.from:]
		}
	})
	bank.rows.transposed(p.spectrum[0], bank.across, p.work, columnsOf(p.between, bank.height))
	n := 1 / float64(len(p.spectrum[0]))
	for y := range bank.height {
		row := p.spectrum[0][y*bank.width:][:bank.width]
		for x, v := range row {
			v = conj(scale(n, v))
			row[x], p.spectrum[1][x*bank.height+y] = v, v
		}
	}
}

// respond computes the responses of one orientation's filters: real part even, imaginary part odd (and of the other
// sign than an inverse transform would give it, which nothing after it depends on). Those of a turned orientation are
// column after column.
func (p *phase) respond(bank *filterBank, orientation int) {
	width, height := bank.width, bank.height
	first, second, across := bank.columns, bank.rows, bank.across
	turned := asBit(turned(orientation))
	if turned == 1 {
		width, height, first, second, across = height, width, second, first, bank.down
	}
	clear(p.between) // the columns that do not pass
	angular := bank.angular[orientation]
	for s, radial := range bank.radial[turned] {
		first.transposed(p.between, bank.passing[orientation], p.work, func(dst []complex128, b block) {
			batch := b.to - b.from
			for at := b.from; len(dst) > 0; at += width {
				f, r, a := p.spectrum[turned][at:][:batch], radial[at:][:batch], angular[at:][:batch]
				for j, v := range f {
					dst[j] = scale(r[j]*a[j], v)
				}
				dst = dst[batch:]
			}
		})
		second.transposed(p.responses[s], across, p.work, columnsOf(p.between, height))
	}
}

// noise estimates what energy noise alone would give, from the median response at the finest scale.
func (p *phase) noise() float64 {
	tau := p.median.root(p.responses[0]) / math.Sqrt(math.Log(4))
	total := tau * (1 - math.Pow(1/wavelengthBy, scales)) / (1 - 1/wavelengthBy)
	mean, deviation := float64(total*math.Sqrt(math.Pi/2)), float64(total*math.Sqrt((4-math.Pi)/2))
	return max(mean+float64(noiseFactor*deviation), epsilon)
}

func power(v complex128) float64 {
	return float64(real(v)*real(v)) + float64(imag(v)*imag(v))
}

// add adds the square of one orientation's phase congruency to the moments.
//
// With the sum S of the responses r, the energy is the sum over r of r.u - |r x u| for S's direction u = S/(|S| + epsilon):
// that is (|S|^2 - sum of |r x S|)/(|S| + epsilon). Most pixels have less of it than the noise, which needs no root to see.
func add(moments []float64, responses *[scales][]complex128, noise float64) {
	n := len(moments)
	r0, r1, r2, r3 := responses[0][:n], responses[1][:n], responses[2][:n], responses[3][:n]
	for i := range moments {
		a, b, c, d := r0[i], r1[i], r2[i], r3[i]
		sum := a + b + c + d
		square := power(sum)
		energy := square - cross(a, sum) - cross(b, sum) - cross(c, sum) - cross(d, sum)
		if energy <= 0 || float64(energy*energy) < float64(noise*noise)*square {
			if a == 0 && b == 0 && c == 0 && d == 0 { // 0/0 as in the original: no edge
				moments[i] = math.NaN()
			}
			continue
		}
		norm := math.Sqrt(square) + epsilon
		if energy -= float64(noise * norm); energy <= 0 {
			continue
		}
		a0, a1, a2, a3 := math.Sqrt(power(a)), math.Sqrt(power(b)), math.Sqrt(power(c)), math.Sqrt(power(d))
		amplitudes := a0 + a1 + a2 + a3
		spread := (amplitudes/(max(a0, a1, a2, a3)+epsilon) - 1) / (scales - 1)
		congruency := energy / (norm * amplitudes * (1 + exp(gain*(cutOff-spread))))
		moments[i] += float64(congruency * congruency)
	}
}

// cross is the area between two vectors.
func cross(a, b complex128) float64 {
	return math.Abs(float64(real(a)*imag(b)) - float64(imag(a)*real(b)))
}
