package main

import "fmt"

// unroll is how many inputs a step of the matrix product's loop takes.
const unroll = 4

// ahead is how many bytes before their use weights are asked for: they come from the second-level cache or beyond, and what
// a processor fetches by itself ends at each page. Past their end it does no harm.
const ahead = 4 << 10

const cacheLine = 64

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
	w.function(fmt.Sprintf("%sTile%dx%d", w.Name, m, nv), p.args, fmt.Sprintf("Tiles of %d pixels by %d channels.", m, nv*w.Lanes))
	acc := func(i, v int) int { return i*nv + v }
	bases := []string{"R10", "R11", "R12"}[:(m+4)/5]
	w.Mark("tile")
	w.Op("MOVQ %s_aStep(DI), R8", p.args)
	w.Op("LEAQ (R8)(R8*2), R9")
	w.Op("MOVQ %s_%s(DI), AX", p.args, p.start)
	for v := range nv {
		w.Op("%s %d(AX), %s", p.load, v*w.size(), w.V(acc(0, v)))
		for i := 1; i < m; i++ {
			w.Op("%s %s, %s", p.copy, w.V(acc(0, v)), w.V(acc(i, v)))
		}
	}
	w.Op("MOVQ %s_w(DI), SI", p.args)
	w.Op("MOVQ %s_taps(DI), DX", p.args)
	w.Op("MOVQ %s_ntaps(DI), BX", p.args)

	w.Mark("tap")
	w.Op("MOVQ (DX), AX")
	w.Op("ADDQ $8, DX")
	w.Op("MOVQ %s_a(DI), R10", p.args)
	w.Op("%s", p.tap)
	for i := 1; i < len(bases); i++ {
		w.Op("LEAQ (%s)(R8*4), %s", bases[i-1], bases[i])
		w.Op("ADDQ R8, %s", bases[i])
	}
	step := func(k int) {
		for v := range nv {
			at := (k*nv + v) * w.size()
			w.Op("%s %d(SI), %s", p.load, at, w.V(p.weights+v))
			if at%cacheLine == 0 {
				w.Op("PREFETCHT0 %d(SI)", at+ahead)
			}
		}
		for i := range m {
			x := w.V(p.inputs + i%p.inputSet)
			w.Op("%s %s, %s", p.broadcast, pixel(i, 4*k, bases, "R8", "R9"), x)
			for v := range nv {
				w.Op("%s %s, %s, %s", p.multiply, w.V(p.weights+v), x, w.V(acc(i, v)))
			}
		}
	}
	advance := func(n int) {
		w.Op("ADDQ $%d, SI", n*nv*w.size())
		for _, r := range bases {
			w.Op("ADDQ $%d, %s", 4*n, r)
		}
	}
	w.Op("MOVQ %s_depth(DI), CX", p.args)
	w.Op("SUBQ $%d, CX", unroll)
	w.Op("JLT some")
	w.Mark("many")
	for k := range unroll {
		step(k)
	}
	advance(unroll)
	w.Op("SUBQ $%d, CX", unroll)
	w.Op("JGE many")
	w.Mark("some")
	w.Op("ADDQ $%d, CX", unroll)
	w.Op("JZ done")
	w.Mark("one")
	step(0)
	advance(1)
	w.Op("DECQ CX")
	w.Op("JNZ one")
	w.Mark("done")
	w.Op("DECQ BX")
	w.Op("JNZ tap")

	w.Op("MOVQ %s_n(DI), AX", p.args)
	w.Op("CMPQ AX, $%d", nv*w.Lanes)
	w.Op("JNE part")
	finish(acc, false)
	w.Op("JMP next")
	w.Mark("part")
	w.setMasks(nv, p.weights+2)
	finish(acc, true)
	w.Mark("next")
	w.nextTile(p.args)
}

// nextTile goes on to the next tile, if there is one: the pointers stay within
// their slices, where the garbage collector may look at them.
func (w *writer) nextTile(args string) {
	w.Op("DECQ %s_tiles(DI)", args)
	w.Op("JZ end")
	for _, f := range []string{"out", "res", "a"} {
		w.Op("MOVQ %s_%sTile(DI), AX", args, f)
		w.Op("ADDQ AX, %s_%s(DI)", args, f)
	}
	w.Op("JMP tile")
	w.Mark("end")
	w.End()
}

// finish adds the residual, if there is one, clamps and stores.
func (w *writer) finish(m, nv int, acc func(i, v int) int, free int, part bool) {
	masks := func(v int) mask { return mask{on: part, opmask: v + 1, reg: free + 2 + v} }
	plain := w.Fresh("plain")
	w.Op("CMPQ tileArgs_hasRes(DI), $0")
	w.Op("JE %s", plain)
	w.Op("MOVQ tileArgs_res(DI), AX")
	w.Op("MOVQ tileArgs_resStep(DI), R8")
	for i := range m {
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)", v*w.size()), free, masks(v))
			w.Op("VADDPS %s, %s, %s", w.V(free), w.V(acc(i, v)), w.V(acc(i, v)))
		}
		w.Op("ADDQ R8, AX")
	}
	w.Mark(plain)
	w.Op("VBROADCASTSS tileArgs_lo(DI), %s", w.V(free))
	w.Op("VBROADCASTSS tileArgs_hi(DI), %s", w.V(free+1))
	w.Op("MOVQ tileArgs_out(DI), AX")
	w.Op("MOVQ tileArgs_outStep(DI), R8")
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), free, free+1)
			w.store(acc(i, v), fmt.Sprintf("%d(AX)", v*w.size()), masks(v))
		}
		w.Op("ADDQ R8, AX")
	}
}

// depthwiseTile filters tiles of m pixels, all their channels.
func (w *writer) depthwiseTile(m int) {
	w.function(fmt.Sprintf("%sDepthwise%d", w.Name, m), "tileArgs", fmt.Sprintf("Filters tiles of %d pixels, channel by channel.", m))
	bases := []string{"R10", "R11"}[:(m+4)/5]
	w.Mark("tile")
	w.channels("tileArgs_n(DI)", 2, func(nv int, k mask) {
		acc := func(i, v int) int { return i*nv + v }
		b := 12 // AVX2: above 6 x 2
		if w.Opmask {
			b = w.top()
		}
		w.Op("MOVQ tileArgs_bias(DI), AX")
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), acc(0, v), k)
			for i := 1; i < m; i++ {
				w.Op("VMOVAPS %s, %s", w.V(acc(0, v)), w.V(acc(i, v)))
			}
		}
		w.Op("MOVQ tileArgs_aStep(DI), R8")
		w.Op("LEAQ (R8)(R8*2), R9")
		w.Op("MOVQ tileArgs_w(DI), SI")
		w.Op("ADDQ R13, SI")
		w.Op("MOVQ tileArgs_taps(DI), DX")
		w.Op("MOVQ tileArgs_ntaps(DI), BX")
		w.Op("MOVQ tileArgs_a(DI), CX")
		w.Op("ADDQ R13, CX")
		tap := w.Fresh("tap")
		w.Mark(tap)
		w.Op("MOVQ (DX), AX")
		w.Op("ADDQ $8, DX")
		w.Op("LEAQ (CX)(AX*4), R10")
		if len(bases) > 1 {
			w.Op("LEAQ (R10)(R8*4), R11")
			w.Op("ADDQ R8, R11")
		}
		for v := range nv {
			w.load(fmt.Sprintf("%d(SI)", v*w.size()), b+v, k)
		}
		for i := range m {
			for v := range nv {
				addr := pixel(i, v*w.size(), bases, "R8", "R9")
				if k.on {
					w.load(addr, b+1, k)
					addr = w.V(b + 1)
				}
				w.Op("VFMADD231PS %s, %s, %s", addr, w.V(b+v), w.V(acc(i, v)))
			}
		}
		w.Op("ADDQ tileArgs_wStep(DI), SI")
		w.Op("DECQ BX")
		w.Op("JNZ %s", tap)
		w.finishDepthwise(m, nv, acc, b, k)
	})
	w.nextTile("tileArgs")
}

func (w *writer) finishDepthwise(m, nv int, acc func(i, v int) int, free int, k mask) {
	plain := w.Fresh("plain")
	w.Op("CMPQ tileArgs_hasRes(DI), $0")
	w.Op("JE %s", plain)
	w.Op("MOVQ tileArgs_res(DI), AX")
	for i := range m {
		for v := range nv {
			w.load(fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), free, k)
			w.Op("VADDPS %s, %s, %s", w.V(free), w.V(acc(i, v)), w.V(acc(i, v)))
		}
		w.Op("ADDQ tileArgs_resStep(DI), AX")
	}
	w.Mark(plain)
	w.Op("VBROADCASTSS tileArgs_lo(DI), %s", w.V(free))
	w.Op("VBROADCASTSS tileArgs_hi(DI), %s", w.V(free+1))
	w.Op("MOVQ tileArgs_out(DI), AX")
	for i := range m {
		for v := range nv {
			w.clamp(acc(i, v), free, free+1)
			w.store(acc(i, v), fmt.Sprintf("%d(AX)(R13*1)", v*w.size()), k)
		}
		w.Op("ADDQ tileArgs_outStep(DI), AX")
	}
}
