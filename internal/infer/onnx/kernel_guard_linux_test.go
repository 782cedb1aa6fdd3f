package onnx

import (
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fence hands out memory that ends where a page begins that may not be touched.
type fence struct{ t *testing.T }

func (f fence) floats(name string, n int) []float32 {
	f.t.Helper()
	mem := f.memory(4 * n)
	x := unsafe.Slice((*float32)(unsafe.Pointer(&mem[0])), n)
	copy(x, numbers(name, n))
	return x
}

// memory gives n bytes.
func (f fence) memory(n int) []byte {
	f.t.Helper()
	const page = 4096
	size := (n + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			f.t.Error(err)
		}
	})
	if err := unix.Mprotect(mem[size:], unix.PROT_NONE); err != nil {
		f.t.Fatal(err)
	}
	return mem[size-n : size : size]
}

// TestIntKernelsStayInside is TestKernelsStayInside for those of integers.
func TestIntKernelsStayInside(t *testing.T) {
	for set, k := range intSets(t) {
		for _, n := range []int{1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47} {
			for _, toFloats := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", set, n, toFloats), func(t *testing.T) {
					f := fence{t}
					const m, depth = 15, 8
					ints := func(n int) []int32 { return unsafe.Slice((*int32)(unsafe.Pointer(&f.memory(4 * n)[0])), n) }
					product := func(channels int) *intPanelArgs {
						p := &intPanelArgs{res: f.floats("res", m*n), start: ints(channels), mult: f.floats("m", channels), add: f.floats("d", channels),
							taps: []int{0, 3}, m: m, n: n, outStep: n, resStep: n, lo: -1, hi: 1}
						if toFloats {
							p.floats = f.floats("out", m*n)
						} else {
							p.bytes = f.memory(m * n)
						}
						return p
					}
					if n <= k.nr {
						p := product(k.width(n))
						p.a, p.aStep, p.depth = f.memory(3+m*depth), depth, depth
						w := f.memory(2 * depth * k.width(n))
						p.w = unsafe.Slice((*int8)(unsafe.Pointer(&w[0])), len(w))
						k.panel(p)
					}
					p := product(n)
					p.a, p.aStep, p.filters = f.memory(3+m*n), n, ints(2*n)
					k.depthwise(p)
					x := scaleArgs{scale: f.floats("s", n), shift: f.floats("t", n), a: f.memory(m * n), b: f.memory(m * n),
						floats: p.floats, bytes: p.bytes, m: m, c: n, outStep: n, aStep: n, bStep: n}
					k.scale(&x)
					if !toFloats {
						k.add(&x)
						x.aFloats = f.floats("a", m*n)
						k.scale(&x)
						x.scale, x.step = nil, 2
						k.scale(&x)
						x.aFloats = nil
						k.scale(&x)
					}
				})
			}
		}
	}
}

// TestKernelsStayInside lets every operand end at a page that may not be
// touched: a read or write past it ends the test's process.
func TestKernelsStayInside(t *testing.T) {
	for _, k := range kernelSets() {
		for _, n := range []int{1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47} {
			t.Run(fmt.Sprintf("%s/%d", k.name, n), func(t *testing.T) {
				f := fence{t}
				const m, depth = 15, 5
				pixels := func(name string) []float32 { return f.floats(name, m*n) }
				if n <= k.nr {
					p := panelArgs{out: pixels("out"), res: pixels("res"), a: f.floats("a", 3+m*depth), taps: []int{0, 3}, depth: depth,
						w: f.floats("w", 2*depth*k.width(n)), bias: f.floats("b", k.width(n)), m: m, n: n, outStep: n, aStep: depth, resStep: n, lo: -1, hi: 1}
					k.panel(&p)
				}
				d := depthwiseArgs{out: pixels("out"), res: pixels("res"), a: f.floats("a", 3+m*n), taps: []int{0, 3}, w: f.floats("w", 2*n),
					bias: f.floats("b", n), m: m, c: n, outStep: n, aStep: n, resStep: n, lo: -1, hi: 1}
				k.depthwise(&d)
				x := pixelArgs{out: pixels("out"), a: pixels("a"), b: pixels("b"), scale: f.floats("s", n), shift: f.floats("t", n),
					m: m, c: n, outStep: n, aStep: n, bStep: n}
				k.affine(&x)
				for _, fn := range []byte("+-*") {
					k.binary(fn, &x)
				}
				for kind := actClamp; kind <= actGeluTanh; kind++ {
					x.act = act{kind: kind, lo: -1, hi: 1, alpha: 1, beta: 1}
					k.activate(&x)
				}
				k.norm(&x, 0.5, 2)
				k.exp(&x, 1)
				for _, kind := range []poolKind{poolMax, poolMean} {
					q := poolArgs{out: pixels("out"), a: f.floats("a", 3+m*n), taps: []int{0, 3}, m: m, c: n, outStep: n, aStep: n, kind: kind, n: 2}
					k.pool(&q)
				}
				k.mean(f.floats("out", n), f.floats("a", 2*m*n), view{h: 2, w: m, c: n, ps: n, rs: m * n})
			})
		}
	}
}
