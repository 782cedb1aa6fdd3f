// Command genasm writes the assembly of the image analysis's kernels for amd64. `go generate ./internal/plankton/imaging` runs
// it; a test holds its output to the files in the tree.
//
// A kernel exists once per instruction set, made by the same code. Every product is rounded before it is added, in the
// order of the portable code: the bits are the same.
package main

import "github.com/axiom-data-science/hydraulics/internal/asm"

func main() { asm.Main(files()) }

// files is all that genasm writes.
func files() map[string][]byte {
	return map[string][]byte{"kernel_amd64.s": generate(), "kernel_amd64_decl.go": declarations()}
}

// isa is an instruction set.
type isa struct {
	asm.Set
	frees []int // registers that functions take from
	block []int // how many frequencies of a prime radix are computed together, the most first
}

var sets = []isa{
	{Set: asm.Set{Name: "avx2", Reg: "Y", Lanes: 4}, frees: numbers(0, 16), block: []int{2, 1}},
	{Set: asm.Set{Name: "avx512", Reg: "Z", Lanes: 8, Opmask: true}, frees: append(numbers(0, 16), numbers(28, 32)...), block: []int{4, 2, 1}},
}

func numbers(from, to int) (list []int) {
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

// writer writes the functions of an instruction set.
type writer struct {
	asm.Writer
	isa
	free []int // vector registers that are not in use
}

func (w *writer) function(name, args, doc string) { w.functionWith(0, name, args, doc) }

// functionWith begins a function that has so many bytes of the stack.
func (w *writer) functionWith(stack int, name, args, doc string) {
	w.free = append([]int(nil), w.frees...)
	w.Function(w.Name+name, args, doc, stack)
}

// size is a vector in bytes; a group, real parts and imaginary parts, has two.
func (w *writer) size() int { return 8 * w.Lanes }

// take gives a register that is free.
func (w *writer) take() int {
	if len(w.free) == 0 {
		panic("no register is free in a function of " + w.Name)
	}
	r := w.free[0]
	w.free = w.free[1:]
	return r
}

// drop gives registers back.
func (w *writer) drop(regs ...int) { w.free = append(append([]int(nil), regs...), w.free...) }

// bytesOf loads a field that counts float64 and makes it bytes.
func (w *writer) bytesOf(field, reg string) {
	w.Op("MOVQ %s(DI), %s", field, reg)
	w.Op("SHLQ $3, %s", reg)
}

// value is a complex number per lane, in two registers.
type value struct{ re, im int }

func (w *writer) dropValue(values ...value) {
	for _, c := range values {
		w.drop(c.re, c.im)
	}
}

// load loads a group.
func (w *writer) load(address string) value {
	c := value{w.take(), w.take()}
	w.Op("VMOVUPD 0%s, %s", address, w.V(c.re))
	w.Op("VMOVUPD %d%s, %s", w.size(), address, w.V(c.im))
	return c
}

// store stores a group and gives its registers back.
func (w *writer) store(c value, address string) {
	w.Op("VMOVUPD %s, 0%s", w.V(c.re), address)
	w.Op("VMOVUPD %s, %d%s", w.V(c.im), w.size(), address)
	w.dropValue(c)
}

// do3 is dst = a op b.
func (w *writer) do3(op string, a, b, dst int) { w.Op("%s %s, %s, %s", op, w.V(b), w.V(a), w.V(dst)) }

func (w *writer) sum(a, b value) value {
	c := value{w.take(), w.take()}
	w.do3("VADDPD", a.re, b.re, c.re)
	w.do3("VADDPD", a.im, b.im, c.im)
	return c
}

// sumAndDifference spends a and b.
func (w *writer) sumAndDifference(a, b value) (sum, difference value) {
	sum = w.sum(a, b)
	w.do3("VSUBPD", a.re, b.re, a.re)
	w.do3("VSUBPD", a.im, b.im, a.im)
	w.dropValue(b)
	return sum, a
}

// beside gives a + i*b and a - i*b and spends both.
func (w *writer) beside(a, b value) (plus, minus value) {
	plus = value{w.take(), w.take()}
	w.do3("VSUBPD", a.re, b.im, plus.re)
	w.do3("VADDPD", a.im, b.re, plus.im)
	w.do3("VADDPD", a.re, b.im, a.re)
	w.do3("VSUBPD", a.im, b.re, a.im)
	w.dropValue(b)
	return plus, a
}

// times multiplies with a number that all lanes share, and spends a. conjugate takes a's conjugate.
func (w *writer) times(a value, re, im int, conjugate bool) value {
	t, u := w.take(), w.take()
	w.do3("VMULPD", a.re, re, t)
	w.do3("VMULPD", a.im, im, u)
	w.do3("VMULPD", a.re, im, a.re)
	w.do3("VMULPD", a.im, re, a.im)
	if conjugate {
		w.do3("VADDPD", t, u, t)
		w.do3("VSUBPD", a.re, a.im, u)
	} else {
		w.do3("VSUBPD", t, u, t)
		w.do3("VADDPD", a.re, a.im, u)
	}
	w.dropValue(a)
	return value{t, u}
}

// broadcast fills a register with a number.
func (w *writer) broadcast(address string, dst int) { w.Op("VBROADCASTSD %s, %s", address, w.V(dst)) }

func generate() []byte {
	out := asm.Assembly("amd64")
	tables(out)
	for _, set := range sets {
		w := &writer{isa: set}
		for _, last := range []bool{false, true} {
			for _, r := range radices {
				w.stage(r, last)
			}
			w.prime(last)
		}
		w.chirps()
		w.filter()
		w.transpose()
		w.energy()
		w.powers()
		w.between()
		w.strip()
		out.Write(w.Bytes())
	}
	return out.Bytes()
}
