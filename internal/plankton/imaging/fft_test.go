package imaging

import (
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

// toGroups lays rows of columns out in groups, with a pattern in the columns that there are not.
func (k *kernels) toGroups(x []complex128, columns int) []float64 {
	step := k.groups(columns) * k.group()
	out := make([]float64, len(x)/columns*step)
	for i := range out {
		out[i] = float64(i % 7)
	}
	for i, v := range x {
		at := i/columns*step + k.at(i%columns)
		out[at], out[at+k.lanes] = real(v), imag(v)
	}
	return out
}

// fromGroups is the reverse of toGroups.
func (k *kernels) fromGroups(x []float64, columns int) []complex128 {
	step := k.groups(columns) * k.group()
	out := make([]complex128, len(x)/step*columns)
	for i := range out {
		at := i/columns*step + k.at(i%columns)
		out[i] = complex(x[at], x[at+k.lanes])
	}
	return out
}

// transform transforms columns.
func (k *kernels) transform(p *plan, x []complex128, columns int) []complex128 {
	t := transformer{kernels: k}
	groups := k.groups(columns)
	t.fit(k.room(p, p.n, []block{{0, groups}}))
	copy(t.blocks[0], k.toGroups(x, columns))
	dst := make([]float64, p.n*groups*k.group())
	t.run(p, groups, dst, groups*k.group())
	return k.fromGroups(dst, columns)
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
		for _, k := range kernelSets() {
			out := k.transform(p, x, batch)
			for b := range batch {
				got := make([]complex128, n)
				for j := range got {
					got[j] = out[j*batch+b]
				}
				if e := relativeError(got, want[b]); e > 1e-13 {
					t.Errorf("%s, length %d: error %.1e", k.name, n, e)
				}
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
