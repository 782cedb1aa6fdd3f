package main

import "fmt"

// chirps multiply each row with a number: of x, or of its conjugate.
func (w *writer) chirps() {
	for _, conjugate := range []bool{false, true} {
		name, doc := "Chirp", "Rows times a number each."
		if conjugate {
			name, doc = "ConjugateChirp", "The conjugates of rows times a number each."
		}
		w.function(name, "stageArgs", doc)
		w.Op("MOVQ stageArgs_x(DI), SI")
		w.Op("MOVQ stageArgs_y(DI), DX")
		w.Op("MOVQ stageArgs_twiddle(DI), BX")
		w.stepOver("R13")
		re, im := w.take(), w.take()
		w.Mark("outer")
		w.broadcast("(BX)", re)
		w.broadcast("8(BX)", im)
		w.Op("MOVQ stageArgs_inner(DI), CX")
		w.Mark("inner")
		w.store(w.times(w.load("(SI)"), re, im, conjugate), "(DX)")
		w.Op("ADDQ $%d, SI", 2*w.size())
		w.Op("ADDQ $%d, DX", 2*w.size())
		w.Op("DECQ CX")
		w.Op("JNZ inner")
		w.Op("ADDQ R13, DX")
		w.Op("ADDQ $16, BX")
		w.Op("DECQ stageArgs_outer(DI)")
		w.Op("JNZ outer")
		w.End()
	}
}

// filter multiplies rows of a spectrum with two factors.
func (w *writer) filter() {
	w.function("Filter", "filterArgs", "Rows of a spectrum times radial and angular factors.")
	w.Op("MOVQ filterArgs_spectrumAt(DI), SI")
	w.Op("SHLQ $3, SI")
	w.Op("ADDQ filterArgs_spectrum(DI), SI")
	w.Op("MOVQ filterArgs_radialAt(DI), R8")
	w.Op("SHLQ $3, R8")
	w.Op("ADDQ filterArgs_radial(DI), R8")
	w.Op("MOVQ filterArgs_angularAt(DI), R9")
	w.Op("SHLQ $3, R9")
	w.Op("ADDQ filterArgs_angular(DI), R9")
	w.Op("MOVQ filterArgs_dst(DI), DX")
	w.bytesOf("filterArgs_spectrumStep", "R10")
	w.bytesOf("filterArgs_radialStep", "R11")
	w.bytesOf("filterArgs_angularStep", "R12")
	w.Mark("row")
	w.Op("MOVQ filterArgs_groups(DI), CX")
	w.Op("XORQ AX, AX") // bytes of factors
	w.Mark("group")
	factor := w.take()
	w.Op("VMOVUPD (R8)(AX*1), %s", w.V(factor))
	w.Op("VMULPD (R9)(AX*1), %s, %s", w.V(factor), w.V(factor))
	w.Op("VMULPD (SI)(AX*2), %s, %s", w.V(factor), w.V(1))
	w.Op("VMULPD %d(SI)(AX*2), %s, %s", w.size(), w.V(factor), w.V(2))
	w.Op("VMOVUPD %s, (DX)", w.V(1))
	w.Op("VMOVUPD %s, %d(DX)", w.V(2), w.size())
	w.Op("ADDQ $%d, DX", 2*w.size())
	w.Op("ADDQ $%d, AX", w.size())
	w.Op("DECQ CX")
	w.Op("JNZ group")
	w.Op("ADDQ R10, SI")
	w.Op("ADDQ R11, R8")
	w.Op("ADDQ R12, R9")
	w.Op("DECQ filterArgs_rows(DI)")
	w.Op("JNZ row")
	w.End()
}

// transpose turns squares of lanes by lanes values over.
func (w *writer) transpose() {
	w.function("Transpose", "transposeArgs", "Rows to columns.")
	w.bytesOf("transposeArgs_srcStep", "R8")
	w.bytesOf("transposeArgs_dstStep", "R9")
	w.Op("LEAQ (R8)(R8*2), R11")
	w.Op("LEAQ (R9)(R9*2), R12")
	w.Op("MOVQ transposeArgs_src(DI), R13")
	w.Op("MOVQ transposeArgs_dst(DI), R15")
	w.Mark("rows")
	w.Op("MOVQ R13, SI")
	w.Op("MOVQ R15, DX")
	w.Op("MOVQ transposeArgs_groups(DI), CX")
	w.Mark("group")
	w.Op("LEAQ (SI)(R8*4), AX")
	w.Op("LEAQ (DX)(R9*4), BX")
	at := func(i, part int, base, base4, next, next3 string) string {
		if i >= 4 {
			i, base = i-4, base4
		}
		return fmt.Sprintf("%d%s", part*w.size(), place(i, base, next, next3))
	}
	for part := range 2 {
		in := numbers(0, w.Lanes)
		for _, i := range in {
			w.Op("VMOVUPD %s, %s", at(i, part, "SI", "AX", "R8", "R11"), w.V(i))
		}
		var out []int
		if w.Lanes == 4 {
			out = w.transposed4()
		} else {
			out = w.transposed8()
		}
		for i, r := range out {
			w.Op("VMOVUPD %s, %s", w.V(r), at(i, part, "DX", "BX", "R9", "R12"))
		}
	}
	w.Op("ADDQ $%d, SI", 2*w.size())
	w.Op("LEAQ (DX)(R9*%d), DX", w.Lanes)
	w.Op("DECQ CX")
	w.Op("JNZ group")
	w.Op("LEAQ (R13)(R8*%d), R13", w.Lanes)
	w.Op("ADDQ $%d, R15", 2*w.size())
	w.Op("DECQ transposeArgs_squares(DI)")
	w.Op("JNZ rows")
	w.End()
}

// transposed4 turns the registers 0 to 3 over.
func (w *writer) transposed4() []int {
	for i := range 2 {
		w.do3("VUNPCKLPD", 2*i, 2*i+1, 4+2*i)
		w.do3("VUNPCKHPD", 2*i, 2*i+1, 5+2*i)
	}
	halves := func(imm, a, b, dst int) {
		w.Op("VPERM2F128 $%#x, %s, %s, %s", imm, w.V(b), w.V(a), w.V(dst))
	}
	halves(0x20, 4, 6, 0)
	halves(0x20, 5, 7, 1)
	halves(0x31, 4, 6, 2)
	halves(0x31, 5, 7, 3)
	return numbers(0, 4)
}

// transposed8 turns the registers 0 to 7 over.
func (w *writer) transposed8() []int {
	for i := range 4 {
		w.do3("VUNPCKLPD", 2*i, 2*i+1, 8+2*i)
		w.do3("VUNPCKHPD", 2*i, 2*i+1, 9+2*i)
	}
	quarters := func(imm, a, b, dst int) {
		w.Op("VSHUFF64X2 $%#x, %s, %s, %s", imm, w.V(b), w.V(a), w.V(dst))
	}
	for odd := range 2 {
		for i, imm := range []int{0x88, 0xdd} { // columns 0 and 4, 2 and 6, and one further
			quarters(imm, 8+odd, 10+odd, 16)
			quarters(imm, 12+odd, 14+odd, 17)
			quarters(0x88, 16, 17, 2*i+odd)
			quarters(0xdd, 16, 17, 2*i+odd+4)
		}
	}
	return numbers(0, 8)
}
