package main

import "fmt"

// unroll is how many inputs a step of the matrix product's loop takes.
const unroll = 4

// product is how a matrix product of floats or of integers is written.
type product struct {
	args, start               string // the struct of arguments, and its field that sums start from
	load, copy                string // instructions
	broadcast, multiply       string
	tap                       string // adds the tap in AX to R10
	weights, inputs, inputSet int    // the first registers of the weights, and those that inputs take in turn
}

// panelTile is the matrix product of floats.
func (w *writer) panelTile(m, nv int) {
	b := w.top()
	w.tileOf(product{args: "tileArgs", start: "bias", load: "VMOVUPS", copy: "VMOVAPS", broadcast: "VBROADCASTSS", multiply: "VFMADD231PS",
		tap: "LEAQ (R10)(AX*4), R10", weights: b, inputs: b + 2, inputSet: 1}, m, nv,
		func(acc func(i, v int) int, part bool) { w.finish(m, nv, acc, b, part) })
}

// tileOf is the matrix product of tiles of m pixels and nv vectors of channels, tiles times from left to right. finish
// writes what becomes of the sums, of whole vectors or of part of them.
func (w *writer) tileOf(p product, m, nv int, finish func(acc func(i, v int) int, part bool)) {
	w.function(fmt.Sprintf("%sTile%dx%d", w.name, m, nv), p.args, fmt.Sprintf("Tiles of %d pixels by %d channels.", m, nv*w.lanes))
	acc := func(i, v int) int { return i*nv + v }
	bases := []string{"R10", "R11", "R12"}[:(m+4)/5]
	w.mark("tile")
	w.op("MOVQ %s_aStep(DI), R8", p.args)
	w.op("LEAQ (R8)(R8*2), R9")
	w.op("MOVQ %s_%s(DI), AX", p.args, p.start)
	for v := range nv {
		w.op("%s %d(AX), %s", p.load, v*w.size(), w.v(acc(0, v)))
		for i := 1; i < m; i++ {
			w.op("%s %s, %s", p.copy, w.v(acc(0, v)), w.v(acc(i, v)))
		}
	}
	w.op("MOVQ %s_w(DI), SI", p.args)
	w.op("MOVQ %s_taps(DI), DX", p.args)
	w.op("MOVQ %s_ntaps(DI), BX", p.args)

	w.mark("tap")
	w.op("MOVQ (DX), AX")
	w.op("ADDQ $8, DX")
	w.op("MOVQ %s_a(DI), R10", p.args)
	w.op("%s", p.tap)
	for i := 1; i < len(bases); i++ {
		w.op("LEAQ (%s)(R8*4), %s", bases[i-1], bases[i])
		w.op("ADDQ R8, %s", bases[i])
	}
	step := func(k int) {
		for v := range nv {
			w.op("%s %d(SI), %s", p.load, (k*nv+v)*w.size(), w.v(p.weights+v))
		}
		for i := range m {
			x := w.v(p.inputs + i%p.inputSet)
			w.op("%s %s, %s", p.broadcast, pixel(i, 4*k, bases, "R8", "R9"), x)
			for v := range nv {
				w.op("%s %s, %s, %s", p.multiply, w.v(p.weights+v), x, w.v(acc(i, v)))
			}
		}
	}
	advance := func(n int) {
		w.op("ADDQ $%d, SI", n*nv*w.size())
		for _, r := range bases {
			w.op("ADDQ $%d, %s", 4*n, r)
		}
	}
	w.op("MOVQ %s_depth(DI), CX", p.args)
	w.op("SUBQ $%d, CX", unroll)
	w.op("JLT some")
	w.mark("many")
	for k := range unroll {
		step(k)
	}
	advance(unroll)
	w.op("SUBQ $%d, CX", unroll)
	w.op("JGE many")
	w.mark("some")
	w.op("ADDQ $%d, CX", unroll)
	w.op("JZ done")
	w.mark("one")
	step(0)
	advance(1)
	w.op("DECQ CX")
	w.op("JNZ one")
	w.mark("done")
	w.op("DECQ BX")
	w.op("JNZ tap")

	w.op("MOVQ %s_n(DI), AX", p.args)
	w.op("CMPQ AX, $%d", nv*w.lanes)
	w.op("JNE part")
	finish(acc, false)
	w.op("JMP next")
	w.mark("part")
	w.setMasks(nv, p.weights+2)
	finish(acc, true)
	w.mark("next")
	w.nextTile(p.args)
}

// nextTile goes on to the next tile, if there is one: the pointers stay within
// their slices, where the garbage collector may look at them.
func (w *writer) nextTile(args string) {
	w.op("DECQ %s_tiles(DI)", args)
	w.op("JZ end")
	for _, f := range []string{"out", "res", "a"} {
		w.op("MOVQ %s_%sTile(DI), AX", args, f)
		w.op("ADDQ AX, %s_%s(DI)", args, f)
	}
	w.op("JMP tile")
	w.mark("end")
	w.end()
}

// finish adds the residual, if there is one, clamps and stores.
func (w *writer) finish(m, nv int, acc func(i, v int) int, free int, part bool) {
	masks := func(v int) mask { return mask{on: part, opmask: v + 1, reg: free + 2 + v} }
	plain := w.fresh("plain")
	w.op("CMPQ tileArgs_hasRes(DI), $0")
	w.op("JE %s", plain)
	w.op("MOVQ tileArgs_res(DI), AX")
	w.op("MOVQ tileArgs_resStep(DI), R8")
	for i := range m {
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)", v*w.size()), free, masks(v))
			w.op("VADDPS %s, %s, %s", w.v(free), w.v(acc(i, v)), w.v(acc(i, v)))
		}
		w.op("ADDQ R8, AX")
	}
	w.mark(plain)
	w.op("VBROADCASTSS tileArgs_lo(DI), %s", w.v(free))
	w.op("VBROADCASTSS tileArgs_hi(DI), %s", w.v(free+1))
	w.op("MOVQ tileArgs_out(DI), AX")
	w.op("MOVQ tileArgs_outStep(DI), R8")
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), free, free+1)
			w.store(acc(i, v), fmt.Sprintf("%d(AX)", v*w.size()), masks(v))
		}
		w.op("ADDQ R8, AX")
	}
}

// depthwiseTile filters tiles of m pixels, all their channels.
func (w *writer) depthwiseTile(m int) {
	w.function(fmt.Sprintf("%sDepthwise%d", w.name, m), "tileArgs", fmt.Sprintf("Filters tiles of %d pixels, channel by channel.", m))
	bases := []string{"R10", "R11"}[:(m+4)/5]
	w.mark("tile")
	w.channels("tileArgs_n(DI)", 2, func(nv int, k mask) {
		acc := func(i, v int) int { return i*nv + v }
		b := 12 // AVX2: above 6 x 2
		if w.opmask {
			b = w.top()
		}
		w.op("MOVQ tileArgs_bias(DI), AX")
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), acc(0, v), k)
			for i := 1; i < m; i++ {
				w.op("VMOVAPS %s, %s", w.v(acc(0, v)), w.v(acc(i, v)))
			}
		}
		w.op("MOVQ tileArgs_aStep(DI), R8")
		w.op("LEAQ (R8)(R8*2), R9")
		w.op("MOVQ tileArgs_w(DI), SI")
		w.op("ADDQ R13, SI")
		w.op("MOVQ tileArgs_taps(DI), DX")
		w.op("MOVQ tileArgs_ntaps(DI), BX")
		w.op("MOVQ tileArgs_a(DI), CX")
		w.op("ADDQ R13, CX")
		tap := w.fresh("tap")
		w.mark(tap)
		w.op("MOVQ (DX), AX")
		w.op("ADDQ $8, DX")
		w.op("LEAQ (CX)(AX*4), R10")
		if len(bases) > 1 {
			w.op("LEAQ (R10)(R8*4), R11")
			w.op("ADDQ R8, R11")
		}
		for v := range nv {
			w.load(fmt.Sprintf("%d(SI)", v*w.size()), b+v, k)
		}
		for i := range m {
			for v := range nv {
				addr := pixel(i, v*w.size(), bases, "R8", "R9")
				if k.on {
					w.load(addr, b+1, k)
					addr = w.v(b + 1)
				}
				w.op("VFMADD231PS %s, %s, %s", addr, w.v(b+v), w.v(acc(i, v)))
			}
		}
		w.op("ADDQ tileArgs_wStep(DI), SI")
		w.op("DECQ BX")
		w.op("JNZ %s", tap)
		w.finishDepthwise(m, nv, acc, b, k)
	})
	w.nextTile("tileArgs")
}

func (w *writer) finishDepthwise(m, nv int, acc func(i, v int) int, free int, k mask) {
	plain := w.fresh("plain")
	w.op("CMPQ tileArgs_hasRes(DI), $0")
	w.op("JE %s", plain)
	w.op("MOVQ tileArgs_res(DI), AX")
	for i := range m {
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), free, k)
			w.op("VADDPS %s, %s, %s", w.v(free), w.v(acc(i, v)), w.v(acc(i, v)))
		}
		w.op("ADDQ tileArgs_resStep(DI), AX")
	}
	w.mark(plain)
	w.op("VBROADCASTSS tileArgs_lo(DI), %s", w.v(free))
	w.op("VBROADCASTSS tileArgs_hi(DI), %s", w.v(free+1))
	w.op("MOVQ tileArgs_out(DI), AX")
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), free, free+1)
			w.store(acc(i, v), fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), k)
		}
		w.op("ADDQ tileArgs_outStep(DI), AX")
	}
}
