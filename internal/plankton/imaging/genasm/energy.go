package main

import (
	"bytes"
	"fmt"
	"math"
)

// constants are vectors of one number each, in memory.
var constants = []struct {
	name string
	bits uint64
}{
	{"absolute", 1<<63 - 1},
	{"infinity", math.Float64bits(math.Inf(1))},
	{"nan", 0x7ff8000000000001},
	{"epsilon", math.Float64bits(1e-4)},
	{"one", math.Float64bits(1)},
	{"third", math.Float64bits(1.0 / 3)},
	{"gain", math.Float64bits(5)},
	{"cutOff", math.Float64bits(0.3)},
	{"expLow", math.Float64bits(-4)},
	{"expSteps", math.Float64bits(64)},
	{"expStep", math.Float64bits(1.0 / 64)},
	{"half", math.Float64bits(0.5)},
	{"c3", math.Float64bits(1.0 / 6)},
	{"c4", math.Float64bits(1.0 / 24)},
	{"c5", math.Float64bits(1.0 / 120)},
}

func constant(name string) string {
	for i, c := range constants {
		if c.name == name {
			return fmt.Sprintf("constants<>+%d(SB)", 64*i)
		}
	}
	panic("no constant " + name)
}

func tables(out *bytes.Buffer) {
	out.WriteByte('\n')
	for i, c := range constants {
		for lane := range 8 {
			fmt.Fprintf(out, "DATA constants<>+%d(SB)/8, $%#016x\n", 64*i+8*lane, c.bits)
		}
	}
	fmt.Fprintf(out, "GLOBL constants<>(SB), RODATA|NOPTR, $%d\n", 64*len(constants))
	packs(out)
}

// Predicates of comparisons.
const (
	equal      = 0x00
	less       = 0x11
	notGreater = 0x12
	notLess    = 0x15
	greater    = 0x1e
)

// compare sets a mask where a op b and the mask was set before, if and: an opmask by that number, or a register.
func (w *writer) compare(predicate, a, b, mask int, and bool) {
	switch {
	case w.Opmask && and:
		w.Op("VCMPPD $%d, %s, %s, K%d, K%d", predicate, w.V(b), w.V(a), mask, mask)
	case w.Opmask:
		w.Op("VCMPPD $%d, %s, %s, K%d", predicate, w.V(b), w.V(a), mask)
	case and:
		t := w.take()
		w.Op("VCMPPD $%d, %s, %s, %s", predicate, w.V(b), w.V(a), w.V(t))
		w.do3("VANDPD", mask, t, mask)
		w.drop(t)
	default:
		w.Op("VCMPPD $%d, %s, %s, %s", predicate, w.V(b), w.V(a), w.V(mask))
	}
}

// jumpIfNone jumps where no lane of a mask is set.
func (w *writer) jumpIfNone(mask int, label string) {
	if w.Opmask {
		w.Op("KORTESTB K%d, K%d", mask, mask)
	} else {
		w.Op("VTESTPD %s, %s", w.V(mask), w.V(mask))
	}
	w.Op("JZ %s", label)
}

// newMask gives a mask: the n-th opmask, or a register.
func (w *writer) newMask(n int) int {
	if w.Opmask {
		return n
	}
	return w.take()
}

// with is dst = a op a number in memory.
func (w *writer) with(op, address string, a, dst int) {
	w.Op("%s %s, %s, %s", op, address, w.V(a), w.V(dst))
}

// responses are the registers with the places in the responses of the scales.
var responses = []string{"SI", "R8", "R9", "R10"}

// parts are the addresses of the real parts and the imaginary parts at a place.
func (w *writer) parts(place string) (re, im string) {
	return "(" + place + ")", fmt.Sprintf("%d(%s)", w.size(), place)
}

// energy writes the kernel of [portableEnergy], which see. DX is the place in the moments and R11 the table of
// exponentials.
func (w *writer) energy() {
	w.function("Energy", "energyArgs", "Adds the squares of an orientation's phase congruency to the moments.")
	for i, r := range responses {
		w.Op("MOVQ energyArgs_r%d(DI), %s", i, r)
	}
	w.Op("MOVQ energyArgs_moments(DI), DX")
	w.Op("MOVQ energyArgs_exp(DI), R11")
	w.Op("MOVQ energyArgs_groups(DI), CX")
	noise, noiseSquare := w.take(), w.take()
	w.broadcast("energyArgs_noise(DI)", noise)
	w.broadcast("energyArgs_noiseSquare(DI)", noiseSquare)

	w.Mark("group")
	square, energy := w.squareAndEnergy()
	zero, found, empty, t, u := w.take(), w.newMask(1), w.newMask(2), w.take(), w.take()
	w.do3("VXORPD", zero, zero, zero)
	w.compare(equal, square, zero, empty, false)
	w.jumpIfNone(empty, "some")
	w.nans(empty, zero)
	w.Mark("some")
	w.compare(greater, energy, zero, found, false)
	w.do3("VMULPD", energy, energy, t)
	w.do3("VMULPD", noiseSquare, square, u)
	w.compare(notLess, t, u, found, true)
	w.jumpIfNone(found, "next")

	norm := w.take()
	w.Op("VSQRTPD %s, %s", w.V(square), w.V(norm))
	w.with("VADDPD", constant("epsilon"), norm, norm)
	w.do3("VMULPD", noise, norm, t)
	w.do3("VSUBPD", energy, t, energy)
	w.compare(greater, energy, zero, found, true)
	w.jumpIfNone(found, "next")
	w.drop(zero, square, t, u)
	if !w.Opmask {
		w.drop(empty)
	}
	amplitudes, weight := w.amplitudesAndWeight(found)
	w.do3("VMULPD", norm, amplitudes, norm)
	w.do3("VMULPD", norm, weight, norm)
	w.do3("VDIVPD", energy, norm, energy)
	w.do3("VMULPD", energy, energy, energy)
	if w.Opmask {
		w.Op("VMOVUPD (DX), %s", w.V(t))
		w.Op("VADDPD %s, %s, K%d, %s", w.V(energy), w.V(t), found, w.V(t))
	} else {
		w.do3("VANDPD", energy, found, t)
		w.with("VADDPD", "(DX)", t, t)
	}
	w.Op("VMOVUPD %s, (DX)", w.V(t))

	w.Mark("next")
	for _, r := range responses {
		w.Op("ADDQ $%d, %s", 2*w.size(), r)
	}
	w.Op("ADDQ $%d, DX", w.size())
	w.Op("DECQ CX")
	w.Op("JNZ group")
	w.End()
}

// squareAndEnergy gives the square of the sum of the responses, and what is left of it without the areas between it and
// each of them.
func (w *writer) squareAndEnergy() (square, energy int) {
	sum := w.load("(SI)")
	for _, r := range responses[1:] {
		re, im := w.parts(r)
		w.with("VADDPD", re, sum.re, sum.re)
		w.with("VADDPD", im, sum.im, sum.im)
	}
	square, energy = w.take(), w.take()
	t, u := w.take(), w.take()
	w.do3("VMULPD", sum.re, sum.re, square)
	w.do3("VMULPD", sum.im, sum.im, t)
	w.do3("VADDPD", square, t, square)
	from := square
	for _, r := range responses {
		re, im := w.parts(r)
		w.with("VMULPD", re, sum.im, t)
		w.with("VMULPD", im, sum.re, u)
		w.do3("VSUBPD", t, u, t)
		w.with("VANDPD", constant("absolute"), t, t)
		w.do3("VSUBPD", from, t, energy)
		from = energy
	}
	w.dropValue(sum)
	w.drop(t, u)
	return square, energy
}

// amplitudesAndWeight gives the sum of the responses' absolute values, and 1 + the exponential of how far their spread is
// below the cut-off.
func (w *writer) amplitudesAndWeight(mask int) (amplitudes, weight int) {
	amplitudes = w.take()
	largest, t, u := w.take(), w.take(), w.take()
	for i, r := range responses {
		a := t
		if i == 0 {
			a = amplitudes
		}
		re, im := w.parts(r)
		w.Op("VMOVUPD %s, %s", re, w.V(a))
		w.do3("VMULPD", a, a, a)
		w.Op("VMOVUPD %s, %s", im, w.V(u))
		w.do3("VMULPD", u, u, u)
		w.do3("VADDPD", a, u, a)
		w.Op("VSQRTPD %s, %s", w.V(a), w.V(a))
		if i == 0 {
			w.Op("VMOVAPD %s, %s", w.V(a), w.V(largest))
		} else {
			w.do3("VADDPD", amplitudes, a, amplitudes)
			w.do3("VMAXPD", largest, a, largest)
		}
	}
	w.with("VADDPD", constant("epsilon"), largest, largest)
	w.do3("VDIVPD", amplitudes, largest, t)
	w.with("VSUBPD", constant("one"), t, t)
	w.with("VMULPD", constant("third"), t, t) // the spread
	w.Op("VMOVUPD %s, %s", constant("cutOff"), w.V(u))
	w.do3("VSUBPD", u, t, t)
	w.with("VMULPD", constant("gain"), t, t)
	w.drop(largest, u)
	weight = w.exp(t, mask)
	w.drop(t)
	w.with("VADDPD", constant("one"), weight, weight)
	return amplitudes, weight
}

// nans makes the moments of lanes whose responses are all zero not a number.
func (w *writer) nans(mask, zero int) {
	t := w.take()
	w.do3("VXORPD", t, t, t)
	for _, r := range responses {
		re, im := w.parts(r)
		w.with("VORPD", re, t, t)
		w.with("VORPD", im, t, t)
	}
	w.with("VANDPD", constant("absolute"), t, t)
	w.compare(equal, t, zero, mask, false)
	w.Op("VMOVUPD (DX), %s", w.V(t))
	if w.Opmask {
		w.Op("VMOVUPD %s, K%d, %s", constant("nan"), mask, w.V(t))
	} else {
		w.Op("VBLENDVPD %s, %s, %s, %s", w.V(mask), constant("nan"), w.V(t), w.V(t))
	}
	w.Op("VMOVUPD %s, (DX)", w.V(t))
	w.drop(t)
}

// exp is [exp] of x in the lanes of a mask.
func (w *writer) exp(x, mask int) int {
	index, r, t, square, power := w.take(), w.take(), w.take(), w.take(), w.take()
	w.with("VSUBPD", constant("expLow"), x, t)
	w.with("VMULPD", constant("expSteps"), t, t)
	w.with("VADDPD", constant("half"), t, t)
	half := fmt.Sprintf("X%d", index)
	if w.Opmask {
		w.Op("VCVTTPD2QQ %s, %s", w.V(t), w.V(index))
		w.Op("VCVTQQ2PD %s, %s", w.V(index), w.V(r))
	} else {
		w.Op("VCVTTPD2DQY %s, %s", w.V(t), half)
		w.Op("VCVTDQ2PD %s, %s", half, w.V(r))
	}
	w.with("VMULPD", constant("expStep"), r, r)
	w.with("VADDPD", constant("expLow"), r, r)
	w.do3("VSUBPD", x, r, r)
	w.do3("VXORPD", power, power, power)
	if w.Opmask {
		w.Op("KMOVB K%d, K3", mask)
		w.Op("VGATHERQPD (R11)(%s*8), K3, %s", w.V(index), w.V(power))
	} else {
		w.Op("VMOVAPD %s, %s", w.V(mask), w.V(t))
		w.Op("VGATHERDPD %s, (R11)(%s*8), %s", w.V(t), half, w.V(power))
	}
	w.do3("VMULPD", r, r, square)
	w.with("VMULPD", constant("c3"), r, t)
	w.with("VADDPD", constant("half"), t, t)
	w.do3("VMULPD", square, t, t)
	w.do3("VADDPD", r, t, t)
	w.with("VMULPD", constant("c5"), r, r)
	w.with("VADDPD", constant("c4"), r, r)
	w.do3("VMULPD", square, square, square)
	w.do3("VMULPD", square, r, r)
	w.do3("VADDPD", t, r, t)
	w.do3("VMULPD", power, t, t)
	w.do3("VADDPD", power, t, power)
	w.drop(index, r, t, square)
	return power
}
