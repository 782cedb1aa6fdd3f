package imaging

import (
	"fmt"
	"image"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fenced gives a copy that ends where a page begins that may not be touched.
func fenced[T float64 | complex128](t *testing.T, x []T) []T {
	t.Helper()
	const page = 4096
	length := len(x) * int(unsafe.Sizeof(x[0]))
	size := (length + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mprotect(mem[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	y := unsafe.Slice((*T)(unsafe.Pointer(&mem[size-length])), len(x))
	copy(y, x)
	return y
}

func fence[T float64 | complex128](t *testing.T, list ...*[]T) {
	for _, x := range list {
		if len(*x) > 0 {
			*x = fenced(t, *x)
		}
	}
}

func fencePlan(t *testing.T, p *plan) {
	for i := range p.stages {
		fence(t, &p.stages[i].twiddle, &p.stages[i].roots)
	}
	if p.chirp != nil {
		fence(t, &p.chirp.chirp, &p.chirp.kernel)
		fencePlan(t, p.chirp.inner)
	}
}

// TestKernelsStayInside lets every operand end at a page that may not be touched: a read or write past it ends the test's
// process.
func TestKernelsStayInside(t *testing.T) {
	for _, k := range kernelSets() {
		for _, s := range someShapes {
			t.Run(fmt.Sprintf("%s/%dx%d", k.name, s.width, s.height), func(t *testing.T) {
				gray := cell(s.width, s.height, image.Point{})
				bank := newFilterBank(s, k)
				var p phase
				want := slices.Clone(p.congruency(gray, bank))
				for i := range bank.halves {
					h := &bank.halves[i]
					fencePlan(t, h.along)
					fence(t, &h.straight, &h.slanted, &p.spectra[i], &p.moments[i], &p.blocks[i], &p.median.values[i])
					for s := range h.radial {
						fence(t, &h.radial[s])
					}
				}
				for s := range p.responses {
					fence(t, &p.responses[s])
				}
				fence(t, &p.between, &p.folds, &p.sum)
				got := p.congruency(gray, bank)
				for i, v := range want {
					if !same(complex(v, 0), complex(got[i], 0)) {
						t.Fatalf("moment %d is %v, was %v", i, got[i], v)
					}
				}
				strip := stripArgs{cos: fenced(t, semicircle.cos[:]), sin: fenced(t, semicircle.sin[:]), sums: fenced(t, make([]float64, 8)), steps: 90}
				k.strip(&strip)
			})
		}
	}
}
