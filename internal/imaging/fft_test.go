package imaging

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// naive is the DFT by its definition.
func naive(x []complex128) []complex128 {
	n := len(x)
	out := make([]complex128, n)
	for k := range out {
		for j, v := range x {
			out[k] += v * cmplx.Rect(1, -2*math.Pi*float64(j*k%n)/float64(n))
		}
	}
	return out
}

func randomVector(random *rand.Rand, n int) []complex128 {
	x := make([]complex128, n)
	for i := range x {
		x[i] = complex(random.Float64()*255, random.Float64()-0.5)
	}
	return x
}

func relativeError(got, want []complex128) float64 {
	var worst, largest float64
	for i := range want {
		worst = max(worst, cmplx.Abs(got[i]-want[i]))
		largest = max(largest, cmplx.Abs(want[i]))
	}
	return worst / largest
}

func TestTransformIsTheDFT(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	lengths := []int{137, 169, 223, 256, 446, 509, 512, 720, 1024, 1034, 1380}
	for n := 1; n <= 130; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		p := newPlan(n)
		const batch = 3
		x := make([]complex128, n*batch)
		var want [batch][]complex128
		for b := range batch {
			v := randomVector(random, n)
			want[b] = naive(v)
			for j := range v {
				x[j*batch+b] = v[j]
			}
		}
		out := p.transform(x, make([]complex128, p.scratch()*batch), batch)
		for b := range batch {
			got := make([]complex128, n)
			for j := range got {
				got[j] = out[j*batch+b]
			}
			if e := relativeError(got, want[b]); e > 1e-13 {
				t.Errorf("length %d: error %.1e", n, e)
			}
		}
	}
}

func TestRootsAreExact(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 6, 7, 8, 12, 24, 100, 223} {
		for k := range 2 * n {
			got := root(k, n)
			if want := cmplx.Rect(1, -2*math.Pi*float64(k%n)/float64(n)); cmplx.Abs(got-want) > 1e-15*math.Pi {
				t.Errorf("root %d of %d is %v, want %v", k, n, got, want)
			}
		}
		if n%4 == 0 && (root(n/4, n) != -1i || root(n/2, n) != -1) {
			t.Errorf("quarter turns of %d are %v, %v", n, root(n/4, n), root(n/2, n))
		}
	}
}

func TestTwoAxes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, s := range []shape{{1, 1}, {1, 7}, {9, 1}, {8, 6}, {13, 17}, {70, 19}, {34, 88}, {46, 131}} {
		t.Run(fmt.Sprintf("%dx%d", s.width, s.height), func(t *testing.T) {
			a := randomVector(random, s.width*s.height)
			want := make([]complex128, len(a))
			for y := range s.height {
				copy(want[y*s.width:], naive(a[y*s.width:][:s.width]))
			}
			for x := range s.width {
				column := make([]complex128, s.height)
				for y := range column {
					column[y] = want[y*s.width+x]
				}
				for y, v := range naive(column) {
					want[y*s.width+x] = v
				}
			}
			rows, columns := newPlan(s.width), newPlan(s.height)
			down, across := blocks(s.width, s.height, every), blocks(s.height, s.width, every)
			work := make([]complex128, max(columns.workSize(down), rows.workSize(across)))
			turned, got := make([]complex128, len(a)), make([]complex128, len(a))
			columns.transposed(turned, down, work, columnsOf(a, s.width))
			rows.transposed(got, across, work, columnsOf(turned, s.height))
			if e := relativeError(got, want); e > 1e-13 {
				t.Errorf("error %.1e", e)
			}
		})
	}
}
