package main

import (
	"bytes"
	"fmt"
)

// powers writes the squares of absolute values, rows without gaps: what is stored beyond the end of a row, the next one
// overwrites.
func (w *writer) powers() {
	w.function("Powers", "powerArgs", "Squares of the absolute values of rows.")
	w.op("MOVQ powerArgs_src(DI), SI")
	w.op("MOVQ powerArgs_dst(DI), DX")
	w.bytesOf("powerArgs_columns", "R8")
	w.op("MOVQ powerArgs_rows(DI), R9")
	w.mark("row")
	w.op("MOVQ DX, BX")
	w.op("ADDQ R8, DX")
	w.mark("group")
	c, t := w.load("(SI)"), w.take()
	w.do3("VMULPD", c.re, c.re, c.re)
	w.do3("VMULPD", c.im, c.im, t)
	w.do3("VADDPD", c.re, t, t)
	w.op("VMOVUPD %s, (BX)", w.v(t))
	w.op("ADDQ $%d, SI", 2*w.size())
	w.op("ADDQ $%d, BX", w.size())
	w.op("CMPQ BX, DX")
	w.op("JLT group")
	w.op("DECQ R9")
	w.op("JNZ row")
	w.end()
}

// between writes the kernel that keeps the values between two bounds and counts those below. What is left of a vector
// is compared with infinities in place of the values that there are not.
func (w *writer) between() {
	w.function("Between", "betweenArgs", "Keeps the values from low to high, and counts those below.")
	w.op("MOVQ betweenArgs_src(DI), SI")
	w.op("MOVQ betweenArgs_dst(DI), DX")
	w.op("MOVQ betweenArgs_count(DI), CX")
	w.op("XORQ R9, R9") // below
	low, high := w.take(), w.take()
	w.broadcast("betweenArgs_low(DI)", low)
	w.broadcast("betweenArgs_high(DI)", high)
	w.op("MOVQ DX, R8")
	w.op("LEAQ packs<>(SB), R12")
	w.mark("loop")
	w.op("CMPQ CX, $%d", w.lanes)
	w.op("JLT rest")
	v := w.take()
	w.op("VMOVUPD (SI), %s", w.v(v))
	w.keep(v, low, high)
	w.op("ADDQ $%d, SI", w.size())
	w.op("SUBQ $%d, CX", w.lanes)
	w.op("JMP loop")
	w.mark("rest")
	w.op("TESTQ CX, CX")
	w.op("JZ done")
	w.op("VMOVUPD %s, %s", constant("infinity"), w.v(v))
	if w.opmask {
		w.op("MOVQ $1, AX")
		w.op("SHLQ CX, AX")
		w.op("DECQ AX")
		w.op("KMOVW AX, K1")
		w.op("VMOVUPD (SI), K1, %s", w.v(v))
	} else {
		mask, t := w.take(), w.take()
		w.op("LEAQ tails<>+%d(SB), AX", w.size())
		w.op("SHLQ $3, CX")
		w.op("SUBQ CX, AX")
		w.op("VMOVUPD (AX), %s", w.v(mask))
		w.op("VMASKMOVPD (SI), %s, %s", w.v(mask), w.v(t))
		w.op("VBLENDVPD %s, %s, %s, %s", w.v(mask), w.v(t), w.v(v), w.v(v))
	}
	w.keep(v, low, high)
	w.mark("done")
	w.op("SUBQ R8, DX")
	w.op("SHRQ $3, DX")
	w.op("MOVQ DX, betweenArgs_kept(DI)")
	w.op("MOVQ R9, betweenArgs_below(DI)")
	w.end()
}

// keep appends the lanes of v between the bounds to what is at DX, and adds the number of those below to R9.
func (w *writer) keep(v, low, high int) {
	packed := w.take()
	if w.opmask {
		w.op("VCMPPD $%d, %s, %s, K1", less, w.v(low), w.v(v))
		w.op("VCMPPD $%d, %s, %s, K2", notGreater, w.v(high), w.v(v))
		w.op("KANDNW K2, K1, K2")
		w.op("KMOVW K1, AX")
		w.op("KMOVW K2, BX")
		w.op("VCOMPRESSPD %s, K2, %s", w.v(v), w.v(packed))
	} else {
		under, over := w.take(), w.take()
		w.op("VCMPPD $%d, %s, %s, %s", less, w.v(low), w.v(v), w.v(under))
		w.op("VCMPPD $%d, %s, %s, %s", notGreater, w.v(high), w.v(v), w.v(over))
		w.op("VMOVMSKPD %s, AX", w.v(under))
		w.op("VANDNPD %s, %s, %s", w.v(over), w.v(under), w.v(over))
		w.op("VMOVMSKPD %s, BX", w.v(over))
		w.op("MOVQ BX, R10")
		w.op("SHLQ $5, R10")
		w.op("VMOVUPD (R12)(R10*1), %s", w.v(packed))
		w.op("VPERMD %s, %s, %s", w.v(v), w.v(packed), w.v(packed))
		w.drop(under, over)
	}
	w.op("VMOVUPD %s, (DX)", w.v(packed))
	w.op("POPCNTQ AX, AX")
	w.op("POPCNTQ BX, BX")
	w.op("ADDQ AX, R9")
	w.op("LEAQ (DX)(BX*8), DX")
	w.drop(packed)
}

// packs are, for each set of lanes of AVX2, the places of their halves one after the other.
func packs(out *bytes.Buffer) {
	for set := range 16 {
		at := 0
		for lane := range 4 {
			if set>>lane&1 != 0 {
				fmt.Fprintf(out, "DATA packs<>+%d(SB)/8, $%#016x\n", 32*set+8*at, 2*lane|(2*lane+1)<<32)
				at++
			}
		}
		for ; at < 4; at++ {
			fmt.Fprintf(out, "DATA packs<>+%d(SB)/8, $0\n", 32*set+8*at)
		}
	}
	out.WriteString("GLOBL packs<>(SB), RODATA|NOPTR, $512\n")
	for i := range 8 {
		fmt.Fprintf(out, "DATA tails<>+%d(SB)/8, $%d\n", 8*i, -(1 - i/4))
	}
	out.WriteString("GLOBL tails<>(SB), RODATA|NOPTR, $64\n")
}
