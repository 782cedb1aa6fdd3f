package main

import "fmt"

// radices have a butterfly of their own.
var radices = []int{2, 3, 4, 5, 8}

// Registers of AVX-512 that hold what a stage multiplies with; those of AVX2 are too few.
const firstTwiddle, firstConstant = 16, 24

// butterfly is one stage's function while it is written. SI and DX are the group's place in the first input and the
// first output, R8 and R10 the distances between inputs and between outputs.
type butterfly struct {
	*writer
	r    int
	last bool // no twiddle factors
}

// stageName names a stage's function after its radix, 0 for any prime.
func stageName(r int, last bool) string {
	name := "Stage"
	if last {
		name = "Last"
	}
	if r == 0 {
		return name + "Prime"
	}
	return fmt.Sprint(name, r)
}

// stage writes the function of a radix.
func (w *writer) stage(r int, last bool) {
	b := butterfly{w, r, last}
	doc := fmt.Sprintf("A stage of radix %d.", r)
	if last {
		doc = fmt.Sprintf("A last stage of radix %d: without twiddle factors.", r)
	}
	w.function(stageName(r, last), "stageArgs", doc)
	w.Op("MOVQ stageArgs_x(DI), SI")
	w.Op("MOVQ stageArgs_y(DI), DX")
	w.Op("MOVQ stageArgs_twiddle(DI), BX")
	w.Op("MOVQ stageArgs_roots(DI), R14")
	w.bytesOf("stageArgs_xNext", "R8")
	w.bytesOf("stageArgs_yNext", "R10")
	w.Op("LEAQ (R8)(R8*2), R9")
	w.Op("LEAQ (R10)(R10*2), R11")
	w.stepOver("R13")
	if w.Opmask {
		for i := range b.constants() {
			w.broadcast(fmt.Sprintf("%d(R14)", 8*i), firstConstant+i)
		}
	}
	w.Mark("outer")
	if w.Opmask && !last && r < 8 {
		for i := range 2 * (r - 1) {
			w.broadcast(fmt.Sprintf("%d(BX)", 8*i), firstTwiddle+i)
		}
	}
	w.Op("MOVQ stageArgs_inner(DI), CX")
	w.Mark("inner")
	switch r {
	case 2:
		b.two()
	case 3:
		b.three()
	case 4:
		b.four(b.input(0), b.input(1), b.input(2), b.input(3), [4]int{0, 1, 2, 3})
	case 5:
		b.five()
	case 8:
		b.eight()
	}
	w.Op("ADDQ $%d, SI", 2*w.size())
	w.Op("ADDQ $%d, DX", 2*w.size())
	w.Op("DECQ CX")
	w.Op("JNZ inner")
	w.Op("ADDQ R13, DX")
	if !last {
		w.Op("ADDQ $%d, BX", 16*(r-1))
	}
	w.Op("DECQ stageArgs_outer(DI)")
	w.Op("JNZ outer")
	w.End()
}

// stepOver computes what is left to the next row of outputs after the groups of one.
func (w *writer) stepOver(reg string) {
	w.Op("MOVQ stageArgs_inner(DI), AX")
	w.Op("IMULQ $%d, AX", 2*w.size())
	w.bytesOf("stageArgs_yStep", reg)
	w.Op("SUBQ AX, %s", reg)
}

// constants is how many numbers of the stage's roots a butterfly needs.
func (b butterfly) constants() int { return map[int]int{3: 2, 5: 4, 8: 1}[b.r] }

func place(k int, base, next, next3 string) string {
	return []string{"(" + base + ")", "(" + base + ")(" + next + "*1)", "(" + base + ")(" + next + "*2)", "(" + base + ")(" + next3 + "*1)",
		"(" + base + ")(" + next + "*4)"}[k]
}

// input loads the j-th input. Beyond the fifth the address is from the fifth on, in AX.
func (b butterfly) input(j int) value {
	if j > 4 {
		return b.load(place(j-4, "AX", "R8", "R9"))
	}
	return b.load(place(j, "SI", "R8", "R9"))
}

// output multiplies with the k-th twiddle factor and stores the k-th output; beyond the fifth the address is in R12.
func (b butterfly) output(k int, c value) {
	if k > 0 && !b.last {
		c = b.twiddled(k, c)
	}
	if k > 4 {
		b.store(c, place(k-4, "R12", "R10", "R11"))
		return
	}
	b.store(c, place(k, "DX", "R10", "R11"))
}

func (b butterfly) twiddled(k int, c value) value {
	if b.Opmask && b.r < 8 {
		return b.times(c, firstTwiddle+2*k-2, firstTwiddle+2*k-1, false)
	}
	re, im := b.take(), b.take()
	b.broadcast(fmt.Sprintf("%d(BX)", 16*k-16), re)
	b.broadcast(fmt.Sprintf("%d(BX)", 16*k-8), im)
	c = b.times(c, re, im, false)
	b.drop(re, im)
	return c
}

// scaled is a times the i-th constant; a is kept.
func (b butterfly) scaled(i int, a value) value {
	c := value{b.take(), b.take()}
	k := firstConstant + i
	if !b.Opmask {
		k = c.re
		b.broadcast(fmt.Sprintf("%d(R14)", 8*i), k)
	}
	b.do3("VMULPD", a.im, k, c.im)
	b.do3("VMULPD", a.re, k, c.re)
	return c
}

func (b butterfly) two() {
	sum, difference := b.sumAndDifference(b.input(0), b.input(1))
	b.output(0, sum)
	b.output(1, difference)
}

func (b butterfly) three() {
	sum, difference := b.sumAndDifference(b.input(1), b.input(2))
	d := b.scaled(1, difference)
	b.dropValue(difference)
	half := b.scaled(0, sum)
	a := b.input(0)
	total, c := b.sum(a, sum), b.sum(a, half)
	b.dropValue(a, sum, half)
	b.output(0, total)
	plus, minus := b.beside(c, d)
	b.output(1, plus)
	b.output(2, minus)
}

// four is a butterfly of four values whose results are these outputs.
func (b butterfly) four(x0, x1, x2, x3 value, out [4]int) {
	e, f := b.sumAndDifference(x0, x2)
	g, h := b.sumAndDifference(x1, x3)
	y0, y2 := b.sumAndDifference(e, g)
	b.output(out[0], y0)
	b.output(out[2], y2)
	y3, y1 := b.beside(f, h)
	b.output(out[1], y1)
	b.output(out[3], y3)
}

func (b butterfly) five() {
	p, d := b.sumAndDifference(b.input(1), b.input(4))
	q, e := b.sumAndDifference(b.input(2), b.input(3))
	h := b.both("VADDPD", b.scaled(1, d), b.scaled(3, e))
	k := b.both("VSUBPD", b.scaled(3, d), b.scaled(1, e))
	b.dropValue(d, e)
	a := b.input(0)
	f := b.both("VADDPD", a, b.both("VADDPD", b.scaled(0, p), b.scaled(2, q)))
	a = b.input(0)
	g := b.both("VADDPD", a, b.both("VADDPD", b.scaled(2, p), b.scaled(0, q)))
	total := b.both("VADDPD", b.both("VADDPD", b.input(0), p), q)
	b.output(0, total)
	plus, minus := b.beside(f, h)
	b.output(1, plus)
	b.output(4, minus)
	plus, minus = b.beside(g, k)
	b.output(2, plus)
	b.output(3, minus)
}

// both is c op d, and spends both.
func (b butterfly) both(op string, c, d value) value {
	b.do3(op, c.re, d.re, c.re)
	b.do3(op, c.im, d.im, c.im)
	b.dropValue(d)
	return c
}

// eight makes the even outputs of the sums of inputs four apart, then the odd ones of their differences; each half
// fits the registers, so that all inputs are loaded twice.
func (b butterfly) eight() {
	b.Op("LEAQ (SI)(R8*4), AX")
	b.Op("LEAQ (DX)(R10*4), R12")
	var x [4]value
	far := func(j int) value {
		if j == 0 {
			return b.load("(AX)")
		}
		return b.input(j + 4)
	}
	for j := range x {
		x[j] = b.both("VADDPD", b.input(j), far(j))
	}
	b.four(x[0], x[1], x[2], x[3], [4]int{0, 2, 4, 6})
	for j := range x {
		x[j] = b.both("VSUBPD", b.input(j), far(j))
	}
	// Turned by j eighths: (1-i)/sqrt 2, -i and (-1-i)/sqrt 2.
	x[1] = b.eighth(x[1], false)
	minusI := value{x[2].im, x[2].re}
	b.negate(minusI.im)
	x[2] = minusI
	x[3] = b.eighth(x[3], true)
	b.four(x[0], x[1], x[2], x[3], [4]int{1, 3, 5, 7})
}

// eighth turns by an eighth, or by three.
func (b butterfly) eighth(a value, three bool) value {
	t := value{b.take(), b.take()}
	if three {
		b.do3("VSUBPD", a.im, a.re, t.re)
	} else {
		b.do3("VADDPD", a.re, a.im, t.re)
	}
	if three {
		b.do3("VADDPD", a.re, a.im, t.im)
		b.negate(t.im)
	} else {
		b.do3("VSUBPD", a.im, a.re, t.im)
	}
	b.dropValue(a)
	c := b.scaled(0, t)
	b.dropValue(t)
	return c
}

// negate changes the sign: zero minus it would lose that of a zero.
func (b butterfly) negate(r int) {
	t := b.take()
	if b.Opmask {
		b.Op("VPTERNLOGQ $0xff, %s, %s, %s", b.V(t), b.V(t), b.V(t))
	} else {
		b.Op("VPCMPEQQ %s, %s, %s", b.V(t), b.V(t), b.V(t))
	}
	b.Op("VPSLLQ $63, %s, %s", b.V(t), b.V(t))
	b.Op("VXORPD %s, %s, %s", b.V(t), b.V(r), b.V(r))
	b.drop(t)
}
