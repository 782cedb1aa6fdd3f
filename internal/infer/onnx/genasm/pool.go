package main

// pools are the maximum and mean over windows, and the mean over an image.
func (w *writer) pools() {
	w.windowPool("MaxPool", "The maximum of each channel over the taps of m windows. NaN wins.", true)
	w.windowPool("MeanPool", "The mean of each channel over the taps of m windows.", false)
	if !w.opmask {
		w.globalMean()
	}
}

func (w *writer) windowPool(name, doc string, maximum bool) {
	w.function(w.name+name, "rowArgs", doc)
	w.op("MOVQ rowArgs_a(DI), SI")
	w.op("MOVQ rowArgs_out(DI), BX")
	w.op("VBROADCASTSS rowArgs_lo(DI), %s", w.v(14)) // what a mean divides by
	w.mark("pixel")
	w.channels("rowArgs_c(DI)", 4, func(nv int, k mask) {
		start := constant("zero")
		if maximum {
			start = constant("minusInf")
		}
		for v := range nv {
			w.op("VMOVUPS %s, %s", start, w.v(v))
		}
		w.op("MOVQ rowArgs_taps(DI), DX")
		w.op("MOVQ rowArgs_ntaps(DI), R8")
		w.op("LEAQ (SI)(R13*1), R10")
		tap := w.fresh("tap")
		w.mark(tap)
		w.op("MOVQ (DX), AX")
		w.op("ADDQ $8, DX")
		w.op("LEAQ (R10)(AX*4), R11")
		for v := range nv {
			x := 4 + 2*v
			w.load(disp(v*w.size(), "R11"), x, k)
			switch {
			case !maximum:
				w.op("VADDPS %s, %s, %s", w.v(x), w.v(v), w.v(v))
			case w.opmask:
				w.op("VCMPPS $3, %s, %s, K2", w.v(x), w.v(x))
				w.op("VMAXPS %s, %s, %s", w.v(v), w.v(x), w.v(v))
				w.op("VMOVAPS %s, K2, %s", w.v(x), w.v(v))
			default:
				w.op("VCMPPS $3, %s, %s, %s", w.v(x), w.v(x), w.v(x+1))
				w.op("VMAXPS %s, %s, %s", w.v(v), w.v(x), w.v(v))
				w.op("VBLENDVPS %s, %s, %s, %s", w.v(x+1), w.v(x), w.v(v), w.v(v))
			}
		}
		w.op("DECQ R8")
		w.op("JNZ %s", tap)
		for v := range nv {
			if !maximum {
				w.op("VDIVPS %s, %s, %s", w.v(14), w.v(v), w.v(v))
			}
			w.store(v, at(v*w.size(), "BX"), k)
		}
	})
	w.op("ADDQ rowArgs_aStep(DI), SI")
	w.op("ADDQ rowArgs_outStep(DI), BX")
	w.op("DECQ rowArgs_m(DI)")
	w.op("JNZ pixel")
	w.end()
}

// globalMean sums in float64, pixel by pixel, so that large images lose
// nothing. All amd64 sets share it.
func (w *writer) globalMean() {
	w.function("avx2GlobalMean", "rowArgs", "The mean of each channel over an image of rows (ntaps, bStep apart) of m pixels; lo has their number.")
	w.channels("rowArgs_c(DI)", 2, func(nv int, k mask) {
		for v := range 2 * nv {
			w.op("VXORPD Y%d, Y%d, Y%d", v, v, v)
		}
		w.op("MOVQ rowArgs_a(DI), SI")
		w.op("ADDQ R13, SI")
		w.op("MOVQ rowArgs_ntaps(DI), R8")
		row, pixel := w.fresh("row"), w.fresh("pixel")
		w.mark(row)
		w.op("MOVQ SI, R10")
		w.op("MOVQ rowArgs_m(DI), R9")
		w.mark(pixel)
		for v := range nv {
			w.load(disp(v*w.size(), "R10"), 4+2*v, k)
			w.op("VEXTRACTF128 $1, Y%d, X%d", 4+2*v, 5+2*v)
			for half := range 2 {
				w.op("VCVTPS2PD X%d, Y%d", 4+2*v+half, 4+2*v+half)
				w.op("VADDPD Y%d, Y%d, Y%d", 4+2*v+half, 2*v+half, 2*v+half)
			}
		}
		w.op("ADDQ rowArgs_aStep(DI), R10")
		w.op("DECQ R9")
		w.op("JNZ %s", pixel)
		w.op("ADDQ rowArgs_bStep(DI), SI")
		w.op("DECQ R8")
		w.op("JNZ %s", row)
		w.op("VBROADCASTSS rowArgs_lo(DI), Y14")
		w.op("VCVTPS2PD X14, Y14")
		w.op("MOVQ rowArgs_out(DI), BX")
		for v := range nv {
			for half := range 2 {
				w.op("VDIVPD Y14, Y%d, Y%d", 2*v+half, 2*v+half)
				w.op("VCVTPD2PSY Y%d, X%d", 2*v+half, 4+half)
			}
			w.op("VINSERTF128 $1, X5, Y4, Y4")
			w.store(4, at(v*w.size(), "BX"), k)
		}
	})
	w.end()
}
