package imaging

import (
	"image"
	"math"
)

// phase computes phase congruency. Its buffers are reused from image to image.
type phase struct {
	spectrum  []complex128 // of the image, conjugate and divided by the number of pixels
	turned    []complex128 // between the transforms of the two axes
	responses [scales][]complex128
	work      []complex128
	powers    []float64 // of the finest scale, for the median
	moments   []float64
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
	n := bank.width * bank.height
	p.spectrum, p.turned, p.work = grow(p.spectrum, n), grow(p.turned, n), grow(p.work, bank.work)
	p.powers, p.moments = grow(p.powers, n), grow(p.moments, n)
	for s := range p.responses {
		p.responses[s] = grow(p.responses[s], n)
	}
	p.transform(gray, bank)
	clear(p.moments)
	for o := range orientations {
		p.respond(bank, o)
		p.add(p.noise())
	}
	for i, sum := range p.moments {
		p.moments[i] = sum / (orientations / 2)
	}
	return p.moments
}

// transform computes the image's spectrum, in the form that makes the inverse transforms forward ones.
func (p *phase) transform(gray *image.Gray, bank *filterBank) {
	all := blocks(bank.width, bank.height, every)
	bank.columns.transposed(p.turned, all, p.work, func(dst []complex128, b block) {
		for y := 0; len(dst) > 0; y++ {
			for x, v := range gray.Pix[y*gray.Stride+b.from : y*gray.Stride+b.to] {
				dst[x] = complex(float64(v), 0)
			}
			dst = dst[b.to-b.from:]
		}
	})
	bank.rows.transposed(p.spectrum, bank.across, p.work, columnsOf(p.turned, bank.height))
	n := 1 / float64(len(p.spectrum))
	for i, v := range p.spectrum {
		p.spectrum[i] = conj(scale(n, v))
	}
}

// respond computes the responses of one orientation's filters: real part even, imaginary part odd (and of the other
// sign than an inverse transform would give it, which nothing after it depends on).
func (p *phase) respond(bank *filterBank, orientation int) {
	clear(p.turned) // the columns that do not pass
	angular := bank.angular[orientation]
	for s, radial := range bank.radial {
		bank.columns.transposed(p.turned, bank.passing[orientation], p.work, func(dst []complex128, b block) {
			batch := b.to - b.from
			for at := b.from; len(dst) > 0; at += bank.width {
				f, r, a := p.spectrum[at:][:batch], radial[at:][:batch], angular[at:][:batch]
				for j, v := range f {
					dst[j] = scale(r[j]*a[j], v)
				}
				dst = dst[batch:]
			}
		})
		bank.rows.transposed(p.responses[s], bank.across, p.work, columnsOf(p.turned, bank.height))
	}
}

// noise estimates what energy noise alone would give, from the median response at the finest scale.
func (p *phase) noise() float64 {
	for i, v := range p.responses[0] {
		p.powers[i] = power(v)
	}
	tau := medianRoot(p.powers) / math.Sqrt(math.Log(4))
	total := tau * (1 - math.Pow(1/wavelengthBy, scales)) / (1 - 1/wavelengthBy)
	mean, deviation := float64(total*math.Sqrt(math.Pi/2)), float64(total*math.Sqrt((4-math.Pi)/2))
	return max(mean+float64(noiseFactor*deviation), epsilon)
}

func power(v complex128) float64 {
	return float64(real(v)*real(v)) + float64(imag(v)*imag(v))
}

// add adds the square of one orientation's phase congruency to the moments.
func (p *phase) add(noise float64) {
	r0, r1, r2, r3 := p.responses[0], p.responses[1], p.responses[2], p.responses[3]
	for i := range p.moments {
		r := [scales]complex128{r0[i], r1[i], r2[i], r3[i]}
		sum := r[0] + r[1] + r[2] + r[3]
		norm := math.Sqrt(power(sum)) + epsilon
		e, q := real(sum)/norm, imag(sum)/norm
		var energy float64
		for _, v := range r {
			energy += float64(real(v)*e) + float64(imag(v)*q) - math.Abs(float64(real(v)*q)-float64(imag(v)*e))
		}
		energy -= noise
		if energy <= 0 {
			if r == ([scales]complex128{}) { // 0/0 as in the original: no edge
				p.moments[i] = math.NaN()
			}
			continue
		}
		var amplitudes, largest float64
		for _, v := range r {
			a := math.Sqrt(power(v))
			amplitudes += a
			largest = max(largest, a)
		}
		spread := (amplitudes/(largest+epsilon) - 1) / (scales - 1)
		weight := 1 / (1 + math.Exp(gain*(cutOff-spread)))
		congruency := weight * energy / amplitudes
		p.moments[i] += float64(congruency * congruency)
	}
}

// medianRoot is the median of the square roots of v, which it reorders.
func medianRoot(v []float64) float64 {
	middle := len(v) / 2
	selectNth(v, middle)
	upper := math.Sqrt(v[middle])
	if len(v)%2 == 1 {
		return upper
	}
	lower := v[0]
	for _, x := range v[:middle] {
		lower = max(lower, x)
	}
	return (math.Sqrt(lower) + upper) / 2
}

// selectNth reorders v so that v[n] is what it would be if v were sorted, with nothing larger before it (C. A. R.
// Hoare's FIND).
func selectNth(v []float64, n int) {
	low, high := 0, len(v)-1
	for low < high {
		a, b, c := v[low], v[(low+high)/2], v[high]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return
		}
	}
}
