package main

import "fmt"

// vnni is the set of integers: bytes times signed bytes, four products to a
// 32-bit sum.
var vnni = isa{name: "vnni", reg: "Z", lanes: 16, tile: 14, dwTile: 7, opmask: true}

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
		w.op("MOVQ intTileArgs_mult(DI), AX")
		w.load(float(v), rFree, intMask(masks(v), floatIndex))
		w.op("MOVQ intTileArgs_add(DI), AX")
		w.load(float(v), rFree+1, intMask(masks(v), floatIndex))
		for i := range m {
			w.op("VCVTDQ2PS %s, %s", w.v(acc(i, v)), w.v(acc(i, v)))
			w.op("VFMADD213PS %s, %s, %s", w.v(rFree+1), w.v(rFree), w.v(acc(i, v)))
		}
	}
	plain, toBytes, done := w.fresh("plain"), w.fresh("bytes"), w.fresh("stored")
	w.op("CMPQ intTileArgs_hasRes(DI), $0")
	w.op("JE %s", plain)
	w.op("VBROADCASTSS intTileArgs_resScale(DI), %s", w.v(rFree+1))
	w.op("MOVQ intTileArgs_res(DI), AX")
	for i := range m {
		for v := range nv {
			w.load(float(v), rFree, masks(v))
			w.op("VFMADD231PS %s, %s, %s", w.v(rFree+1), w.v(rFree), w.v(acc(i, v)))
		}
		w.op("ADDQ intTileArgs_resStep(DI), AX")
	}
	w.mark(plain)
	w.op("VBROADCASTSS intTileArgs_lo(DI), %s", w.v(rFree))
	w.op("VBROADCASTSS intTileArgs_hi(DI), %s", w.v(rFree+1))
	w.op("MOVQ intTileArgs_out(DI), AX")
	w.op("MOVQ intTileArgs_outStep(DI), R8")
	w.op("CMPQ intTileArgs_toBytes(DI), $0")
	w.op("JNE %s", toBytes)
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), rFree, rFree+1)
			w.store(acc(i, v), float(v), masks(v))
		}
		w.op("ADDQ R8, AX")
	}
	w.op("JMP %s", done)
	w.mark(toBytes)
	w.op("VPBROADCASTD intTileArgs_zero(DI), %s", w.v(rZero))
	for i := range m {
		for v := range nv {
			w.round(acc(i, v), rFree, rFree+1, rZero)
			w.storeBytes(acc(i, v), fmt.Sprintf("%d(AX)%s", v*w.lanes, byteIndex), masks(v))
		}
		w.op("ADDQ R8, AX")
	}
	w.mark(done)
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
	w.op("VMAXPS %s, %s, %s", w.v(lo), w.v(x), w.v(x))
	w.op("VMINPS %s, %s, %s", w.v(hi), w.v(x), w.v(x))
	w.op("VCVTPS2DQ %s, %s", w.v(x), w.v(x))
	w.op("VPADDD %s, %s, %s", w.v(zero), w.v(x), w.v(x))
}

func (w *writer) storeBytes(x int, addr string, m mask) {
	w.op("VPMOVDB %s, X%d", w.v(x), x)
	if m.on {
		w.op("VMOVDQU8 X%d, K%d, %s", x, m.opmask, addr)
		return
	}
	w.op("VMOVDQU8 X%d, %s", x, addr)
}

// loadBytes makes 32-bit integers of bytes.
func (w *writer) loadBytes(addr string, x int, m mask) {
	if m.on {
		w.op("VPMOVZXBD.Z %s, K%d, %s", addr, m.opmask, w.v(x))
		return
	}
	w.op("VPMOVZXBD %s, %s", addr, w.v(x))
}

// intDepthwise filters tiles of m pixels, all their channels: a pixel's 32-bit
// integers hold a byte in their lower half, the filter's a signed number, and
// what the product of pairs adds is that of the lower halves.
func (w *writer) intDepthwise(m int) {
	w.function(fmt.Sprintf("%sDepthwise%d", w.name, m), "intTileArgs", fmt.Sprintf("Filters tiles of %d pixels, channel by channel.", m))
	bases := []string{"R10", "R11"}[:(m+4)/5]
	w.mark("tile")
	w.walk("intTileArgs_n(DI)", 2, 1, func(nv int, k mask) {
		acc := func(i, v int) int { return i*nv + v }
		b, x := rFree, rFree+2
		w.op("MOVQ intTileArgs_start(DI), AX")
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*4)", v*w.size()), acc(0, v), k)
			for i := 1; i < m; i++ {
				w.op("VMOVDQA32 %s, %s", w.v(acc(0, v)), w.v(acc(i, v)))
			}
		}
		w.op("MOVQ intTileArgs_aStep(DI), R8")
		w.op("LEAQ (R8)(R8*2), R9")
		w.op("MOVQ intTileArgs_w(DI), SI")
		w.op("LEAQ (SI)(R13*4), SI")
		w.op("MOVQ intTileArgs_taps(DI), DX")
		w.op("MOVQ intTileArgs_ntaps(DI), BX")
		w.op("MOVQ intTileArgs_a(DI), CX")
		w.op("ADDQ R13, CX")
		tap := w.fresh("tap")
		w.mark(tap)
		w.op("MOVQ (DX), AX")
		w.op("ADDQ $8, DX")
		w.op("LEAQ (CX)(AX*1), R10")
		if len(bases) > 1 {
			w.op("LEAQ (R10)(R8*4), R11")
			w.op("ADDQ R8, R11")
		}
		for v := range nv {
			w.load(fmt.Sprintf("%d(SI)", v*w.size()), b+v, k)
		}
		for i := range m {
			for v := range nv {
				w.loadBytes(pixel(i, v*w.lanes, bases, "R8", "R9"), x+v, k)
				w.op("VPDPWSSD %s, %s, %s", w.v(b+v), w.v(x+v), w.v(acc(i, v)))
			}
		}
		w.op("ADDQ intTileArgs_wStep(DI), SI")
		w.op("DECQ BX")
		w.op("JNZ %s", tap)
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
	w.function(w.name+name, "scaleRowArgs", doc)
	w.op("MOVQ scaleRowArgs_a(DI), SI")
	w.op("MOVQ scaleRowArgs_b(DI), DX")
	w.op("MOVQ scaleRowArgs_out(DI), BX")
	w.op("MOVQ scaleRowArgs_scale(DI), R10")
	w.op("MOVQ scaleRowArgs_shift(DI), R11")
	const lo, hi, zero, zeroA, zeroB, scaleA, scaleB, step = 20, 21, 22, 23, 24, 25, 26, 27
	for i, f := range []string{"lo", "hi", "zero", "zeroA", "zeroB", "scaleA", "scaleB", "step"} {
		w.op("VBROADCASTSS scaleRowArgs_%s(DI), %s", f, w.v(lo+i))
	}
	floats := func(v int, reg string) string { return fmt.Sprintf("%d(%s)(R13*4)", v*w.size(), reg) }
	bytes := func(v int, reg string) string { return fmt.Sprintf("%d(%s)(R13*1)", v*w.lanes, reg) }
	byteOperand := func(v int, reg string, x, zero int, k mask) {
		w.loadBytes(bytes(v, reg), x, k)
		w.op("VCVTDQ2PS %s, %s", w.v(x), w.v(x))
		w.op("VSUBPS %s, %s, %s", w.v(zero), w.v(x), w.v(x))
	}
	w.mark("pixel")
	w.walk("scaleRowArgs_c(DI)", 4, 1, func(nv int, k mask) {
		for v := range nv {
			x, t := 3*v, 3*v+1
			if fromFloats {
				w.load(floats(v, "SI"), x, k)
			} else {
				byteOperand(v, "SI", x, zeroA, k)
			}
			if kind != affine && !fromFloats {
				w.op("VMULPS %s, %s, %s", w.v(scaleA), w.v(x), w.v(x))
			}
			if kind == sum {
				byteOperand(v, "DX", t, zeroB, k)
				w.op("VMULPS %s, %s, %s", w.v(scaleB), w.v(t), w.v(t))
				w.op("VADDPS %s, %s, %s", w.v(t), w.v(x), w.v(x))
			}
			if kind != affine {
				w.op("VDIVPS %s, %s, %s", w.v(step), w.v(x), w.v(x))
			} else {
				w.load(floats(v, "R10"), t, k)
				w.load(floats(v, "R11"), t+1, k)
				w.op("VFMADD213PS %s, %s, %s", w.v(t+1), w.v(t), w.v(x))
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
	w.op("ADDQ scaleRowArgs_aStep(DI), SI")
	w.op("ADDQ scaleRowArgs_bStep(DI), DX")
	w.op("ADDQ scaleRowArgs_outStep(DI), BX")
	w.op("DECQ scaleRowArgs_m(DI)")
	w.op("JNZ pixel")
	w.end()
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
