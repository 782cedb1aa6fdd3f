package imaging

// portable are the kernels in Go: one lane, so that a group is a complex128.
var portable = kernels{
	name: "portable", lanes: 1,
	stages: butterflies{0: primeStage, 2: stage2, 3: stage3, 4: stage4, 5: stage5, 8: stage8},
	lasts:  butterflies{0: primeStage, 2: stage2, 3: stage3, 4: stage4, 5: stage5, 8: stage8},
	chirp:  portableChirp, conjugateChirp: portableConjugateChirp, filter: portableFilter, transpose: portableTranspose, energy: portableEnergy,
	powers: portablePowers, between: portableBetween, strip: portableStrip,
}

// get is the complex number at i.
func get(x []float64, i int) complex128 { return complex(x[i], x[i+1]) }

func put(y []float64, i int, v complex128) { y[i], y[i+1] = real(v), imag(v) }

// mul is a*b with every product rounded.
func mul(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))-float64(imag(a)*imag(b)), float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}

// rotate is -i*a.
func rotate(a complex128) complex128 { return complex(imag(a), -real(a)) }

// scale is f*a, rounded.
func scale(f float64, a complex128) complex128 {
	return complex(float64(f*real(a)), float64(f*imag(a)))
}

func conj(a complex128) complex128 { return complex(real(a), -imag(a)) }

// rows gives the inputs and the outputs of one p.
func (a *stageArgs) input(p, j int) []float64 {
	return a.x[2*p*a.inner+j*a.xNext:][:2*a.inner]
}

func (a *stageArgs) output(p, k int) []float64 {
	return a.y[p*a.yStep+k*a.yNext:][:2*a.inner]
}

// factors gives the twiddle factors of one p, none in a last stage.
func (a *stageArgs) factors(p, r int) []complex128 {
	if a.twiddle == nil {
		return nil
	}
	return a.twiddle[p*(r-1):][:r-1]
}

// putTimes puts v, times the k-th of the factors if there are any.
func putTimes(y []float64, i int, v complex128, factors []complex128, k int) {
	if k <= len(factors) {
		v = mul(v, factors[k-1])
	}
	put(y, i, v)
}

func stage2(a *stageArgs) {
	for p := range a.outer {
		w := a.factors(p, 2)
		x0, x1 := a.input(p, 0), a.input(p, 1)
		y0, y1 := a.output(p, 0), a.output(p, 1)
		for q := 0; q < len(x0); q += 2 {
			u, v := get(x0, q), get(x1, q)
			put(y0, q, u+v)
			putTimes(y1, q, u-v, w, 1)
		}
	}
}

func stage3(a *stageArgs) {
	half, sin := real(a.roots[0]), imag(a.roots[0])
	for p := range a.outer {
		w := a.factors(p, 3)
		x0, x1, x2 := a.input(p, 0), a.input(p, 1), a.input(p, 2)
		y0, y1, y2 := a.output(p, 0), a.output(p, 1), a.output(p, 2)
		for q := 0; q < len(x0); q += 2 {
			u, v, t := get(x0, q), get(x1, q), get(x2, q)
			sum, diff := v+t, scale(sin, v-t)
			c := u + scale(half, sum)
			d := complex(-imag(diff), real(diff))
			put(y0, q, u+sum)
			putTimes(y1, q, c+d, w, 1)
			putTimes(y2, q, c-d, w, 2)
		}
	}
}

// four is the transform of four numbers.
func four(a, b, c, d complex128) (y0, y1, y2, y3 complex128) {
	e, f := a+c, a-c
	g, h := b+d, rotate(b-d)
	return e + g, f + h, e - g, f - h
}

func stage4(a *stageArgs) {
	for p := range a.outer {
		w := a.factors(p, 4)
		x0, x1, x2, x3 := a.input(p, 0), a.input(p, 1), a.input(p, 2), a.input(p, 3)
		y0, y1, y2, y3 := a.output(p, 0), a.output(p, 1), a.output(p, 2), a.output(p, 3)
		for q := 0; q < len(x0); q += 2 {
			c0, c1, c2, c3 := four(get(x0, q), get(x1, q), get(x2, q), get(x3, q))
			put(y0, q, c0)
			putTimes(y1, q, c1, w, 1)
			putTimes(y2, q, c2, w, 2)
			putTimes(y3, q, c3, w, 3)
		}
	}
}

func stage5(a *stageArgs) {
	c1, s1 := real(a.roots[0]), imag(a.roots[0])
	c2, s2 := real(a.roots[1]), imag(a.roots[1])
	for p := range a.outer {
		w := a.factors(p, 5)
		x0, x1, x2, x3, x4 := a.input(p, 0), a.input(p, 1), a.input(p, 2), a.input(p, 3), a.input(p, 4)
		y0, y1, y2, y3, y4 := a.output(p, 0), a.output(p, 1), a.output(p, 2), a.output(p, 3), a.output(p, 4)
		for q := 0; q < len(x0); q += 2 {
			u := get(x0, q)
			b, d := get(x1, q)+get(x4, q), get(x1, q)-get(x4, q)
			c, e := get(x2, q)+get(x3, q), get(x2, q)-get(x3, q)
			f := u + (scale(c1, b) + scale(c2, c))
			g := u + (scale(c2, b) + scale(c1, c))
			h := scale(s1, d) + scale(s2, e)
			k := scale(s2, d) - scale(s1, e)
			h, k = complex(-imag(h), real(h)), complex(-imag(k), real(k))
			put(y0, q, u+b+c)
			putTimes(y1, q, f+h, w, 1)
			putTimes(y2, q, g+k, w, 2)
			putTimes(y3, q, g-k, w, 3)
			putTimes(y4, q, f-h, w, 4)
		}
	}
}

// stage8 makes the even outputs of the sums of inputs four apart, the odd ones of their differences.
func stage8(a *stageArgs) {
	root := real(a.roots[0]) // of a half
	for p := range a.outer {
		w := a.factors(p, 8)
		var x, y [8][]float64
		for j := range x {
			x[j], y[j] = a.input(p, j), a.output(p, j)
		}
		for q := 0; q < len(x[0]); q += 2 {
			x0, x1, x2, x3 := get(x[0], q), get(x[1], q), get(x[2], q), get(x[3], q)
			x4, x5, x6, x7 := get(x[4], q), get(x[5], q), get(x[6], q), get(x[7], q)
			c0, c2, c4, c6 := four(x0+x4, x1+x5, x2+x6, x3+x7)
			d1, d2, d3 := x1-x5, x2-x6, x3-x7
			d1 = scale(root, complex(real(d1)+imag(d1), imag(d1)-real(d1)))
			d3 = scale(root, complex(imag(d3)-real(d3), -(real(d3)+imag(d3))))
			c1, c3, c5, c7 := four(x0-x4, d1, rotate(d2), d3)
			put(y[0], q, c0)
			putTimes(y[1], q, c1, w, 1)
			putTimes(y[2], q, c2, w, 2)
			putTimes(y[3], q, c3, w, 3)
			putTimes(y[4], q, c4, w, 4)
			putTimes(y[5], q, c5, w, 5)
			putTimes(y[6], q, c6, w, 6)
			putTimes(y[7], q, c7, w, 7)
		}
	}
}

// primeStage is the butterfly of an odd prime: sums and differences of the pairs j, r-j share their products. Two
// columns are done at a time, so that additions need not wait for one another; of an odd width the last one is done
// twice.
func primeStage(a *stageArgs) {
	half := a.half
	r := 2*half + 1
	sums, differences := a.folds[:4*half], a.folds[4*half:][:4*half]
	for p := range a.outer {
		w := a.factors(p, r)
		for q := 0; q < a.inner; q += 2 {
			q0, q1 := 2*q, 2*min(q+1, a.inner-1)
			in := a.x[2*p*a.inner:]
			first0, first1 := get(in, q0), get(in, q1)
			total0, total1 := first0, first1
			for j := range half {
				up, down := in[(j+1)*a.xNext:], in[(r-1-j)*a.xNext:]
				u, v := get(up, q0), get(down, q0)
				put(sums, 4*j, u+v)
				put(differences, 4*j, u-v)
				total0 += u + v
				u, v = get(up, q1), get(down, q1)
				put(sums, 4*j+2, u+v)
				put(differences, 4*j+2, u-v)
				total1 += u + v
			}
			out := a.y[p*a.yStep:]
			put(out, q0, total0)
			put(out, q1, total1)
			for k := 1; k <= half; k++ {
				c0, c1, d0, d1 := first0, first1, complex128(0), complex128(0)
				for j, root := range a.roots[(k-1)*half:][:half] {
					c0 += scale(real(root), get(sums, 4*j))
					c1 += scale(real(root), get(sums, 4*j+2))
					d0 += scale(imag(root), get(differences, 4*j))
					d1 += scale(imag(root), get(differences, 4*j+2))
				}
				d0, d1 = complex(-imag(d0), real(d0)), complex(-imag(d1), real(d1))
				up, down := out[k*a.yNext:], out[(r-k)*a.yNext:]
				putTimes(up, q0, c0+d0, w, k)
				putTimes(down, q0, c0-d0, w, r-k)
				putTimes(up, q1, c1+d1, w, k)
				putTimes(down, q1, c1-d1, w, r-k)
			}
		}
	}
}

func portableChirp(a *stageArgs) {
	for p := range a.outer {
		in, out, w := a.input(p, 0), a.output(p, 0), a.twiddle[p]
		for q := 0; q < len(in); q += 2 {
			put(out, q, mul(get(in, q), w))
		}
	}
}

func portableConjugateChirp(a *stageArgs) {
	for p := range a.outer {
		in, out, w := a.input(p, 0), a.output(p, 0), a.twiddle[p]
		for q := 0; q < len(in); q += 2 {
			put(out, q, mul(conj(get(in, q)), w))
		}
	}
}

func portableFilter(a *filterArgs) {
	for p := range a.rows {
		radial := a.radial[a.radialAt+p*a.radialStep:][:a.groups]
		angular := a.angular[a.angularAt+p*a.angularStep:][:a.groups]
		from, to := a.spectrum[a.spectrumAt+p*a.spectrumStep:], a.dst[2*p*a.groups:]
		for i, f := range radial {
			put(to, 2*i, scale(f*angular[i], get(from, 2*i)))
		}
	}
}

func portableTranspose(a *transposeArgs) {
	for row := range a.squares {
		from := a.src[row*a.srcStep:]
		for column := range a.groups {
			put(a.dst[column*a.dstStep:], 2*row, get(from, 2*column))
		}
	}
}
