package imaging

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// same tells whether numbers have the same bits; of NaN there may be several.
func same(a, b complex128) bool {
	equal := func(x, y float64) bool {
		return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
	}
	return equal(real(a), real(b)) && equal(imag(a), imag(b))
}

// TestTransformsHaveTheSameBits holds every set of kernels to the portable one.
func TestTransformsHaveTheSameBits(t *testing.T) {
	lengths := []int{601, 613, 1009, 1024, 1380, 2 * 797}
	for n := 1; n <= 600; n++ {
		lengths = append(lengths, n)
	}
	random := rand.New(rand.NewPCG(7, 8))
	for i, n := range lengths {
		p := newPlan(n)
		columns := []int{1, 3, 8, 13, 21}[i%5]
		x := randomVector(random, n*columns)
		for range n / 3 {
			x[random.IntN(len(x))] = complex(math.Copysign(0, random.Float64()-0.5), 0)
		}
		want := portable.transform(p, x, columns)
		for _, k := range kernelSets()[1:] {
			got := k.transform(p, x, columns)
			if j := firstDifference(got, want); j >= 0 {
				t.Fatalf("%s, length %d, %d columns: %v at %d, portable %v", k.name, n, columns, got[j], j, want[j])
			}
		}
	}
}

func firstDifference(got, want []complex128) int {
	for i := range want {
		if !same(got[i], want[i]) {
			return i
		}
	}
	return -1
}

// TestResponsesHaveTheSameBits has images of all sorts of sizes answer to all filters.
func TestResponsesHaveTheSameBits(t *testing.T) {
	for _, s := range someShapes {
		t.Run(fmt.Sprintf("%dx%d", s.width, s.height), func(t *testing.T) {
			gray := cell(s.width, s.height, image.Point{})
			var want [orientations][scales][]complex128
			for _, k := range kernelSets() {
				var p phase
				bank := newFilterBank(s, k)
				p.fitTo(bank)
				p.transform(gray, bank)
				for o := range orientations {
					p.respond(bank, o)
					h := bank.halves[views[o].half]
					for i, r := range p.responses {
						got := k.fromGroups(r[:h.columns*k.groups(h.rows)*k.group()], h.rows)
						if k == &portable {
							want[o][i] = got
						} else if at := firstDifference(got, want[o][i]); at >= 0 {
							t.Fatalf("%s: orientation %d, scale %d: %v at %d, portable %v", k.name, o, i, got[at], at, want[o][i][at])
						}
					}
				}
			}
		})
	}
}

var someShapes = []shape{{1, 1}, {1, 7}, {9, 1}, {2, 2}, {8, 6}, {13, 17}, {70, 19}, {34, 88}, {46, 131}, {128, 130}, {160, 106}, {263, 86}}

// TestResponsesAreThoseOfTheirFilters computes responses by the definition: the transforms of a spectrum, in which the
// filter is made anew for each frequency.
func TestResponsesAreThoseOfTheirFilters(t *testing.T) {
	for _, s := range []shape{{1, 1}, {2, 3}, {4, 4}, {8, 6}, {7, 10}, {13, 17}, {34, 28}} {
		gray := cell(s.width, s.height, image.Point{})
		spectrum := make([]complex128, s.width*s.height)
		for i, v := range gray.Pix {
			spectrum[i] = complex(float64(v), 0)
		}
		spectrum = naive2(spectrum, s)
		for _, k := range kernelSets() {
			var p phase
			bank := newFilterBank(s, k)
			p.fitTo(bank)
			p.transform(gray, bank)
			for o := range orientations {
				p.respond(bank, o)
				h := bank.halves[views[o].half]
				for i, r := range p.responses {
					got := k.fromGroups(r[:h.columns*k.groups(h.rows)*k.group()], h.rows)
					want := naive2(filtered(spectrum, s, o, i), s)
					for y := range s.height {
						for x := range s.width {
							g, w := got[min(x*s.height+y, len(got)-1)], want[y*s.width+x]/complex(float64(s.width*s.height), 0)
							if views[o].half == 1 {
								g = got[y*s.width+x]
							}
							if views[o].turned {
								g = conj(g)
							}
							if math.Abs(real(g-w)) > 1e-11 || math.Abs(imag(g-w)) > 1e-11 {
								t.Fatalf("%s, %v: orientation %d, scale %d at (%d, %d): %v, want %v", k.name, s, o, i, x, y, g, w)
							}
						}
					}
				}
			}
		}
	}
}

// filtered is the conjugate of a spectrum times a filter, whose inverse transform is a forward one then.
func filtered(spectrum []complex128, s shape, orientation, scaleNumber int) []complex128 {
	signed := func(i, n int) float64 {
		if i > (n-1)/2 {
			i -= n
		}
		return frequency(i, n)
	}
	out := make([]complex128, len(spectrum))
	for i, value := range spectrum {
		u, v := signed(i%s.width, s.width), signed(i/s.width, s.height)
		if u == 0 && v == 0 {
			continue
		}
		square := u*u + v*v
		rho := math.Sqrt(square)
		logGabor := math.Exp(-math.Pow(math.Log(rho*minWavelength*math.Pow(wavelengthBy, float64(scaleNumber))), 2) / (2 * math.Pow(math.Log(sigmaOnF), 2)))
		lowPass := 1 / (1 + math.Pow(rho/0.45, 30))
		angle := math.Atan2(-v, u) - float64(orientation)*math.Pi/orientations
		angle = math.Abs(math.Atan2(math.Sin(angle), math.Cos(angle)))
		spread := (math.Cos(min(angle*orientations/2, math.Pi)) + 1) / 2
		out[i] = scale(logGabor*lowPass*spread, conj(value))
	}
	return out
}

// naive2 is the transform of both axes.
func naive2(a []complex128, s shape) []complex128 {
	out := make([]complex128, len(a))
	for y := range s.height {
		copy(out[y*s.width:], naive(a[y*s.width:][:s.width]))
	}
	column := make([]complex128, s.height)
	for x := range s.width {
		for y := range column {
			column[y] = out[y*s.width+x]
		}
		for y, v := range naive(column) {
			out[y*s.width+x] = v
		}
	}
	return out
}

func TestKernelsAreChosenByName(t *testing.T) {
	for _, k := range kernelSets() {
		t.Setenv(kernelsVariable, k.name)
		if f := NewFilters(1); f.kernels != k {
			t.Errorf("asked for %s, got %v", k.name, f.kernels)
		}
	}
	t.Setenv(kernelsVariable, "sse")
	_, err := NewAnalyser(Options{}).Analyse(cell(20, 20, image.Point{}))
	if err == nil || !strings.Contains(err.Error(), `HYDRAULICS_IMAGING_KERNELS: kernels "sse" are not known or not for this processor, which runs: portable`) {
		t.Errorf("got %v", err)
	}
}

// TestMomentsHaveTheSameBits has responses of all strengths, some exactly zero, give moments.
func TestMomentsHaveTheSameBits(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{1, 7, 8, 9, 64, 1000} {
		var responses [scales][]complex128
		shared := make([]float64, n)
		for i := range shared {
			shared[i] = math.Exp(4*random.NormFloat64()) * float64(min(i%11, 1))
		}
		for s := range responses {
			for _, f := range shared {
				responses[s] = append(responses[s], complex(f*(0.3+random.Float64()), f*random.NormFloat64()))
			}
		}
		for _, noise := range []float64{epsilon, 0.3, 20} {
			var want []float64
			for _, k := range kernelSets() {
				p := phase{transformer: transformer{kernels: k}}
				for s, r := range responses {
					p.responses[s] = k.toGroups(r, n)
				}
				got := make([]float64, k.groups(n)*k.lanes)
				for i := range got {
					got[i] = float64(i)
				}
				p.add(got, k.groups(n), noise)
				if k == &portable {
					want = got
				}
				for i, v := range want {
					if !same(complex(got[i], 0), complex(v, 0)) {
						t.Fatalf("%s, %d pixels, noise %g: moment %d is %v, portable %v", k.name, n, noise, i, got[i], v)
					}
				}
			}
		}
	}
}

func TestMediansAndSurfacesHaveTheSameBits(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for count := range 70 {
		values := make([]float64, count)
		for i := range values {
			values[i] = float64(random.IntN(20))
		}
		strip := stripArgs{cos: semicircle.cos[:], sin: semicircle.sin[:], y0: random.Float64(), r0: 3 * random.Float64(), y1: random.Float64(),
			r1: 3 * random.Float64(), gapSquare: random.Float64(), steps: 1 + count%20}
		var want []float64
		for _, k := range kernelSets() {
			p := betweenArgs{src: values, dst: make([]float64, count+k.lanes), count: count, low: 5, high: 11}
			k.between(&p)
			strip.sums = make([]float64, 8)
			k.strip(&strip)
			got := slices.Concat(p.dst[:p.kept], []float64{float64(p.below)}, strip.sums)
			if k == &portable {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s, %d values: %v, portable %v", k.name, count, got, want)
			}
		}
	}
}

// TestThinImagesNeedNoPadding has the rows of thin images not filled up to whole vectors.
func TestThinImagesNeedNoPadding(t *testing.T) {
	f := NewFilters(1 << 20)
	for _, s := range []shape{{1, 100}, {100, 3}} {
		if bank := f.get(s); bank.lanes > min(s.width, s.height) {
			t.Errorf("%v: %d lanes", s, bank.lanes)
		}
	}
}
