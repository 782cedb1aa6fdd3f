package main

import (
	"bytes"
	"fmt"
	"math"
)

// constants are vectors of one number each, in memory.
var constants = []struct {
	name string
	bits uint32
}{
	{"one", math.Float32bits(1)},
	{"zero", 0},
	{"limit", math.Float32bits(87)}, // 1/exp(87) is still a normal number
	{"minusLimit", math.Float32bits(-87)},
	{"minusLog2e", math.Float32bits(-math.Log2E)},
	{"magic", math.Float32bits(1.5 * (1 << 23))}, // adding it rounds to an integer, in the low bits
	{"minusInf", 0xff800000},
	{"e5", math.Float32bits(0.0013264727193123584)}, // of (2^f - 1) / f, |f| <= 1/2
	{"e4", math.Float32bits(0.009671512639944133)},
	{"e3", math.Float32bits(0.05550733743265457)},
	{"e2", math.Float32bits(0.24022242085368628)},
	{"e1", math.Float32bits(0.6931469775991541)},
	{"half", math.Float32bits(0.5)},
	{"minusOne", math.Float32bits(-1)},
	{"erfEnd", math.Float32bits(3.92)}, // erf is 1 from here on
	{"minusErfEnd", math.Float32bits(-3.92)},
	{"rootHalf", math.Float32bits(math.Sqrt2 / 2)},
	{"p5", math.Float32bits(2.050087658814248e-06)}, // of erf(z) / z, by z*z: above
	{"p4", math.Float32bits(0.00028488149937858835)},
	{"p3", math.Float32bits(0.003765580405922852)},
	{"p2", math.Float32bits(0.052748606262219284)},
	{"p1", math.Float32bits(0.19040567524010393)},
	{"p0", math.Float32bits(1.1283791461549897)},
	{"q5", math.Float32bits(3.8091655752731174e-05)}, // and below
	{"q4", math.Float32bits(0.0011625259511509377)},
	{"q3", math.Float32bits(0.014969142685900477)},
	{"q2", math.Float32bits(0.11410877385163337)},
	{"q1", math.Float32bits(0.5020753772200728)},
	{"tanh3", math.Float32bits(2 * 0.7978845608028654 * 0.044715)}, // of Gelu by tanh
	{"tanh1", math.Float32bits(2 * 0.7978845608028654)},
}

func constant(name string) string {
	for i, c := range constants {
		if c.name == name {
			return fmt.Sprintf("constants<>+%d(SB)", 64*i)
		}
	}
	panic("no constant " + name)
}

// tables writes the constants, and the masks of AVX2: 16 lanes that exist, then
// 16 that do not.
func tables(out *bytes.Buffer) {
	out.WriteByte('\n')
	for i, c := range constants {
		for lane := range 8 {
			fmt.Fprintf(out, "DATA constants<>+%d(SB)/8, $0x%08x%08x\n", 64*i+8*lane, c.bits, c.bits)
		}
	}
	fmt.Fprintf(out, "GLOBL constants<>(SB), RODATA|NOPTR, $%d\n\n", 64*len(constants))
	for i := range 8 {
		fmt.Fprintf(out, "DATA tails<>+%d(SB)/8, $0xffffffffffffffff\n", 8*i)
	}
	for i := range 8 {
		fmt.Fprintf(out, "DATA tails<>+%d(SB)/8, $0\n", 64+8*i)
	}
	out.WriteString("GLOBL tails<>(SB), RODATA|NOPTR, $128\n")
}

// rows is a function that goes through the pixels of a row, and through the
// channels of each. SI and DX are the pixel's operands, BX its result, R10 and
// R11 scale and shift; the body makes the v-th of nv vectors, disp bytes further.
func (w *writer) rows(name, doc string, nv int, prepare func(), body func(v, disp int, k mask)) {
	w.function(w.Name+name, "rowArgs", doc)
	w.Op("MOVQ rowArgs_a(DI), SI")
	w.Op("MOVQ rowArgs_b(DI), DX")
	w.Op("MOVQ rowArgs_out(DI), BX")
	w.Op("MOVQ rowArgs_scale(DI), R10")
	w.Op("MOVQ rowArgs_shift(DI), R11")
	prepare()
	w.Mark("pixel")
	w.channels("rowArgs_c(DI)", nv, func(nv int, k mask) {
		for v := range nv {
			body(v, v*w.size(), k)
		}
	})
	w.Op("ADDQ rowArgs_aStep(DI), SI")
	w.Op("ADDQ rowArgs_bStep(DI), DX")
	w.Op("ADDQ rowArgs_outStep(DI), BX")
	w.Op("DECQ rowArgs_m(DI)")
	w.Op("JNZ pixel")
	w.End()
}

func at(disp int, reg string) string { return fmt.Sprintf("%d(%s)(R13*1)", disp, reg) }

// Registers of the functions on rows. AVX2 has 16; the last is the mask.
const (
	rLo, rHi, rAlpha, rBeta, rLog = 10, 11, 12, 13, 14
)

func (w *writer) bounds() {
	w.Op("VBROADCASTSS rowArgs_lo(DI), %s", w.V(rLo))
	w.Op("VBROADCASTSS rowArgs_hi(DI), %s", w.V(rHi))
}

func (w *writer) elementwise() {
	w.rows("Affine", "a*scale + shift, clamped.", 2, w.bounds, func(v, disp int, k mask) {
		x, t := 3*v, 3*v+1
		w.load(at(disp, "SI"), x, k)
		w.load(at(disp, "R10"), t, k)
		w.load(at(disp, "R11"), t+1, k)
		w.Op("VFMADD213PS %s, %s, %s", w.V(t+1), w.V(t), w.V(x))
		w.clamp(x, rLo, rHi)
		w.store(x, at(disp, "BX"), k)
	})
	for _, o := range []struct{ name, instruction, doc string }{
		{"Add", "VADDPS", "a + b, clamped."}, {"Sub", "VSUBPS", "a - b, clamped."}, {"Mul", "VMULPS", "a * b, clamped."},
	} {
		w.rows(o.name, o.doc, 2, w.bounds, func(v, disp int, k mask) {
			x, t := 3*v, 3*v+1
			w.load(at(disp, "SI"), x, k)
			w.load(at(disp, "DX"), t, k)
			w.Op("%s %s, %s, %s", o.instruction, w.V(t), w.V(x), w.V(x))
			w.clamp(x, rLo, rHi)
			w.store(x, at(disp, "BX"), k)
		})
	}
	w.rows("Clamp", "a, clamped.", 2, w.bounds, func(v, disp int, k mask) {
		w.load(at(disp, "SI"), v, k)
		w.clamp(v, rLo, rHi)
		w.store(v, at(disp, "BX"), k)
	})
	w.rows("Quantised", "a in steps of alpha, half to even, plus beta, clamped; and back.", 2, func() {
		w.bounds()
		w.Op("VBROADCASTSS rowArgs_alpha(DI), %s", w.V(rAlpha))
		w.Op("VBROADCASTSS rowArgs_beta(DI), %s", w.V(rBeta))
	}, func(v, disp int, k mask) {
		round := "VROUNDPS"
		if w.Opmask {
			round = "VRNDSCALEPS"
		}
		w.load(at(disp, "SI"), v, k)
		w.Op("VDIVPS %s, %s, %s", w.V(rAlpha), w.V(v), w.V(v))
		w.Op("%s $0, %s, %s", round, w.V(v), w.V(v))
		w.Op("VADDPS %s, %s, %s", w.V(rBeta), w.V(v), w.V(v))
		w.clamp(v, rLo, rHi)
		w.Op("VSUBPS %s, %s, %s", w.V(rBeta), w.V(v), w.V(v))
		w.Op("VMULPS %s, %s, %s", w.V(rAlpha), w.V(v), w.V(v))
		w.store(v, at(disp, "BX"), k)
	})
	for _, swish := range []bool{false, true} {
		name, doc := "HardSigmoid", "a*alpha + beta, clamped to 0 and 1."
		if swish {
			name, doc = "HardSwish", "a times its hard sigmoid."
		}
		w.rows(name, doc, 2, func() {
			w.Op("VMOVUPS %s, %s", constant("zero"), w.V(rLo))
			w.Op("VMOVUPS %s, %s", constant("one"), w.V(rHi))
			w.Op("VBROADCASTSS rowArgs_lo(DI), %s", w.V(rAlpha))
			w.Op("VBROADCASTSS rowArgs_hi(DI), %s", w.V(rBeta))
		}, func(v, disp int, k mask) {
			x, t := 2*v, 2*v+1
			w.load(at(disp, "SI"), x, k)
			w.Op("VMOVAPS %s, %s", w.V(x), w.V(t))
			w.Op("VFMADD213PS %s, %s, %s", w.V(rBeta), w.V(rAlpha), w.V(t))
			w.clamp(t, rLo, rHi)
			if swish {
				w.Op("VMULPS %s, %s, %s", w.V(t), w.V(x), w.V(t))
			}
			w.store(t, at(disp, "BX"), k)
		})
	}
	for _, swish := range []bool{false, true} {
		name, doc := "Sigmoid", "1 / (1 + exp(-a))."
		if swish {
			name, doc = "Silu", "a / (1 + exp(-a))."
		}
		w.rows(name, doc, 2, w.prepareExp, func(v, disp int, k mask) {
			w.load(at(disp, "SI"), 5*v, k)
			w.sigmoid(5*v, 5*v, disp, swish, k)
		})
	}
	if w.curves {
		w.curved()
	}
}

// prepareExp loads what sigmoid and expOfMinus need.
func (w *writer) prepareExp() {
	for i, name := range []string{"minusLimit", "limit", "magic", "one", "minusLog2e"} {
		w.Op("VMOVUPS %s, %s", constant(name), w.V(rLo+i))
	}
}

// sigmoid makes 1 or the number in first over 1 + exp(-x) of x, and stores it. NaN passes: it is the number above, or is
// added as x*0.
func (w *writer) sigmoid(first, x, disp int, swish bool, k mask) {
	num, p := w.V(rBeta), w.V(first+3)
	w.expOfMinus(x, first+1)
	w.Op("VADDPS %s, %s, %s", w.V(rBeta), p, p)
	if swish {
		num = w.V(first)
	} else {
		w.Op("VFMADD231PS %s, %s, %s", constant("zero"), w.V(first+1), p)
	}
	w.Op("VDIVPS %s, %s, %s", p, num, p)
	w.store(first+3, at(disp, "BX"), k)
}

// expOfMinus makes exp(-x) in the register two above first, where x stays: as 2^n * 2^f, with |f| <= 1/2 and a polynomial
// of degree 5, whose relative error is 1.1e-7; that of log2(e) makes it 1.3e-8 more for each unit of x. NaN has to be added.
func (w *writer) expOfMinus(in, first int) {
	x, n, p, f := w.V(first), w.V(first+1), w.V(first+2), w.V(first+3)
	w.Op("VMAXPS %s, %s, %s", w.V(in), w.V(rLo), x)
	w.Op("VMINPS %s, %s, %s", x, w.V(rHi), x)
	w.Op("VMOVAPS %s, %s", w.V(rAlpha), n)
	w.Op("VFMADD231PS %s, %s, %s", w.V(rLog), x, n) // -x*log2(e) + magic
	w.Op("VSUBPS %s, %s, %s", n, w.V(rAlpha), f)    // rounded, times -1
	w.Op("VFMADD231PS %s, %s, %s", w.V(rLog), x, f)
	w.polynomial(p, f, "e5", "e4", "e3", "e2", "e1", "one")
	w.Op("VPSLLD $23, %s, %s", n, n)
	w.Op("VPADDD %s, %s, %s", n, p, p)
}

// polynomial makes the one of x with these constants, the highest power first.
func (w *writer) polynomial(p, x string, constants ...string) {
	w.Op("VMOVUPS %s, %s", constant(constants[0]), p)
	for _, c := range constants[1:] {
		w.Op("VFMADD213PS %s, %s, %s", constant(c), x, p)
	}
}

func disp(n int, reg string) string { return fmt.Sprintf("%d(%s)", n, reg) }
