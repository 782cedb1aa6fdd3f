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
//
// With the sum S of the responses r, the energy is the sum over r of r.u - |r x u| for S's direction u = S/(|S| + epsilon):
// that is (|S|^2 - sum of |r x S|)/(|S| + epsilon). Most pixels have less of it than the noise, which needs no root to see.
func (p *phase) add(noise float64) {
	n := len(p.moments)
	r0, r1, r2, r3 := p.responses[0][:n], p.responses[1][:n], p.responses[2][:n], p.responses[3][:n]
	for i := range p.moments {
		a, b, c, d := r0[i], r1[i], r2[i], r3[i]
		sum := a + b + c + d
		square := power(sum)
		energy := square - cross(a, sum) - cross(b, sum) - cross(c, sum) - cross(d, sum)
		if energy <= 0 || float64(energy*energy) < float64(noise*noise)*square {
			if a == 0 && b == 0 && c == 0 && d == 0 { // 0/0 as in the original: no edge
				p.moments[i] = math.NaN()
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
		p.moments[i] += float64(congruency * congruency)
	}
}

// cross is the area between two vectors.
func cross(a, b complex128) float64 {
	return math.Abs(float64(real(a)*imag(b)) - float64(imag(a)*real(b)))
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
