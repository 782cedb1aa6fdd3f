package main

// rows is a function that goes through the pixels of a row, and through the
// channels of each. A block reads at R10 (a), R11 (b), R13 (scale) and R14
// (shift) and writes at R12, and moves them on.
func (w *neon) rows(name, doc string, nv int, prepare func(), body func(block)) {
	w.function(name, "rowArgs", doc)
	w.Op("MOVD rowArgs_a(R0), R1")
	w.Op("MOVD rowArgs_b(R0), R2")
	w.Op("MOVD rowArgs_out(R0), R3")
	w.Op("MOVD rowArgs_m(R0), R4")
	prepare()
	w.Mark("pixel")
	w.Op("MOVD R1, R10")
	w.Op("MOVD R2, R11")
	w.Op("MOVD R3, R12")
	w.Op("MOVD rowArgs_scale(R0), R13")
	w.Op("MOVD rowArgs_shift(R0), R14")
	w.channels("rowArgs_c(R0)", nv, body)
	w.advance("R1", "aStep")
	w.advance("R2", "bStep")
	w.advance("R3", "outStep")
	w.next("R4", "pixel")
	w.Op("RET")
}

// advance moves a pointer on to the next pixel.
func (w *neon) advance(ptr, step string) {
	w.Op("MOVD rowArgs_%s(R0), R6", step)
	w.Op("ADD R6, %s, %s", ptr, ptr)
}

// number fills a vector with one of the constants.
func (w *neon) number(name string, d int) {
	for _, c := range constants {
		if c.name == name {
			w.Op("MOVD $0x%08x, R6", c.bits)
			w.Op("VDUP R6, V%d.S4", d)
			return
		}
	}
	panic("no constant " + name)
}

func (w *neon) elementwise() {
	bounds := func() {
		w.broadcast("rowArgs_lo", nLo)
		w.broadcast("rowArgs_hi", nHi)
	}
	w.rows("Affine", "a*scale + shift, clamped.", 4, bounds, func(b block) {
		w.load("R10", "", 0, b)
		w.load("R13", "", 4, b)
		w.load("R14", "", 8, b)
		for v := range b.nv {
			w.multiplyAdd(8+v, v, 4+v)
			w.clamp(8+v, nLo, nHi)
		}
		w.store(8, "R12", "", b)
	})
	for _, o := range []struct{ name, instruction, doc string }{
		{"Add", "fadd .4s", "a + b, clamped."}, {"Sub", "fsub .4s", "a - b, clamped."}, {"Mul", "fmul .4s", "a * b, clamped."},
	} {
		w.rows(o.name, o.doc, 4, bounds, func(b block) {
			w.load("R10", "", 0, b)
			w.load("R11", "", 4, b)
			for v := range b.nv {
				w.three(o.instruction, v, v, 4+v)
				w.clamp(v, nLo, nHi)
			}
			w.store(0, "R12", "", b)
		})
	}
	w.rows("Clamp", "a, clamped.", 4, bounds, func(b block) {
		w.load("R10", "", 0, b)
		for v := range b.nv {
			w.clamp(v, nLo, nHi)
		}
		w.store(0, "R12", "", b)
	})
	w.hardSigmoid("HardSigmoid", "a*alpha + beta, clamped to 0 and 1.", false)
	w.hardSigmoid("HardSwish", "a times its hard sigmoid.", true)
	w.sigmoid("Sigmoid", "1 / (1 + exp(-a)).", false)
	w.sigmoid("Silu", "a / (1 + exp(-a)).", true)
}

func (w *neon) hardSigmoid(name, doc string, swish bool) {
	const alpha, beta = 28, 29
	w.rows(name, doc, 4, func() {
		w.number("zero", nLo)
		w.number("one", nHi)
		w.broadcast("rowArgs_lo", alpha)
		w.broadcast("rowArgs_hi", beta)
	}, func(b block) {
		w.load("R10", "", 0, b)
		for v := range b.nv {
			w.move(4+v, beta)
			w.multiplyAdd(4+v, v, alpha)
			w.clamp(4+v, nLo, nHi)
			if swish {
				w.three("fmul .4s", 4+v, v, 4+v)
			}
		}
		w.store(4, "R12", "", b)
	})
}

// sigmoid computes exp(-x) as that of amd64 does, step by step.
func (w *neon) sigmoid(name, doc string, swish bool) {
	names := []string{"minusLimit", "limit", "magic", "minusLog2e", "e5", "e4", "e3", "e2", "e1", "one", "zero"}
	register := map[string]int{}
	for i, n := range names {
		register[n] = nFree + i
	}
	w.rows(name, doc, 2, func() {
		for _, n := range names {
			w.number(n, register[n])
		}
	}, func(b block) {
		const in, x, n, f, p, q = 0, 2, 4, 6, 8, 10
		w.load("R10", "", in, b)
		for v := range b.nv {
			w.three("fmax .4s", x+v, in+v, register["minusLimit"])
			w.three("fmin .4s", x+v, x+v, register["limit"])
			w.move(n+v, register["magic"])
			w.multiplyAdd(n+v, x+v, register["minusLog2e"])
			w.three("fsub .4s", f+v, register["magic"], n+v) // -x*log2(e), rounded, times -1
			w.multiplyAdd(f+v, x+v, register["minusLog2e"])  // exp(-x) = 2^n * 2^f
		}
		sum, other := register["e5"], p
		for i, c := range []string{"e4", "e3", "e2", "e1", "one"} {
			for v := range b.nv {
				w.move(other+v, register[c])
				from := sum
				if i > 0 {
					from += v
				}
				w.multiplyAdd(other+v, from, f+v)
			}
			sum, other = other, p+q-other
		}
		for v := range b.nv {
			w.Op("VSHL $23, V%d.S4, V%d.S4", n+v, n+v)
			w.Op("VADD V%d.S4, V%d.S4, V%d.S4", n+v, sum+v, sum+v)
			w.three("fadd .4s", sum+v, sum+v, register["one"])
			over := in + v
			if !swish {
				w.multiplyAdd(sum+v, x+v, register["zero"])
				over = register["one"]
			}
			w.three("fdiv .4s", x+v, over, sum+v)
		}
		w.store(x, "R12", "", b)
	})
}

func (w *neon) windowPool(name, doc string, maximum bool) {
	const divisor = 31
	op, first := "fadd .4s", "zero"
	if maximum {
		op, first = "fmax .4s", "minusInf"
	}
	w.function(name, "rowArgs", doc)
	w.Op("MOVD rowArgs_a(R0), R1")
	w.Op("MOVD rowArgs_out(R0), R3")
	w.Op("MOVD rowArgs_m(R0), R4")
	w.number(first, 30)
	w.broadcast("rowArgs_lo", divisor)
	w.Mark("pixel")
	w.Op("MOVD R3, R12")
	w.channels("rowArgs_c(R0)", 4, func(b block) {
		for v := range b.nv {
			w.move(v, 30)
		}
		w.Op("MOVD rowArgs_taps(R0), R2")
		w.Op("MOVD rowArgs_ntaps(R0), R5")
		w.Op("ADD R19, R1, R10")
		tap := w.Fresh("tap")
		w.Mark(tap)
		w.Op("MOVD.P 8(R2), R6")
		w.Op("ADD R6<<2, R10, R6")
		w.load("R6", "0", 4, b)
		for v := range b.nv {
			w.three(op, v, v, 4+v)
		}
		w.next("R5", tap)
		if !maximum {
			for v := range b.nv {
				w.three("fdiv .4s", v, v, divisor)
			}
		}
		w.store(0, "R12", "", b)
	})
	w.advance("R1", "aStep")
	w.advance("R3", "outStep")
	w.next("R4", "pixel")
	w.Op("RET")
}

// globalMean sums in float64, pixel by pixel, so that large images lose nothing.
func (w *neon) globalMean() {
	const in, wide, count = 8, 16, 31
	w.function("GlobalMean", "rowArgs", "The mean of each channel over an image of rows (ntaps, bStep apart) of m pixels; lo has their number.")
	w.Op("MOVD rowArgs_out(R0), R12")
	w.Op("MOVD rowArgs_aStep(R0), R8")
	w.Op("MOVD rowArgs_bStep(R0), R9")
	w.broadcast("rowArgs_lo", count)
	w.widen(count, count, false)
	w.channels("rowArgs_c(R0)", 4, func(b block) {
		for v := range 2 * b.nv {
			w.zero(v)
		}
		w.Op("MOVD rowArgs_a(R0), R1")
		w.Op("ADD R19, R1, R1")
		w.Op("MOVD rowArgs_ntaps(R0), R3")
		row, pixel := w.Fresh("row"), w.Fresh("pixel")
		w.Mark(row)
		w.Op("MOVD R1, R10")
		w.Op("MOVD rowArgs_m(R0), R4")
		w.Mark(pixel)
		w.load("R10", "R8", in, b)
		for half := range 2 * b.nv {
			w.widen(wide+half, in+half/2, half%2 == 1)
			w.three("fadd .2d", half, half, wide+half)
		}
		w.next("R4", pixel)
		w.Op("ADD R9, R1, R1")
		w.next("R3", row)
		for half := range 2 * b.nv {
			w.three("fdiv .2d", half, half, count)
			w.narrow(in+half/2, half, half%2 == 1)
		}
		w.store(in, "R12", "", b)
	})
	w.Op("RET")
}
