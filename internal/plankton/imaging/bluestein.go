package imaging

// bluestein makes a transform of any length n a convolution with a chirp, done by transforms of a fast length
// (L. Bluestein, IEEE Trans. Audio Electroacoust. 18, 1970).
type bluestein struct {
	inner *plan
	chirp []complex128 // exp(-pi i k^2/n)
	// kernel is the transform of the conjugate chirp, divided by the inner length and conjugated: the inner inverse
	// transform is done as a forward one of conjugates.
	kernel []complex128
}

func newBluestein(n int) *bluestein {
	b := &bluestein{inner: newPlan(fastLength(2*n - 1)), chirp: make([]complex128, n)}
	m := b.inner.n
	t := transformer{kernels: &portable}
	t.fit(2 * m)
	wave := t.blocks[0]
	for k := range n {
		b.chirp[k] = root(k*k%(2*n), 2*n)
		put(wave, 2*k, conj(b.chirp[k]))
		put(wave, 2*((m-k)%m), conj(b.chirp[k]))
	}
	spectrum := make([]float64, 2*m)
	t.run(b.inner, 1, spectrum, 2)
	b.kernel = make([]complex128, m)
	for i := range b.kernel {
		b.kernel[i] = conj(scale(1/float64(m), get(spectrum, 2*i)))
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

// bluestein is [transformer.run].
func (t *transformer) bluestein(b *bluestein, groups int, dst []float64, step int) {
	row := groups * t.group()
	n := len(b.chirp)
	t.multiply(t.chirp, t.blocks[0], t.blocks[1], b.chirp, groups, row)
	clear(t.blocks[1][n*row : b.inner.n*row])
	from := t.stages(b.inner, 1, groups, nil, row)
	t.multiply(t.conjugateChirp, t.blocks[from], t.blocks[from], b.kernel, groups, row)
	from = t.stages(b.inner, from, groups, nil, row)
	t.multiply(t.conjugateChirp, t.blocks[from], dst, b.chirp, groups, step)
}

// multiply multiplies rows with a number each.
func (t *transformer) multiply(by func(*stageArgs), x, y []float64, numbers []complex128, groups, yStep int) {
	n, row := len(numbers), groups*t.group()
	_, _ = x[n*row-1], y[(n-1)*yStep+row-1]
	t.stage = stageArgs{x: x, y: y, twiddle: numbers, outer: n, inner: groups, yStep: yStep}
	by(&t.stage)
}
