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
		w.op("MOVQ stageArgs_x(DI), SI")
		w.op("MOVQ stageArgs_y(DI), DX")
		w.op("MOVQ stageArgs_twiddle(DI), BX")
		w.stepOver("R13")
		re, im := w.take(), w.take()
		w.mark("outer")
		w.broadcast("(BX)", re)
		w.broadcast("8(BX)", im)
		w.op("MOVQ stageArgs_inner(DI), CX")
		w.mark("inner")
		w.store(w.times(w.load("(SI)"), re, im, conjugate), "(DX)")
		w.op("ADDQ $%d, SI", 2*w.size())
		w.op("ADDQ $%d, DX", 2*w.size())
		w.op("DECQ CX")
		w.op("JNZ inner")
		w.op("ADDQ R13, DX")
		w.op("ADDQ $16, BX")
		w.op("DECQ stageArgs_outer(DI)")
		w.op("JNZ outer")
		w.end()
	}
}

// filter multiplies rows of a spectrum with two factors.
func (w *writer) filter() {
	w.function("Filter", "filterArgs", "Rows of a spectrum times radial and angular factors.")
	w.op("MOVQ filterArgs_spectrumAt(DI), SI")
	w.op("SHLQ $3, SI")
	w.op("ADDQ filterArgs_spectrum(DI), SI")
	w.op("MOVQ filterArgs_radialAt(DI), R8")
	w.op("SHLQ $3, R8")
	w.op("ADDQ filterArgs_radial(DI), R8")
	w.op("MOVQ filterArgs_angularAt(DI), R9")
	w.op("SHLQ $3, R9")
	w.op("ADDQ filterArgs_angular(DI), R9")
	w.op("MOVQ filterArgs_dst(DI), DX")
	w.bytesOf("filterArgs_spectrumStep", "R10")
	w.bytesOf("filterArgs_radialStep", "R11")
	w.bytesOf("filterArgs_angularStep", "R12")
	w.mark("row")
	w.op("MOVQ filterArgs_groups(DI), CX")
	w.op("XORQ AX, AX") // bytes of factors
	w.mark("group")
	factor := w.take()
	w.op("VMOVUPD (R8)(AX*1), %s", w.v(factor))
	w.op("VMULPD (R9)(AX*1), %s, %s", w.v(factor), w.v(factor))
	w.op("VMULPD (SI)(AX*2), %s, %s", w.v(factor), w.v(1))
	w.op("VMULPD %d(SI)(AX*2), %s, %s", w.size(), w.v(factor), w.v(2))
	w.op("VMOVUPD %s, (DX)", w.v(1))
	w.op("VMOVUPD %s, %d(DX)", w.v(2), w.size())
	w.op("ADDQ $%d, DX", 2*w.size())
	w.op("ADDQ $%d, AX", w.size())
	w.op("DECQ CX")
	w.op("JNZ group")
	w.op("ADDQ R10, SI")
	w.op("ADDQ R11, R8")
	w.op("ADDQ R12, R9")
	w.op("DECQ filterArgs_rows(DI)")
	w.op("JNZ row")
	w.end()
}

// transpose turns squares of lanes by lanes values over.
func (w *writer) transpose() {
	w.function("Transpose", "transposeArgs", "Rows to columns.")
	w.bytesOf("transposeArgs_srcStep", "R8")
	w.bytesOf("transposeArgs_dstStep", "R9")
	w.op("LEAQ (R8)(R8*2), R11")
	w.op("LEAQ (R9)(R9*2), R12")
	w.op("MOVQ transposeArgs_src(DI), R13")
	w.op("MOVQ transposeArgs_dst(DI), R15")
	w.mark("rows")
	w.op("MOVQ R13, SI")
	w.op("MOVQ R15, DX")
	w.op("MOVQ transposeArgs_groups(DI), CX")
	w.mark("group")
	w.op("LEAQ (SI)(R8*4), AX")
	w.op("LEAQ (DX)(R9*4), BX")
	at := func(i, part int, base, base4, next, next3 string) string {
		if i >= 4 {
			i, base = i-4, base4
		}
		return fmt.Sprintf("%d%s", part*w.size(), place(i, base, next, next3))
	}
	for part := range 2 {
		in := numbers(0, w.lanes)
		for _, i := range in {
			w.op("VMOVUPD %s, %s", at(i, part, "SI", "AX", "R8", "R11"), w.v(i))
		}
		var out []int
		if w.lanes == 4 {
			out = w.transposed4()
		} else {
			out = w.transposed8()
		}
		for i, r := range out {
			w.op("VMOVUPD %s, %s", w.v(r), at(i, part, "DX", "BX", "R9", "R12"))
		}
	}
	w.op("ADDQ $%d, SI", 2*w.size())
	w.op("LEAQ (DX)(R9*%d), DX", w.lanes)
	w.op("DECQ CX")
	w.op("JNZ group")
	w.op("LEAQ (R13)(R8*%d), R13", w.lanes)
	w.op("ADDQ $%d, R15", 2*w.size())
	w.op("DECQ transposeArgs_squares(DI)")
	w.op("JNZ rows")
	w.end()
}

// transposed4 turns the registers 0 to 3 over.
func (w *writer) transposed4() []int {
	for i := range 2 {
		w.do3("VUNPCKLPD", 2*i, 2*i+1, 4+2*i)
		w.do3("VUNPCKHPD", 2*i, 2*i+1, 5+2*i)
	}
	halves := func(imm, a, b, dst int) {
		w.op("VPERM2F128 $%#x, %s, %s, %s", imm, w.v(b), w.v(a), w.v(dst))
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
		w.op("VSHUFF64X2 $%#x, %s, %s, %s", imm, w.v(b), w.v(a), w.v(dst))
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
