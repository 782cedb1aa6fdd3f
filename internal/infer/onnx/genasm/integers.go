package main

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

// vnni is the set of integers: bytes times signed bytes, four products to a
// 32-bit sum.
var vnni = isa{Set: asm.Set{Name: "vnni", Reg: "Z", Lanes: 16, Opmask: true}, tile: 14, dwTile: 7}

// Registers above the accumulators of the largest tile.
const (
	rFree = 28
	rZero = 30
)

// intTile is the matrix product of integers. A step takes four channels of a pixel.
func (w *writer) intTile(m, nv int) {
	w.tileOf(product{args: "intTileArgs", start: "start", load: "VMOVDQU32", copy: "VMOVDQA32", broadcast: "VPBROADCASTD", multiply: "VPDPBUSD",
		tap: "ADDQ AX, R10", weights: rFree, inputs: rFree + 2, inputSet: 2}, m, nv,
		func(acc func(i, v int) int, part bool) {
			w.intFinish(m, nv, acc, func(v int) mask { return mask{on: part, opmask: v + 1} }, "", "")
		})
}

// intFinish makes floats of sums, adds the residual, if there is one, clamps
// and stores floats or bytes. The indices are those of bytes and of floats.
func (w *writer) intFinish(m, nv int, acc func(i, v int) int, masks func(v int) mask, byteIndex, floatIndex string) {
	float := func(v int) string { return fmt.Sprintf("%d(AX)%s", v*w.size(), floatIndex) }
	for v := range nv {
		w.Op("MOVQ intTileArgs_mult(DI), AX")
		w.load(float(v), rFree, intMask(masks(v), floatIndex))
		w.Op("MOVQ intTileArgs_add(DI), AX")
		w.load(float(v), rFree+1, intMask(masks(v), floatIndex))
		for i := range m {
			w.Op("VCVTDQ2PS %s, %s", w.V(acc(i, v)), w.V(acc(i, v)))
			w.Op("VFMADD213PS %s, %s, %s", w.V(rFree+1), w.V(rFree), w.V(acc(i, v)))
		}
	}
	plain, toBytes, done := w.Fresh("plain"), w.Fresh("bytes"), w.Fresh("stored")
	w.Op("CMPQ intTileArgs_hasRes(DI), $0")
	w.Op("JE %s", plain)
	w.Op("VBROADCASTSS intTileArgs_resScale(DI), %s", w.V(rFree+1))
	w.Op("MOVQ intTileArgs_res(DI), AX")
	for i := range m {
		for v := range nv {
			w.load(float(v), rFree, masks(v))
			w.Op("VFMADD231PS %s, %s, %s", w.V(rFree+1), w.V(rFree), w.V(acc(i, v)))
		}
		w.Op("ADDQ intTileArgs_resStep(DI), AX")
	}
	w.Mark(plain)
	w.Op("VBROADCASTSS intTileArgs_lo(DI), %s", w.V(rFree))
	w.Op("VBROADCASTSS intTileArgs_hi(DI), %s", w.V(rFree+1))
	w.Op("MOVQ intTileArgs_out(DI), AX")
	w.Op("MOVQ intTileArgs_outStep(DI), R8")
	w.Op("CMPQ intTileArgs_toBytes(DI), $0")
	w.Op("JNE %s", toBytes)
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), rFree, rFree+1)
			w.store(acc(i, v), float(v), masks(v))
		}
		w.Op("ADDQ R8, AX")
	}
	w.Op("JMP %s", done)
	w.Mark(toBytes)
	w.Op("VPBROADCASTD intTileArgs_zero(DI), %s", w.V(rZero))
	for i := range m {
		for v := range nv {
			w.round(acc(i, v), rFree, rFree+1, rZero)
			w.storeBytes(acc(i, v), fmt.Sprintf("%d(AX)%s", v*w.Lanes, byteIndex), masks(v))
		}
		w.Op("ADDQ R8, AX")
	}
	w.Mark(done)
}

// intMask is the mask of what has a number per channel: in a panel that is
// packed with those that do not exist.
func intMask(m mask, index string) mask {
	if index == "" {
		return mask{}
	}
	return m
}

// round clamps, NaN to the lower bound, and rounds half to even.
func (w *writer) round(x, lo, hi, zero int) {
	w.Op("VMAXPS %s, %s, %s", w.V(lo), w.V(x), w.V(x))
	w.Op("VMINPS %s, %s, %s", w.V(hi), w.V(x), w.V(x))
	w.Op("VCVTPS2DQ %s, %s", w.V(x), w.V(x))
	w.Op("VPADDD %s, %s, %s", w.V(zero), w.V(x), w.V(x))
}

func (w *writer) storeBytes(x int, addr string, m mask) {
	w.Op("VPMOVDB %s, X%d", w.V(x), x)
	if m.on {
		w.Op("VMOVDQU8 X%d, K%d, %s", x, m.opmask, addr)
		return
	}
	w.Op("VMOVDQU8 X%d, %s", x, addr)
}

// loadBytes makes 32-bit integers of bytes.
func (w *writer) loadBytes(addr string, x int, m mask) {
	if m.on {
		w.Op("VPMOVZXBD.Z %s, K%d, %s", addr, m.opmask, w.V(x))
		return
	}
	w.Op("VPMOVZXBD %s, %s", addr, w.V(x))
}

// intDepthwise filters tiles of m pixels, all their channels: a pixel's 32-bit
// integers hold a byte in their lower half, the filter's a signed number, and
// what the product of pairs adds is that of the lower halves.
func (w *writer) intDepthwise(m int) {
	w.function(fmt.Sprintf("%sDepthwise%d", w.Name, m), "intTileArgs", fmt.Sprintf("Filters tiles of %d pixels, channel by channel.", m))
	bases := []string{"R10", "R11"}[:(m+4)/5]
	w.Mark("tile")
	w.walk("intTileArgs_n(DI)", 2, 1, func(nv int, k mask) {
		acc := func(i, v int) int { return i*nv + v }
		b, x := rFree, rFree+2
		w.Op("MOVQ intTileArgs_start(DI), AX")
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*4)", v*w.size()), acc(0, v), k)
			for i := 1; i < m; i++ {
				w.Op("VMOVDQA32 %s, %s", w.V(acc(0, v)), w.V(acc(i, v)))
			}
		}
		w.Op("MOVQ intTileArgs_aStep(DI), R8")
		w.Op("LEAQ (R8)(R8*2), R9")
		w.Op("MOVQ intTileArgs_w(DI), SI")
		w.Op("LEAQ (SI)(R13*4), SI")
		w.Op("MOVQ intTileArgs_taps(DI), DX")
		w.Op("MOVQ intTileArgs_ntaps(DI), BX")
		w.Op("MOVQ intTileArgs_a(DI), CX")
		w.Op("ADDQ R13, CX")
		tap := w.Fresh("tap")
		w.Mark(tap)
		w.Op("MOVQ (DX), AX")
		w.Op("ADDQ $8, DX")
		w.Op("LEAQ (CX)(AX*1), R10")
		if len(bases) > 1 {
			w.Op("LEAQ (R10)(R8*4), R11")
			w.Op("ADDQ R8, R11")
		}
		for v := range nv {
			w.load(fmt.Sprintf("%d(SI)", v*w.size()), b+v, k)
		}
		for i := range m {
			for v := range nv {
				w.loadBytes(pixel(i, v*w.Lanes, bases, "R8", "R9"), x+v, k)
				w.Op("VPDPWSSD %s, %s, %s", w.V(b+v), w.V(x+v), w.V(acc(i, v)))
			}
		}
		w.Op("ADDQ intTileArgs_wStep(DI), SI")
		w.Op("DECQ BX")
		w.Op("JNZ %s", tap)
		w.intFinish(m, nv, acc, func(int) mask { return k }, "(R13*1)", "(R13*4)")
	})
	w.nextTile("intTileArgs")
}

// rowKind is what a function of rows computes before it clamps.
type rowKind int

const (
	affine rowKind = iota // a factor and a shift per channel
	divide                // by the step of the bytes that it makes
	sum                   // of two, then divided
)

// intRows is a function that goes through pixels and their channels, from and
// to floats or bytes. SI and DX are the operands, BX the result, R10 and R11
// scale and shift.
func (w *writer) intRows(name, doc string, fromFloats, toFloats bool, kind rowKind) {
	w.function(w.Name+name, "scaleRowArgs", doc)
	w.Op("MOVQ scaleRowArgs_a(DI), SI")
	w.Op("MOVQ scaleRowArgs_b(DI), DX")
	w.Op("MOVQ scaleRowArgs_out(DI), BX")
	w.Op("MOVQ scaleRowArgs_scale(DI), R10")
	w.Op("MOVQ scaleRowArgs_shift(DI), R11")
	const lo, hi, zero, zeroA, zeroB, scaleA, scaleB, step = 20, 21, 22, 23, 24, 25, 26, 27
	for i, f := range []string{"lo", "hi", "zero", "zeroA", "zeroB", "scaleA", "scaleB", "step"} {
		w.Op("VBROADCASTSS scaleRowArgs_%s(DI), %s", f, w.V(lo+i))
	}
	floats := func(v int, reg string) string { return fmt.Sprintf("%d(%s)(R13*4)", v*w.size(), reg) }
	bytes := func(v int, reg string) string { return fmt.Sprintf("%d(%s)(R13*1)", v*w.Lanes, reg) }
	byteOperand := func(v int, reg string, x, zero int, k mask) {
		w.loadBytes(bytes(v, reg), x, k)
		w.Op("VCVTDQ2PS %s, %s", w.V(x), w.V(x))
		w.Op("VSUBPS %s, %s, %s", w.V(zero), w.V(x), w.V(x))
	}
	w.Mark("pixel")
	w.walk("scaleRowArgs_c(DI)", 4, 1, func(nv int, k mask) {
		for v := range nv {
			x, t := 3*v, 3*v+1
			if fromFloats {
				w.load(floats(v, "SI"), x, k)
			} else {
				byteOperand(v, "SI", x, zeroA, k)
			}
			if kind != affine && !fromFloats {
				w.Op("VMULPS %s, %s, %s", w.V(scaleA), w.V(x), w.V(x))
			}
			if kind == sum {
				byteOperand(v, "DX", t, zeroB, k)
				w.Op("VMULPS %s, %s, %s", w.V(scaleB), w.V(t), w.V(t))
				w.Op("VADDPS %s, %s, %s", w.V(t), w.V(x), w.V(x))
			}
			if kind != affine {
				w.Op("VDIVPS %s, %s, %s", w.V(step), w.V(x), w.V(x))
			} else {
				w.load(floats(v, "R10"), t, k)
				w.load(floats(v, "R11"), t+1, k)
				w.Op("VFMADD213PS %s, %s, %s", w.V(t+1), w.V(t), w.V(x))
			}
			if toFloats {
				w.clamp(x, lo, hi)
				w.store(x, floats(v, "BX"), k)
			} else {
				w.round(x, lo, hi, zero)
				w.storeBytes(x, bytes(v, "BX"), k)
			}
		}
	})
	w.Op("ADDQ scaleRowArgs_aStep(DI), SI")
	w.Op("ADDQ scaleRowArgs_bStep(DI), DX")
	w.Op("ADDQ scaleRowArgs_outStep(DI), BX")
	w.Op("DECQ scaleRowArgs_m(DI)")
	w.Op("JNZ pixel")
	w.End()
}

func (w *writer) integers() {
	for nv := 1; nv <= 2; nv++ {
		for m := 1; m <= w.tile; m++ {
			w.intTile(m, nv)
		}
	}
	for m := 1; m <= w.dwTile; m++ {
		w.intDepthwise(m)
	}
	w.intRows("FloatsToBytes", "a*scale + shift, clamped and rounded.", true, false, affine)
	w.intRows("Quantise", "a / step, clamped and rounded.", true, false, divide)
	w.intRows("BytesToBytes", "(a - zeroA)*scale + shift, clamped and rounded.", false, false, affine)
	w.intRows("Requantise", "(a - zeroA)*scaleA / step, clamped and rounded.", false, false, divide)
	w.intRows("BytesToFloats", "(a - zeroA)*scale + shift, clamped.", false, true, affine)
	w.intRows("Add", "((a - zeroA)*scaleA + (b - zeroB)*scaleB) / step, clamped and rounded.", false, false, sum)
}
