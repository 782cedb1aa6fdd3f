package bench

import (
	"encoding/csv"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// syntheticImages are 1346 images with the shapes of the images of the bin D20141117T234033_IFCB102, of which
// testdata/shapes.csv tells, in an order like that of a bin: shapes mixed. With
// -short they are 200 of them.
func syntheticImages(b *testing.B) []*image.Gray {
	f, err := os.Open("testdata/shapes.csv")
	check(b, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	check(b, err)
	random := rand.New(rand.NewPCG(2014, 1117))
	var pictures []*image.Gray
	for _, row := range rows[1:] {
		var numbers [3]int
		for i, text := range row {
			numbers[i], err = strconv.Atoi(text)
			check(b, err)
		}
		for range numbers[2] {
			pictures = append(pictures, particle(random, numbers[0], numbers[1]))
		}
	}
	random.Shuffle(len(pictures), func(i, j int) { pictures[i], pictures[j] = pictures[j], pictures[i] })
	if testing.Short() {
		return pictures[:200]
	}
	return pictures
}

// particle draws a cell of uneven grey, with a bright halo, before a noisy background. As in a camera's image it takes
// the larger part of its cut-out.
func particle(random *rand.Rand, width, height int) *image.Gray {
	gray := image.NewGray(image.Rect(0, 0, width, height))
	sin, cos := math.Sincos(random.Float64() * math.Pi)
	long := 0.35 * float64(max(width, height)) * (0.8 + 0.2*random.Float64())
	short := min(long, 0.35*float64(min(width, height))*(0.5+0.5*random.Float64()))
	pattern := 0.3 + 0.7*random.Float64()
	for y := range height {
		for x := range width {
			dx, dy := float64(x)-float64(width)/2, float64(y)-float64(height)/2
			u, v := (dx*cos+dy*sin)/long, (dy*cos-dx*sin)/short
			level := 195 + 3*random.NormFloat64()
			switch r := math.Sqrt(u*u + v*v); {
			case r < 1:
				level += -70 + 25*math.Sin(pattern*dx)*math.Cos(pattern*dy)
			case r < 1.15:
				level += 25
			}
			gray.Pix[y*gray.Stride+x] = uint8(min(max(level, 0), 255))
		}
	}
	return gray
}

// binImages are all images of the complete bins of the reference data, nil if there are none of them.
func binImages(b *testing.B) []*image.Gray {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(folder, "bins", "*.adc"))
	check(b, err)
	var pictures []*image.Gray
	for _, path := range paths {
		bin, err := ifcb.Open(path)
		check(b, err)
		if bin.HasPixels() {
			for _, roi := range bin.Served() {
				gray, err := bin.Gray(roi)
				check(b, err)
				pictures = append(pictures, gray)
			}
		}
		check(b, bin.Close())
	}
	return pictures
}
