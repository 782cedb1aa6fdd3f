package imaging

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNothingIsAllocatedButTheResult holds a warm analyser to the memory of what it gives: the mask, its pixels and the
// view of the image; in v4 the blobs too.
func TestNothingIsAllocatedButTheResult(t *testing.T) {
	a := NewAnalyser(Options{})
	two := cell(150, 70, image.Point{})
	for y := range 70 { // a gap of background: two blobs
		for x := 65; x < 85; x++ {
			two.Pix[y*two.Stride+x] = uint8(180 + (x*7+y*13)%5)
		}
	}
	for name, gray := range map[string]*image.Gray{"fast size": cell(80, 72, image.Point{}), "primes": cell(67, 41, image.Point{}), "two blobs": two} {
		analyse(t, a, gray)
		if n := testing.AllocsPerRun(5, func() { analyse(t, a, gray) }); n > 3 {
			t.Errorf("%s: seed allocates %v times", name, n)
		}
		r, err := a.AnalyseV4(gray)
		if err != nil {
			t.Fatal(err)
		}
		most := float64(3 + len(r.Blobs)) // a slice that grows
		if n := testing.AllocsPerRun(5, func() { _, _ = a.AnalyseV4(gray) }); n > most {
			t.Errorf("%s: v4 allocates %v times for %d blobs", name, n, len(r.Blobs))
		}
	}
}

// TestTinyImages has images of all sizes up to 12 x 12, and long thin ones, of every sort of pixels: a result has a
// status, and real numbers where it says ok.
func TestTinyImages(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	fills := map[string]func(x, y int) uint8{
		"black":        func(int, int) uint8 { return 0 },
		"white":        func(int, int) uint8 { return 255 },
		"noise":        func(int, int) uint8 { return uint8(random.IntN(256)) },
		"two values":   func(int, int) uint8 { return uint8(255 * random.IntN(2)) },
		"checkerboard": func(x, y int) uint8 { return uint8(255 * ((x + y) % 2)) },
		"stripes":      func(x, _ int) uint8 { return uint8(40 + 160*(x/2%2)) },
		"one dark":     func(x, y int) uint8 { return uint8(200 - 190*asBit(x == 1 && y == 1)) },
		"dark middle":  func(x, y int) uint8 { return uint8(200 - 190*asBit(x > 1 && y > 1)) },
	}
	var sizes []shape
	for width := 1; width <= 12; width++ {
		for height := 1; height <= 12; height++ {
			sizes = append(sizes, shape{width, height})
		}
		sizes = append(sizes, shape{width, 211}, shape{211, width}, shape{40 + width, 41})
	}
	a := NewAnalyser(Options{})
	for name, fill := range fills {
		for _, s := range sizes {
			gray := image.NewGray(image.Rect(0, 0, s.width, s.height))
			for i := range gray.Pix {
				gray.Pix[i] = fill(i%s.width, i/s.width)
			}
			checkNumbers(t, a, name, gray)
		}
	}
}

// checkNumbers analyses an image by both algorithms.
func checkNumbers(t *testing.T, a *Analyser, name string, gray *image.Gray) {
	t.Helper()
	finite := func(what string, v any) {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			t.Errorf("%s of %v: %s is %v", name, gray.Rect.Max, what, f)
		}
	}
	r := analyse(t, a, gray)
	if r.Status == OK {
		for _, c := range Columns {
			if c.Name != "mm_sum" && c.Name != "mm_max" { // not numbers where a filter answers exactly 0, as in the original
				finite(c.Name, c.Value(&r))
			}
		}
		finite("minor axis", r.MinorAxisLength)
	} else if r.BiovolumeUm3 != 0 || !slices.Contains([]Status{NoBlob, HullError}, r.Status) {
		t.Errorf("%s of %v: status %q, volume %v", name, gray.Rect.Max, r.Status, r.BiovolumeUm3)
	}
	v, err := a.AnalyseV4(gray)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(ColumnsV4, FeatureColumnsV4) {
		finite(c.Name, c.Value(&v))
	}
}
