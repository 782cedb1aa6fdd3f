package plankton_test

import (
	"encoding/csv"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

func draw(t *testing.T, seed uint64, class string, i int) plankton.Particle {
	t.Helper()
	p, err := plankton.Draw(seed, class, i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDrawIsDeterministic(t *testing.T) {
	for _, class := range plankton.Classes() {
		a, b := draw(t, 7, class, 3), draw(t, 7, class, 3)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s differs between two draws:\n%s", class, diff)
		}
		if other := draw(t, 8, class, 3); slices.Equal(a.Image.Pix, other.Image.Pix) {
			t.Errorf("%s is the same for another seed", class)
		}
		if other := draw(t, 7, class, 4); slices.Equal(a.Image.Pix, other.Image.Pix) {
			t.Errorf("%s is the same for another index", class)
		}
	}
}

// An image looks like one of an IFCB: a background about 200, a darker particle that does not touch the border, a
// width that is a multiple of 8.
func TestImagesLookLikeAnIFCB(t *testing.T) {
	var pixels []int
	images := 20
	if race.Enabled {
		images = 3
	}
	for _, class := range plankton.Classes() {
		for i := range images {
			p := draw(t, 1, class, i)
			w, h := p.Image.Rect.Dx(), p.Image.Rect.Dy()
			pixels = append(pixels, w*h)
			if w%8 != 0 || w > 400 || h > 300 {
				t.Errorf("%s %d is %d x %d", class, i, w, h)
			}
			sorted := slices.Clone(p.Image.Pix)
			slices.Sort(sorted)
			if background := sorted[len(sorted)*3/4]; background < 180 || background > 220 {
				t.Errorf("%s %d: background %d", class, i, background)
			}
			if dark := sorted[len(sorted)/50]; dark > 140 {
				t.Errorf("%s %d: darkest pixels %d", class, i, dark)
			}
			for x := range w {
				if p.Image.GrayAt(x, 0).Y < 160 || p.Image.GrayAt(x, h-1).Y < 160 {
					t.Fatalf("%s %d touches the border at column %d", class, i, x)
				}
			}
		}
	}
	slices.Sort(pixels)
	if median := pixels[len(pixels)/2]; median < 3500 || median > 9000 {
		t.Errorf("median size %d px, want near 80 x 72", median)
	}
}

func TestUnknownClass(t *testing.T) {
	if _, err := plankton.Draw(1, "whale", 0); err == nil {
		t.Error("no error")
	}
}

func TestWriteImages(t *testing.T) {
	dir := t.TempDir()
	if err := plankton.WriteImages(dir, 2, 5); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, plankton.LabelsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 2*len(plankton.Classes()); len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	img, err := os.Open(filepath.Join(dir, filepath.FromSlash(rows[1][0])))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	got, err := png.Decode(img)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(draw(t, 5, rows[1][1], 0).Image.Bounds(), got.Bounds()); diff != "" {
		t.Error(diff)
	}
	if err := plankton.WriteImages(dir, 0, 5); err == nil {
		t.Error("0 images per class is accepted")
	}
}
