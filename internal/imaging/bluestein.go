package imaging

// bluestein makes a transform of any length n a convolution with a chirp, done by transforms of a fast length
// (L. Bluestein, IEEE Trans. Audio Electroacoust. 18, 1970).
type bluestein struct {
	n     int
	inner *plan
	chirp []complex128 // exp(-pi i k^2/n)
	// kernel is the transform of the conjugate chirp, divided by the inner length and conjugated: the inner inverse
	// transform is done as a forward one of conjugates.
	kernel []complex128
}

func newBluestein(n int) *bluestein {
	b := &bluestein{n: n, inner: newPlan(fastLength(2*n - 1)), chirp: make([]complex128, n)}
	m := b.inner.n
	wave := make([]complex128, m)
	for k := range n {
		b.chirp[k] = root(k*k%(2*n), 2*n)
		wave[k] = conj(b.chirp[k])
		wave[(m-k)%m] = wave[k]
	}
	spectrum := b.inner.transform(wave, make([]complex128, m), 1)
	b.kernel = make([]complex128, m)
	for i, v := range spectrum {
		b.kernel[i] = conj(scale(1/float64(m), v))
	}
	return b
}

// fastLength is the smallest length of at least n without other prime factors than 2, 3 and 5.
func fastLength(n int) int {
	for ; ; n++ {
		rest := n
		for _, r := range []int{2, 3, 5} {
			for rest%r == 0 {
				rest /= r
			}
		}
		if rest == 1 {
			return n
		}
	}
}

func conj(a complex128) complex128 { return complex(real(a), -imag(a)) }

// transform is [plan.transform].
func (b *bluestein) transform(x, work []complex128, batch int) []complex128 {
	size := b.inner.n * batch
	wave, rest := work[:size], work[size:][:size]
	for k, c := range b.chirp {
		from, to := x[k*batch:][:batch], wave[k*batch:][:batch]
		for i, v := range from {
			to[i] = mul(v, c)
		}
	}
	clear(wave[b.n*batch:])
	spectrum := b.inner.transform(wave, rest, batch)
	for k, c := range b.kernel {
		row := spectrum[k*batch:][:batch]
		for i, v := range row {
			row[i] = mul(conj(v), c)
		}
	}
	if &spectrum[0] == &rest[0] {
		wave, rest = rest, wave
	}
	folded := b.inner.transform(wave, rest, batch)
	for k, c := range b.chirp {
		from, to := folded[k*batch:][:batch], x[k*batch:][:batch]
		for i, v := range from {
			to[i] = mul(conj(v), c)
		}
	}
	return x[:b.n*batch]
}
