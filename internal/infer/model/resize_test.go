package model

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

// resizeGolden is testdata/resize.json.
type resizeGolden struct {
	Images map[string]map[string]string
	Rows   map[string]string
}

func readResizeGolden(t *testing.T) resizeGolden {
	t.Helper()
	data, err := os.ReadFile("testdata/resize.json")
	if err != nil {
		t.Fatal(err)
	}
	var g resizeGolden
	if err := json.Unmarshal(data, &g); err != nil || len(g.Images) < 12 || len(g.Rows) != len(filterNames) {
		t.Fatalf("%d images, %d filters, %v", len(g.Images), len(g.Rows), err)
	}
	return g
}

// addTo puts an input, as it is before scaling, into a hash: bytes, or float32
// for the filter whose results are no whole numbers.
func addTo(t *testing.T, h hash.Hash, m Manifest, img picture) {
	t.Helper()
	m.Scale = 1
	p := NewPreprocessor(m)
	if m.Resize.Filter == filterKerasBilinear || m.Resize.Filter == filterKerasNearest {
		x := make([]float32, p.Size())
		if m.Resize.Filter == filterKerasBilinear {
			p.kerasBilinear(x, img)
		} else {
			small := p.resized(img)
			for y := range small.h {
				p.look(x[y*p.width*p.channels:], small.row(y), small.n)
			}
		}
		if err := binary.Write(h, binary.LittleEndian, x); err != nil {
			t.Fatal(err)
		}
		return
	}
	small := p.resized(img)
	if small.n == p.channels {
		h.Write(small.pix)
		return
	}
	for _, v := range small.pix {
		h.Write([]byte{v, v, v})
	}
}

func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil))[:32] }

// TestResizeAsPillowAndKeras compares with what make_resize.py recorded.
func TestResizeAsPillowAndKeras(t *testing.T) {
	sizes := [][2]int{{64, 64}, {224, 224}, {17, 300}, {300, 5}, {1, 1}}
	for file, want := range readResizeGolden(t).Images {
		if race.Enabled && file != "gray.png" && file != "rgb.png" {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata/images", file))
		if err != nil {
			t.Fatal(err)
		}
		for filter, sum := range want {
			t.Run(file+" "+filter, func(t *testing.T) {
				h := sha256.New()
				for _, size := range sizes {
					for _, channels := range []int{3, 1} {
						img, err := decode(data, channels)
						if err != nil {
							t.Fatal(err)
						}
						m := Manifest{Input: Input{Height: size[0], Width: size[1], Channels: channels}, Resize: Resize{Filter: filter, Fill: Fill{Value: 200}}}
						addTo(t, h, m, img)
						if drawn(img, size) && !strings.HasPrefix(filter, "keras-") {
							m.Resize.KeepAspect = true
							addTo(t, h, m, img)
						}
					}
				}
				if got := digest(h); got != sum {
					t.Errorf("got %s, recorded was %s", got, sum)
				}
			})
		}
	}
}

// drawn tells whether Pillow draws an image at all that is fitted into a
// size: a side that rounds to 0 leaves it out there, and is 1 here.
func drawn(img picture, size [2]int) bool {
	w, h := float64(img.w), float64(img.h)
	by := min(float64(size[0])/h, float64(size[1])/w)
	return math.RoundToEven(min(w, h)*by) > 0
}

// TestRowsOfEveryLength compares the filters' weights for all lengths to 1600.
func TestRowsOfEveryLength(t *testing.T) {
	if race.Enabled {
		t.Skip("much arithmetic, and one goroutine")
	}
	for filter, want := range readResizeGolden(t).Rows {
		t.Run(filter, func(t *testing.T) {
			h := sha256.New()
			for size := 1; size <= 1600; size++ {
				img := newPicture(size, 1, 1)
				for i := range img.pix {
					img.pix[i] = byte(i*i*31 + i*7 + size)
				}
				addTo(t, h, Manifest{Input: Input{Height: 1, Width: 224, Channels: 1}, Resize: Resize{Filter: filter}}, img)
			}
			if got := digest(h); got != want {
				t.Errorf("got %s, recorded was %s", got, want)
			}
		})
	}
}

// TestTables: sums of two pixels in one number have room, and what is kept of
// the weights is bounded.
func TestTables(t *testing.T) {
	step := 1
	if race.Enabled {
		step = 97
	}
	for name, f := range smoothFilters {
		for in := 1; in <= 1600; in += step {
			for _, out := range []int{1, 5, 64, 224, 300} {
				for i, tap := range f.table(in, out) {
					sum := int64(1 << (precision - 1))
					for _, w := range tap.weights {
						sum += 255 * int64(max(w, -w))
					}
					if sum >= 1<<31 {
						t.Fatalf("%s from %d to %d: output %d may add up to %d", name, in, out, i, sum)
					}
				}
			}
			if f.kept > maxKept {
				t.Fatalf("%s keeps %d words, the bound is %d", name, f.kept, maxKept)
			}
		}
		if a, b := f.table(88, 224), f.table(88, 224); &a[0] != &b[0] {
			t.Errorf("%s computes its weights again", name)
		}
	}
}
