package main

// curved are the functions of transformers: Erf, Gelu, the exponentials of a softmax and the end of a norm.
func (w *writer) curved() {
	prepare := func() {
		for i, name := range []string{"minusErfEnd", "erfEnd", "rootHalf", "one", "minusOne"} {
			w.Op("VMOVUPS %s, %s", constant(name), w.V(rLo+i))
		}
	}
	w.rows("Erf", "erf(a).", 2, prepare, func(v, disp int, k mask) {
		z := 5*v + 1
		w.load(at(disp, "SI"), z, k)
		w.erf(z)
		w.store(z+2, at(disp, "BX"), k)
	})
	w.rows("Gelu", "a/2 + a/2 * erf(a / sqrt(2)).", 2, prepare, func(v, disp int, k mask) {
		in, z := 5*v, 5*v+1
		w.load(at(disp, "SI"), in, k)
		w.Op("VMULPS %s, %s, %s", w.V(rAlpha), w.V(in), w.V(z))
		w.Op("VMULPS %s, %s, %s", constant("half"), w.V(in), w.V(in))
		w.erf(z)
		w.Op("VFMADD213PS %s, %s, %s", w.V(in), w.V(in), w.V(z+2))
		w.store(z+2, at(disp, "BX"), k)
	})
	w.rows("GeluTanh", "a / (1 + exp(-x)) of x = sqrt(8/pi) * (a + 0.044715*a*a*a).", 2, w.prepareExp, func(v, disp int, k mask) {
		in, x := 5*v, 5*v+1
		w.load(at(disp, "SI"), in, k)
		w.Op("VMULPS %s, %s, %s", w.V(in), w.V(in), w.V(x+1))
		w.polynomial(w.V(x), w.V(x+1), "tanh3", "tanh1")
		w.Op("VMULPS %s, %s, %s", w.V(in), w.V(x), w.V(x))
		w.sigmoid(in, x, disp, true, k)
	})
	w.rows("Exp", "exp(a - alpha).", 2, func() {
		w.prepareExp()
		w.Op("VBROADCASTSS rowArgs_alpha(DI), %s", w.V(rBeta))
	}, func(v, disp int, k mask) {
		x := 5*v + 1
		w.load(at(disp, "SI"), x, k)
		w.Op("VSUBPS %s, %s, %s", w.V(x), w.V(rBeta), w.V(x))
		w.expOfMinus(x, x)
		w.Op("VFMADD231PS %s, %s, %s", constant("zero"), w.V(x), w.V(x+2))
		w.store(x+2, at(disp, "BX"), k)
	})
	w.rows("Norm", "(a - lo) * hi * scale + shift.", 2, w.bounds, func(v, disp int, k mask) {
		x, t := 3*v, 3*v+1
		w.load(at(disp, "SI"), x, k)
		w.Op("VSUBPS %s, %s, %s", w.V(rLo), w.V(x), w.V(x))
		w.Op("VMULPS %s, %s, %s", w.V(rHi), w.V(x), w.V(x))
		w.load(at(disp, "R10"), t, k)
		w.load(at(disp, "R11"), t+1, k)
		w.Op("VFMADD213PS %s, %s, %s", w.V(t+1), w.V(t), w.V(x))
		w.store(x, at(disp, "BX"), k)
	})
}

// erf makes erf(z) in the register two above first, where z is, as z*P(z*z)/Q(z*z) with polynomials of degree 5,
// whose relative error is 2e-8. NaN passes.
func (w *writer) erf(first int) {
	z, s, p, q := w.V(first), w.V(first+1), w.V(first+2), w.V(first+3)
	w.clamp(first, rLo, rHi)
	w.Op("VMULPS %s, %s, %s", z, z, s)
	w.polynomial(p, s, "p5", "p4", "p3", "p2", "p1", "p0")
	w.polynomial(q, s, "q5", "q4", "q3", "q2", "q1", "one")
	w.Op("VMULPS %s, %s, %s", z, p, p)
	w.Op("VDIVPS %s, %s, %s", q, p, p)
	w.clamp(first+2, rLog, rBeta)
}
