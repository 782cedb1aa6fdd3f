package main

import "fmt"

// Registers of the bounds, and the first of those above the sums.
const (
	nLo, nHi = 30, 31
	nFree    = 16
)

// panelTile is the matrix product of tiles of m pixels and nv vectors of
// channels, tiles times from left to right.
func (w *neon) panelTile(m, nv int) {
	w.function(fmt.Sprintf("Tile%dx%d", m, nv), "tileArgs", fmt.Sprintf("Tiles of %d pixels by %d channels.", m, nv*w.Lanes))
	acc := func(i, v int) int { return i*nv + v }
	pixel := func(i int) string { return fmt.Sprintf("R%d", 8+i) }
	const x, b = nFree, nFree + 8 // four inputs of each pixel, weights of four inputs
	all := block{nv: nv}
	w.Mark("tile")
	w.Op("MOVD tileArgs_aStep(R0), R5")
	w.Op("MOVD tileArgs_bias(R0), R6")
	w.load("R6", "0", 0, all)
	for i := 1; i < m; i++ {
		for v := range nv {
			w.move(acc(i, v), v)
		}
	}
	w.Op("MOVD tileArgs_w(R0), R1")
	w.Op("MOVD tileArgs_taps(R0), R2")
	w.Op("MOVD tileArgs_ntaps(R0), R3")

	w.Mark("tap")
	w.Op("MOVD.P 8(R2), R6")
	w.Op("MOVD tileArgs_a(R0), R8")
	w.Op("ADD R6<<2, R8, R8")
	for i := 1; i < m; i++ {
		w.Op("ADD R5, %s, %s", pixel(i-1), pixel(i))
	}
	w.Op("MOVD tileArgs_depth(R0), R4")
	w.Op("SUBS $%d, R4, R4", unroll)
	w.Op("BLT some")
	w.Mark("many")
	for v := range nv {
		w.load("R1", "", b+unroll*v, block{nv: unroll})
	}
	for i := range m {
		w.load(pixel(i), "", x+i, block{nv: 1})
	}
	for k := range unroll {
		for i := range m {
			for v := range nv {
				w.multiplyElement(acc(i, v), b+k*nv+v, x+i, k)
			}
		}
	}
	w.Op("SUBS $%d, R4, R4", unroll)
	w.Op("BGE many")
	w.Mark("some")
	w.Op("ADDS $%d, R4, R4", unroll)
	w.Op("BEQ done")
	w.Mark("one")
	w.load("R1", "", b, all)
	for i := range m {
		w.load(pixel(i), "", x+i, block{one: true})
		for v := range nv {
			w.multiplyElement(acc(i, v), b+v, x+i, 0)
		}
	}
	w.next("R4", "one")
	w.Mark("done")
	w.next("R3", "tap")
	w.finish(m, nv)
	w.nextTile()
}

// finish adds the residual, if there is one, clamps and stores.
func (w *neon) finish(m, nv int) {
	all := block{nv: nv}
	w.broadcast("tileArgs_lo", nLo)
	w.broadcast("tileArgs_hi", nHi)
	w.Op("MOVD tileArgs_hasRes(R0), R3")
	w.Op("MOVD tileArgs_n(R0), R4")
	w.Op("MOVD tileArgs_out(R0), R8")
	w.Op("MOVD tileArgs_outStep(R0), R9")
	w.Op("MOVD tileArgs_res(R0), R10")
	w.Op("MOVD tileArgs_resStep(R0), R11")
	w.Op("CMP $%d, R4", nv*w.Lanes)
	w.Op("BNE part")
	w.Op("CBZ R3, plain")
	for i := range m {
		w.load("R10", "R11", nFree, all)
		for v := range nv {
			w.three("fadd .4s", i*nv+v, i*nv+v, nFree+v)
		}
	}
	w.Mark("plain")
	for i := range m {
		for v := range nv {
			w.clamp(i*nv+v, nLo, nHi)
		}
		w.store(i*nv, "R8", "R9", all)
	}
	w.Op("B next")
	w.Mark("part")
	for i := range m {
		w.finishPart(i*nv, nv)
	}
	w.Mark("next")
}

// finishPart does the same for one pixel of R4 channels: it takes the first of
// its sums and moves the others down.
func (w *neon) finishPart(first, nv int) {
	const sum, res = nFree, nFree + 1
	channel, plain := w.Fresh("channel"), w.Fresh("bare")
	w.Op("MOVD R4, R14")
	w.Op("MOVD R8, R12")
	w.Op("MOVD R10, R13")
	w.Mark(channel)
	w.Op("FMOVS F%d, F%d", first, sum)
	for v := range nv {
		above := min(v+1, nv-1)
		w.Op("VEXT $4, V%d.B16, V%d.B16, V%d.B16", first+above, first+v, first+v)
	}
	w.Op("CBZ R3, %s", plain)
	w.Op("FMOVS.P 4(R13), F%d", res)
	w.Op("FADDS F%d, F%d, F%d", res, sum, sum)
	w.Mark(plain)
	w.clamp(sum, nLo, nHi)
	w.Op("FMOVS.P F%d, 4(R12)", sum)
	w.next("R14", channel)
	w.Op("ADD R9, R8, R8")
	w.Op("ADD R11, R10, R10")
}

// nextTile goes on to the next tile, if there is one: the pointers stay within
// their slices, where the garbage collector may look at them.
func (w *neon) nextTile() {
	w.Op("MOVD tileArgs_tiles(R0), R6")
	w.Op("SUBS $1, R6, R6")
	w.Op("MOVD R6, tileArgs_tiles(R0)")
	w.Op("BEQ end")
	for _, f := range []string{"out", "res", "a"} {
		w.Op("MOVD tileArgs_%sTile(R0), R6", f)
		w.Op("MOVD tileArgs_%s(R0), R7", f)
		w.Op("ADD R6, R7, R7")
		w.Op("MOVD R7, tileArgs_%s(R0)", f)
	}
	w.Op("B tile")
	w.Mark("end")
	w.Op("RET")
}

// depthwiseTile filters tiles of m pixels, all their channels.
func (w *neon) depthwiseTile(m int) {
	w.function(fmt.Sprintf("Depthwise%d", m), "tileArgs", fmt.Sprintf("Filters tiles of %d pixels, channel by channel.", m))
	const weights, x = nFree, nFree + 4
	w.broadcast("tileArgs_lo", nLo)
	w.broadcast("tileArgs_hi", nHi)
	w.Op("MOVD tileArgs_aStep(R0), R5")
	w.Op("MOVD tileArgs_wStep(R0), R9")
	w.Op("MOVD tileArgs_outStep(R0), R10")
	w.Op("MOVD tileArgs_resStep(R0), R11")
	w.Op("MOVD tileArgs_hasRes(R0), R12")
	start := func(field, r string) { // where this block of channels begins
		w.Op("MOVD tileArgs_%s(R0), %s", field, r)
		w.Op("ADD R19, %s, %s", r, r)
	}
	w.Mark("tile")
	w.channels("tileArgs_n(R0)", 4, func(b block) {
		start("bias", "R6")
		w.load("R6", "0", 0, b)
		for i := 1; i < m; i++ {
			for v := range b.nv {
				w.move(i*b.nv+v, v)
			}
		}
		start("w", "R1")
		start("a", "R8")
		w.Op("MOVD tileArgs_taps(R0), R2")
		w.Op("MOVD tileArgs_ntaps(R0), R3")
		tap, plain := w.Fresh("tap"), w.Fresh("plain")
		w.Mark(tap)
		w.Op("MOVD.P 8(R2), R6")
		w.Op("ADD R6<<2, R8, R6")
		w.load("R1", "R9", weights, b)
		for i := range m {
			in := x + i%2*4
			w.load("R6", "R5", in, b)
			for v := range b.nv {
				w.multiplyAdd(i*b.nv+v, in+v, weights+v)
			}
		}
		w.next("R3", tap)
		w.Op("CBZ R12, %s", plain)
		start("res", "R6")
		for i := range m {
			w.load("R6", "R11", x, b)
			for v := range b.nv {
				w.three("fadd .4s", i*b.nv+v, i*b.nv+v, x+v)
			}
		}
		w.Mark(plain)
		start("out", "R6")
		for i := range m {
			for v := range b.nv {
				w.clamp(i*b.nv+v, nLo, nHi)
			}
			w.store(i*b.nv, "R6", "R10", b)
		}
	})
	w.nextTile()
}
