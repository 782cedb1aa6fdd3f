package main

// pools are the maximum and mean over windows, and the mean over an image.
func (w *writer) pools() {
	w.windowPool("MaxPool", "The maximum of each channel over the taps of m windows. NaN wins.", true)
	w.windowPool("MeanPool", "The mean of each channel over the taps of m windows.", false)
	if !w.Opmask {
		w.globalMean()
	}
}

func (w *writer) windowPool(name, doc string, maximum bool) {
	w.function(w.Name+name, "rowArgs", doc)
	w.Op("MOVQ rowArgs_a(DI), SI")
	w.Op("MOVQ rowArgs_out(DI), BX")
	w.Op("VBROADCASTSS rowArgs_lo(DI), %s", w.V(14)) // what a mean divides by
	w.Mark("pixel")
	w.channels("rowArgs_c(DI)", 4, func(nv int, k mask) {
		start := constant("zero")
		if maximum {
			start = constant("minusInf")
		}
		for v := range nv {
			w.Op("VMOVUPS %s, %s", start, w.V(v))
		}
		w.Op("MOVQ rowArgs_taps(DI), DX")
		w.Op("MOVQ rowArgs_ntaps(DI), R8")
		w.Op("LEAQ (SI)(R13*1), R10")
		tap := w.Fresh("tap")
		w.Mark(tap)
		w.Op("MOVQ (DX), AX")
		w.Op("ADDQ $8, DX")
		w.Op("LEAQ (R10)(AX*4), R11")
		for v := range nv {
			x := 4 + 2*v
			w.load(disp(v*w.size(), "R11"), x, k)
			switch {
			case !maximum:
				w.Op("VADDPS %s, %s, %s", w.V(x), w.V(v), w.V(v))
			case w.Opmask:
				w.Op("VCMPPS $3, %s, %s, K2", w.V(x), w.V(x))
				w.Op("VMAXPS %s, %s, %s", w.V(v), w.V(x), w.V(v))
				w.Op("VMOVAPS %s, K2, %s", w.V(x), w.V(v))
			default:
				w.Op("VCMPPS $3, %s, %s, %s", w.V(x), w.V(x), w.V(x+1))
				w.Op("VMAXPS %s, %s, %s", w.V(v), w.V(x), w.V(v))
				w.Op("VBLENDVPS %s, %s, %s, %s", w.V(x+1), w.V(x), w.V(v), w.V(v))
			}
		}
		w.Op("DECQ R8")
		w.Op("JNZ %s", tap)
		for v := range nv {
			if !maximum {
				w.Op("VDIVPS %s, %s, %s", w.V(14), w.V(v), w.V(v))
			}
			w.store(v, at(v*w.size(), "BX"), k)
		}
	})
	w.Op("ADDQ rowArgs_aStep(DI), SI")
	w.Op("ADDQ rowArgs_outStep(DI), BX")
	w.Op("DECQ rowArgs_m(DI)")
	w.Op("JNZ pixel")
	w.End()
}

// globalMean sums in float64, pixel by pixel, so that large images lose
// nothing. All amd64 sets share it.
func (w *writer) globalMean() {
	w.function("avx2GlobalMean", "rowArgs", "The mean of each channel over an image of rows (ntaps, bStep apart) of m pixels; lo has their number.")
	w.channels("rowArgs_c(DI)", 2, func(nv int, k mask) {
		for v := range 2 * nv {
			w.Op("VXORPD Y%d, Y%d, Y%d", v, v, v)
		}
		w.Op("MOVQ rowArgs_a(DI), SI")
		w.Op("ADDQ R13, SI")
		w.Op("MOVQ rowArgs_ntaps(DI), R8")
		row, pixel := w.Fresh("row"), w.Fresh("pixel")
		w.Mark(row)
		w.Op("MOVQ SI, R10")
		w.Op("MOVQ rowArgs_m(DI), R9")
		w.Mark(pixel)
		for v := range nv {
			w.load(disp(v*w.size(), "R10"), 4+2*v, k)
			w.Op("VEXTRACTF128 $1, Y%d, X%d", 4+2*v, 5+2*v)
			for half := range 2 {
				w.Op("VCVTPS2PD X%d, Y%d", 4+2*v+half, 4+2*v+half)
				w.Op("VADDPD Y%d, Y%d, Y%d", 4+2*v+half, 2*v+half, 2*v+half)
			}
		}
		w.Op("ADDQ rowArgs_aStep(DI), R10")
		w.Op("DECQ R9")
		w.Op("JNZ %s", pixel)
		w.Op("ADDQ rowArgs_bStep(DI), SI")
		w.Op("DECQ R8")
		w.Op("JNZ %s", row)
		w.Op("VBROADCASTSS rowArgs_lo(DI), Y14")
		w.Op("VCVTPS2PD X14, Y14")
		w.Op("MOVQ rowArgs_out(DI), BX")
		for v := range nv {
			for half := range 2 {
				w.Op("VDIVPD Y14, Y%d, Y%d", 2*v+half, 2*v+half)
				w.Op("VCVTPD2PSY Y%d, X%d", 2*v+half, 4+half)
			}
			w.Op("VINSERTF128 $1, X5, Y4, Y4")
			w.store(4, at(v*w.size(), "BX"), k)
		}
	})
	w.End()
}
