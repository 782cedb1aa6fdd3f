package main

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

// neonSet is what arm64 has. A tile of 8 pixels by 2 vectors needs 16 registers
// for sums, 8 for the pixels' inputs, four of each, and 8 for their weights:
// 16 loads for 64 multiplications.
var neonSet = isa{Set: asm.Set{Name: "neon", Lanes: 4}, tile: 8, dwTile: 4}

// neon writes functions for arm64. R0 holds the arguments and R6 is free for
// what lasts a few instructions.
type neon struct{ writer }

// encodings are the instructions on vectors that Go's assembler does not know;
// .4s in their names, or .2d, is what they work on. The text written behind a
// WORD is that of GNU's disassembler, with which a test compares it.
var encodings = map[string]uint32{
	"fadd .4s": 0x4e20d400, "fsub .4s": 0x4ea0d400, "fmul .4s": 0x6e20dc00, "fdiv .4s": 0x6e20fc00,
	"fmax .4s": 0x4e20f400, "fmin .4s": 0x4ea0f400, "fadd .2d": 0x4e60d400, "fdiv .2d": 0x6e60fc00,
}

// three is an instruction with three vectors: d = n op m.
func (w *neon) three(name string, d, n, m int) {
	code, ok := encodings[name]
	if !ok {
		panic("no encoding of " + name)
	}
	op, kind, _ := strings.Cut(name, " ")
	w.Op("WORD $0x%08x // %s v%d%s, v%d%s, v%d%s", code|uint32(m<<16|n<<5|d), op, d, kind, n, kind, m, kind)
}

// multiplyElement is d += n * m[element].
func (w *neon) multiplyElement(d, n, m, element int) {
	code := 0x4f801000 | uint32(element&1<<21|m<<16|element>>1<<11|n<<5|d)
	w.Op("WORD $0x%08x // fmla v%d.4s, v%d.4s, v%d.s[%d]", code, d, n, m, element)
}

// widen makes the lower or upper two numbers of n float64, narrow makes the
// lower or upper two of d float32.
func (w *neon) widen(d, n int, upper bool) {
	if upper {
		w.Op("WORD $0x%08x // fcvtl2 v%d.2d, v%d.4s", 0x4e617800|n<<5|d, d, n)
		return
	}
	w.Op("WORD $0x%08x // fcvtl v%d.2d, v%d.2s", 0x0e617800|n<<5|d, d, n)
}

func (w *neon) narrow(d, n int, upper bool) {
	if upper {
		w.Op("WORD $0x%08x // fcvtn2 v%d.4s, v%d.2d", 0x4e616800|n<<5|d, d, n)
		return
	}
	w.Op("WORD $0x%08x // fcvtn v%d.2s, v%d.2d", 0x0e616800|n<<5|d, d, n)
}

func (w *neon) multiplyAdd(d, n, m int) { w.Op("VFMLA V%d.S4, V%d.S4, V%d.S4", m, n, d) }

func (w *neon) move(d, n int) { w.Op("VMOV V%d.B16, V%d.B16", n, d) }

func (w *neon) zero(d int) { w.Op("VEOR V%d.B16, V%d.B16, V%d.B16", d, d, d) }

// broadcast fills a vector with a field of the arguments.
func (w *neon) broadcast(field string, d int) {
	w.Op("FMOVS %s(R0), F%d", field, d)
	w.Op("VDUP V%d.S[0], V%d.S4", d, d)
}

// clamp keeps NaN, which FMAX and FMIN pass on.
func (w *neon) clamp(x, lo, hi int) {
	w.three("fmax .4s", x, x, lo)
	w.three("fmin .4s", x, x, hi)
}

// block is what a loop over channels takes at once: nv vectors, or one channel
// in the first lane of a vector, since NEON has no masks.
type block struct {
	nv  int
	one bool
}

func (b block) channels() int {
	if b.one {
		return 1
	}
	return 4 * b.nv
}

// registers lists a block's registers from first on.
func (b block) registers(first int) string {
	var list []string
	for v := range b.nv {
		list = append(list, fmt.Sprintf("V%d.S4", first+v))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// load reads a block and moves the pointer on by step: a register, "" to pass
// the block, or "0" to stay.
func (w *neon) load(ptr, step string, first int, b block) {
	switch {
	case b.one && step == "":
		w.Op("FMOVS.P 4(%s), F%d", ptr, first)
	case b.one:
		w.Op("FMOVS (%s), F%d", ptr, first)
		w.further(ptr, step)
	case step == "":
		w.Op("VLD1.P %d(%s), %s", 16*b.nv, ptr, b.registers(first))
	case step == "0":
		w.Op("VLD1 (%s), %s", ptr, b.registers(first))
	default:
		w.Op("VLD1.P (%s)(%s), %s", ptr, step, b.registers(first))
	}
}

func (w *neon) store(first int, ptr, step string, b block) {
	switch {
	case b.one && step == "":
		w.Op("FMOVS.P F%d, 4(%s)", first, ptr)
	case b.one:
		w.Op("FMOVS F%d, (%s)", first, ptr)
		w.further(ptr, step)
	case step == "":
		w.Op("VST1.P %s, %d(%s)", b.registers(first), 16*b.nv, ptr)
	default:
		w.Op("VST1.P %s, (%s)(%s)", b.registers(first), ptr, step)
	}
}

func (w *neon) further(ptr, step string) {
	if step != "0" {
		w.Op("ADD %s, %s, %s", step, ptr, ptr)
	}
}

// channels walks the c channels of a pixel: as long as there are so many,
// blocks of nv vectors, then of one, then single channels. R7 counts what is
// left and R19 is the offset in bytes.
func (w *neon) channels(c string, nv int, body func(block)) {
	w.Op("MOVD %s, R7", c)
	w.Op("MOVD $0, R19")
	for _, b := range []block{{nv: nv}, {nv: 1}, {nv: 1, one: true}} {
		loop, next := w.Fresh("loop"), w.Fresh("next")
		w.Mark(loop)
		w.Op("CMP $%d, R7", b.channels())
		w.Op("BLT %s", next)
		body(b)
		w.Op("SUB $%d, R7, R7", b.channels())
		w.Op("ADD $%d, R19, R19", 4*b.channels())
		w.Op("B %s", loop)
		w.Mark(next)
	}
}

func (w *neon) function(name, args, doc string) {
	w.Text("neon"+name, args, doc, 0)
	w.Op("MOVD p+0(FP), R0")
}

// next counts a register down and goes back as long as something is left.
func (w *neon) next(counter, label string) {
	w.Op("SUBS $1, %s, %s", counter, counter)
	w.Op("BNE %s", label)
}

func generateNEON() []byte {
	out := asm.Assembly("arm64")
	w := &neon{writer{isa: neonSet}}
	for nv := 1; nv <= 2; nv++ {
		for m := 1; m <= w.tile; m++ {
			w.panelTile(m, nv)
		}
	}
	for m := 1; m <= w.dwTile; m++ {
		w.depthwiseTile(m)
	}
	w.elementwise()
	w.windowPool("MaxPool", "The maximum of each channel over the taps of m windows. NaN wins.", true)
	w.windowPool("MeanPool", "The mean of each channel over the taps of m windows.", false)
	w.globalMean()
	out.Write(w.Bytes())
	return out.Bytes()
}
