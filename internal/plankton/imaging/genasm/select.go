package main

import (
	"bytes"
	"fmt"
)

// powers writes the squares of absolute values, rows without gaps: what is stored beyond the end of a row, the next one
// overwrites.
func (w *writer) powers() {
	w.function("Powers", "powerArgs", "Squares of the absolute values of rows.")
	w.Op("MOVQ powerArgs_src(DI), SI")
	w.Op("MOVQ powerArgs_dst(DI), DX")
	w.bytesOf("powerArgs_columns", "R8")
	w.Op("MOVQ powerArgs_rows(DI), R9")
	w.Mark("row")
	w.Op("MOVQ DX, BX")
	w.Op("ADDQ R8, DX")
	w.Mark("group")
	c, t := w.load("(SI)"), w.take()
	w.do3("VMULPD", c.re, c.re, c.re)
	w.do3("VMULPD", c.im, c.im, t)
	w.do3("VADDPD", c.re, t, t)
	w.Op("VMOVUPD %s, (BX)", w.V(t))
	w.Op("ADDQ $%d, SI", 2*w.size())
	w.Op("ADDQ $%d, BX", w.size())
	w.Op("CMPQ BX, DX")
	w.Op("JLT group")
	w.Op("DECQ R9")
	w.Op("JNZ row")
	w.End()
}

// between writes the kernel that keeps the values between two bounds and counts those below. What is left of a vector
// is compared with infinities in place of the values that there are not.
func (w *writer) between() {
	w.function("Between", "betweenArgs", "Keeps the values from low to high, and counts those below.")
	w.Op("MOVQ betweenArgs_src(DI), SI")
	w.Op("MOVQ betweenArgs_dst(DI), DX")
	w.Op("MOVQ betweenArgs_count(DI), CX")
	w.Op("XORQ R9, R9") // below
	low, high := w.take(), w.take()
	w.broadcast("betweenArgs_low(DI)", low)
	w.broadcast("betweenArgs_high(DI)", high)
	w.Op("MOVQ DX, R8")
	w.Op("LEAQ packs<>(SB), R12")
	w.Mark("loop")
	w.Op("CMPQ CX, $%d", w.Lanes)
	w.Op("JLT rest")
	v := w.take()
	w.Op("VMOVUPD (SI), %s", w.V(v))
	w.keep(v, low, high)
	w.Op("ADDQ $%d, SI", w.size())
	w.Op("SUBQ $%d, CX", w.Lanes)
	w.Op("JMP loop")
	w.Mark("rest")
	w.Op("TESTQ CX, CX")
	w.Op("JZ done")
	w.Op("VMOVUPD %s, %s", constant("infinity"), w.V(v))
	if w.Opmask {
		w.Op("MOVQ $1, AX")
		w.Op("SHLQ CX, AX")
		w.Op("DECQ AX")
		w.Op("KMOVW AX, K1")
		w.Op("VMOVUPD (SI), K1, %s", w.V(v))
	} else {
		mask, t := w.take(), w.take()
		w.Op("LEAQ tails<>+%d(SB), AX", w.size())
		w.Op("SHLQ $3, CX")
		w.Op("SUBQ CX, AX")
		w.Op("VMOVUPD (AX), %s", w.V(mask))
		w.Op("VMASKMOVPD (SI), %s, %s", w.V(mask), w.V(t))
		w.Op("VBLENDVPD %s, %s, %s, %s", w.V(mask), w.V(t), w.V(v), w.V(v))
	}
	w.keep(v, low, high)
	w.Mark("done")
	w.Op("SUBQ R8, DX")
	w.Op("SHRQ $3, DX")
	w.Op("MOVQ DX, betweenArgs_kept(DI)")
	w.Op("MOVQ R9, betweenArgs_below(DI)")
	w.End()
}

// keep appends the lanes of v between the bounds to what is at DX, and adds the number of those below to R9.
func (w *writer) keep(v, low, high int) {
	packed := w.take()
	if w.Opmask {
		w.Op("VCMPPD $%d, %s, %s, K1", less, w.V(low), w.V(v))
		w.Op("VCMPPD $%d, %s, %s, K2", notGreater, w.V(high), w.V(v))
		w.Op("KANDNW K2, K1, K2")
		w.Op("KMOVW K1, AX")
		w.Op("KMOVW K2, BX")
		w.Op("VCOMPRESSPD %s, K2, %s", w.V(v), w.V(packed))
	} else {
		under, over := w.take(), w.take()
		w.Op("VCMPPD $%d, %s, %s, %s", less, w.V(low), w.V(v), w.V(under))
		w.Op("VCMPPD $%d, %s, %s, %s", notGreater, w.V(high), w.V(v), w.V(over))
		w.Op("VMOVMSKPD %s, AX", w.V(under))
		w.Op("VANDNPD %s, %s, %s", w.V(over), w.V(under), w.V(over))
		w.Op("VMOVMSKPD %s, BX", w.V(over))
		w.Op("MOVQ BX, R10")
		w.Op("SHLQ $5, R10")
		w.Op("VMOVUPD (R12)(R10*1), %s", w.V(packed))
		w.Op("VPERMD %s, %s, %s", w.V(v), w.V(packed), w.V(packed))
		w.drop(under, over)
	}
	w.Op("VMOVUPD %s, (DX)", w.V(packed))
	w.Op("POPCNTQ AX, AX")
	w.Op("POPCNTQ BX, BX")
	w.Op("ADDQ AX, R9")
	w.Op("LEAQ (DX)(BX*8), DX")
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
