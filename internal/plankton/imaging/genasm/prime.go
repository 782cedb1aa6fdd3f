package main

import "fmt"

// prime writes the butterfly of any odd prime: sums and differences of the inputs j and r-j go to memory once, and then
// each pair of outputs k and r-k is a sum over them, several pairs at a time.
//
// R9 and R11 are the places of the inputs or outputs of a pair, AX and R15 those of its twiddle factors.
func (w *writer) prime(last bool) {
	doc := "A stage of a prime radix."
	if last {
		doc = "A last stage of a prime radix: without twiddle factors."
	}
	w.functionWith(8, stageName(0, last), "stageArgs", doc)
	w.Op("MOVQ stageArgs_x(DI), SI")
	w.Op("MOVQ stageArgs_y(DI), DX")
	w.Op("MOVQ stageArgs_twiddle(DI), BX")
	w.bytesOf("stageArgs_xNext", "R8")
	w.bytesOf("stageArgs_yNext", "R10")
	w.stepOver("R13")
	w.Op("MOVQ R13, stageArgs_yStep(DI)") // from here on in bytes, and over the groups
	w.Mark("outer")
	w.Op("MOVQ stageArgs_inner(DI), AX")
	w.Op("MOVQ AX, left-8(SP)")
	w.Mark("inner")
	w.fold()
	w.Op("LEAQ (DX)(R10*1), R9")
	w.Op("MOVQ stageArgs_half(DI), CX")
	w.Op("LEAQ (CX)(CX*1), R11")
	w.Op("MOVQ CX, R15")
	w.Op("SHLQ $5, R15")
	w.Op("LEAQ -16(BX)(R15*1), R15")
	w.Op("IMULQ R10, R11")
	w.Op("ADDQ DX, R11")
	w.Op("MOVQ BX, AX")
	for i, n := range w.block {
		label, next := fmt.Sprint("block", n), fmt.Sprint("less", n)
		w.Mark(label)
		w.Op("CMPQ CX, $%d", n)
		w.Op("JLT %s", next)
		w.pairs(n, last)
		w.Op("SUBQ $%d, CX", n)
		if i == 0 {
			w.Op("JMP %s", label)
		}
		w.Mark(next)
	}
	w.Op("ADDQ $%d, SI", 2*w.size())
	w.Op("ADDQ $%d, DX", 2*w.size())
	w.Op("DECQ left-8(SP)")
	w.Op("JNZ inner")
	w.Op("ADDQ stageArgs_yStep(DI), DX")
	if !last {
		w.Op("MOVQ stageArgs_half(DI), AX")
		w.Op("SHLQ $5, AX")
		w.Op("ADDQ AX, BX")
	}
	w.Op("DECQ stageArgs_outer(DI)")
	w.Op("JNZ outer")
	w.End()
}

// fold stores the sums and differences, and the output 0.
func (w *writer) fold() {
	w.Op("MOVQ stageArgs_half(DI), CX")
	w.Op("MOVQ stageArgs_folds(DI), R13")
	w.Op("LEAQ (SI)(R8*1), R9")
	w.Op("LEAQ (CX)(CX*1), R11")
	w.Op("IMULQ R8, R11")
	w.Op("ADDQ SI, R11")
	total := w.load("(SI)")
	w.Mark("fold")
	sum, difference := w.sumAndDifference(w.load("(R9)"), w.load("(R11)"))
	w.do3("VADDPD", total.re, sum.re, total.re)
	w.do3("VADDPD", total.im, sum.im, total.im)
	for i, r := range []int{sum.re, sum.im, difference.re, difference.im} {
		w.Op("VMOVUPD %s, %d(R13)", w.V(r), i*w.size())
	}
	w.dropValue(sum, difference)
	w.Op("ADDQ $%d, R13", 4*w.size())
	w.Op("ADDQ R8, R9")
	w.Op("SUBQ R8, R11")
	w.Op("DECQ CX")
	w.Op("JNZ fold")
	w.store(total, "(DX)")
}

// pairs makes the outputs of n pairs. R14 goes through the roots of one j after the other.
func (w *writer) pairs(n int, last bool) {
	whole := w.free
	w.free = numbers(0, 16)
	if w.Opmask {
		w.free = numbers(0, 32)
	}
	w.Op("MOVQ stageArgs_half(DI), R12")
	w.Op("MOVQ R12, R14")
	w.Op("SUBQ CX, R14")
	w.Op("SHLQ $4, R14")
	w.Op("ADDQ stageArgs_roots(DI), R14")
	w.Op("MOVQ stageArgs_folds(DI), R13")
	c, d := make([]value, n), make([]value, n)
	for i := range n {
		c[i] = w.load("(SI)")
		d[i] = value{w.take(), w.take()}
		w.do3("VXORPD", d[i].re, d[i].re, d[i].re)
		w.do3("VXORPD", d[i].im, d[i].im, d[i].im)
	}
	loop := w.Fresh("term")
	w.Mark(loop)
	sum := w.load("(R13)")
	difference := value{w.take(), w.take()}
	w.Op("VMOVUPD %d(R13), %s", 2*w.size(), w.V(difference.re))
	w.Op("VMOVUPD %d(R13), %s", 3*w.size(), w.V(difference.im))
	root, product := w.take(), w.take()
	for i := range n {
		for k, term := range []struct{ with, to value }{{sum, c[i]}, {difference, d[i]}} {
			w.broadcast(fmt.Sprintf("%d(R14)", 16*i+8*k), root)
			w.do3("VMULPD", term.with.re, root, product)
			w.do3("VADDPD", term.to.re, product, term.to.re)
			w.do3("VMULPD", term.with.im, root, product)
			w.do3("VADDPD", term.to.im, product, term.to.im)
		}
	}
	w.Op("ADDQ $%d, R13", 4*w.size())
	w.Op("ADDQ stageArgs_rootStep(DI), R14")
	w.Op("DECQ R12")
	w.Op("JNZ %s", loop)
	w.drop(root, product)
	w.dropValue(sum, difference)
	for i := range n {
		plus, minus := w.beside(c[i], d[i])
		if !last {
			re, im := w.take(), w.take()
			w.broadcast(fmt.Sprintf("%d(AX)", 16*i), re)
			w.broadcast(fmt.Sprintf("%d(AX)", 16*i+8), im)
			plus = w.times(plus, re, im, false)
			w.broadcast(fmt.Sprintf("%d(R15)", -16*i), re)
			w.broadcast(fmt.Sprintf("%d(R15)", -16*i+8), im)
			minus = w.times(minus, re, im, false)
			w.drop(re, im)
		}
		w.store(plus, "(R9)")
		w.store(minus, "(R11)")
		w.Op("ADDQ R10, R9")
		w.Op("SUBQ R10, R11")
	}
	w.Op("ADDQ $%d, AX", 16*n)
	w.Op("SUBQ $%d, R15", 16*n)
	w.free = whole
}
