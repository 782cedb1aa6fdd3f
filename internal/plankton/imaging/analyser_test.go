package imaging

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func sqrt(n int) float64 { return math.Sqrt(float64(n)) }

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

// cell is an image of a dark ellipse, with its corner at min.
func cell(width, height int, minimum image.Point) *image.Gray {
	gray := image.NewGray(image.Rect(0, 0, width, height).Add(minimum))
	for y := range height {
		for x := range width {
			dx, dy := float64(2*x-width)/float64(width), float64(2*y-height)/float64(height)
			v := 180 + (x*7+y*13)%5
			if dx*dx+dy*dy < 0.4 {
				v = 90 + (x*5+y*3)%7
			}
			gray.SetGray(minimum.X+x, minimum.Y+y, color.Gray{Y: uint8(v)})
		}
	}
	return gray
}

func analyse(t *testing.T, a *Analyser, gray *image.Gray) Result {
	t.Helper()
	r, err := a.Analyse(gray)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var ignorePixels = cmp.Options{cmpopts.IgnoreUnexported(Result{}), cmp.AllowUnexported(Mask{})}

func TestBuffersHoldNothingOfThePreviousImage(t *testing.T) {
	used := NewAnalyser(Options{})
	for _, s := range []shape{{90, 60}, {130, 101}, {64, 64}, {33, 20}, {90, 60}} {
		gray := cell(s.width, s.height, image.Point{})
		got, want := analyse(t, used, gray), analyse(t, NewAnalyser(Options{}), gray)
		if diff := cmp.Diff(want, got, ignorePixels); diff != "" {
			t.Errorf("%v (-fresh +used)\n%s", s, diff)
		}
	}
}

func TestPartOfAnImage(t *testing.T) {
	whole := image.NewGray(image.Rect(-10, -5, 200, 120))
	part := whole.SubImage(image.Rect(20, 30, 110, 90)).(*image.Gray)
	moved := cell(90, 60, image.Pt(20, 30))
	for y := 30; y < 90; y++ {
		for x := 20; x < 110; x++ {
			part.SetGray(x, y, moved.GrayAt(x, y))
		}
	}
	a := NewAnalyser(Options{})
	want := analyse(t, a, cell(90, 60, image.Point{}))
	if want.Status != OK {
		t.Fatalf("status %s", want.Status)
	}
	if diff := cmp.Diff(want, analyse(t, a, part), ignorePixels); diff != "" {
		t.Errorf("(-whole +part)\n%s", diff)
	}
}

func TestStatuses(t *testing.T) {
	gray := func(width, height int, f func(x, y int) uint8) *image.Gray {
		g := image.NewGray(image.Rect(0, 0, width, height))
		for i := range g.Pix {
			g.Pix[i] = f(i%width, i/width)
		}
		return g
	}
	flat := func(int, int) uint8 { return 128 }
	tests := []struct {
		name string
		gray *image.Gray
		want Status
	}{
		{"one pixel", gray(1, 1, flat), NoBlob},
		{"two pixels", gray(2, 1, flat), NoBlob},
		{"constant", gray(60, 40, flat), NoBlob},
		{"black", gray(61, 43, func(int, int) uint8 { return 0 }), NoBlob},
		{"one row", gray(300, 1, func(x, _ int) uint8 { return uint8(200 - 180*asBit(x > 50 && x < 250)) }), HullError},
		{"one column", gray(1, 300, func(_, y int) uint8 { return uint8(200 - 180*asBit(y > 50 && y < 250)) }), HullError},
		{"a cell", cell(90, 60, image.Point{}), OK},
	}
	a := NewAnalyser(Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := analyse(t, a, tt.gray)
			if r.Status != tt.want {
				t.Errorf("status %s, want %s: %+v", r.Status, tt.want, r)
			}
			for _, c := range Columns {
				c.Value(&r)
			}
		})
	}
}

func TestResolution(t *testing.T) {
	gray := cell(90, 60, image.Point{})
	r := analyse(t, NewAnalyser(Options{PixelsPerMicron: 2.77}), gray)
	if want := r.BiovolumePx / (2.77 * 2.77 * 2.77); !close(r.BiovolumeUm3, want) {
		t.Errorf("%v um^3, want %v", r.BiovolumeUm3, want)
	}
}

func TestSizesThatAreRefused(t *testing.T) {
	for want, gray := range map[string]*image.Gray{
		"no pixels (0 x 5)":            image.NewGray(image.Rect(0, 0, 0, 5)),
		"no pixels (0 x 0)":            {},
		"2097153 x 2 pixels is larger": {Rect: image.Rect(0, 0, 1<<21+1, 2)},
	} {
		if _, err := NewAnalyser(Options{}).Analyse(gray); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestFiltersStayInBounds(t *testing.T) {
	one := newFilterBank(shape{20, 20}, NewFilters(1).kernels).bytes()
	f := NewFilters(2*one + one/2)
	a, b, c, large := shape{20, 20}, shape{20, 19}, shape{19, 20}, shape{60, 60}
	first := f.get(a)
	f.get(b)
	if f.get(a) != first {
		t.Error("a recent shape was not kept")
	}
	f.get(c) // drops b, which was used least recently
	if _, ok := f.banks[b]; ok || f.get(a) != first || f.bytes > f.limit {
		t.Errorf("holds %d shapes of %d bytes, limit %d", len(f.banks), f.bytes, f.limit)
	}
	if f.get(large); f.bytes > f.limit || f.get(a) != first {
		t.Error("a shape that does not fit pushed others out")
	}
}

func TestAnalysersShareFilters(t *testing.T) {
	filters := NewFilters(1 << 20)
	want := analyse(t, NewAnalyser(Options{}), cell(50, 40, image.Point{}))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			a := NewAnalyser(Options{Filters: filters})
			for k := range 12 {
				if r, err := a.Analyse(cell(50, 40+k%4, image.Point{})); err != nil || k%4 == 0 && r.BiovolumePx != want.BiovolumePx {
					t.Errorf("%v, %v", r.BiovolumePx, err)
				}
			}
		})
	}
	wait.Wait()
}

func encode(t *testing.T, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodePNGMakesGrey(t *testing.T) {
	box := image.Rect(0, 0, 2, 1)
	left, right := color.NRGBA{R: 200, G: 100, B: 50, A: 255}, color.NRGBA{R: 10, G: 20, B: 30, A: 128}
	paint := func(picture interface {
		image.Image
		Set(x, y int, c color.Color)
	}) image.Image {
		picture.Set(0, 0, left)
		picture.Set(1, 0, right)
		return picture
	}
	const l, r = (200*19595 + 100*38470 + 50*7471 + 32768) >> 16, (10*19595 + 20*38470 + 30*7471 + 32768) >> 16
	deep := image.NewGray16(box)
	deep.SetGray16(0, 0, color.Gray16{Y: 0x12ff})
	deep.SetGray16(1, 0, color.Gray16{Y: 0xff00})
	gray := image.NewGray(box)
	copy(gray.Pix, []uint8{7, 255})
	tests := []struct {
		name    string
		picture image.Image
		want    []uint8
	}{
		{"grey", gray, []uint8{7, 255}},
		{"16-bit grey", deep, []uint8{0x12, 0xff}},
		{"colour with transparency", paint(image.NewNRGBA(box)), []uint8{l, r}},
		{"16-bit colour with transparency", paint(image.NewNRGBA64(box)), []uint8{l, r}},
		{"palette", paint(image.NewPaletted(box, color.Palette{left, right})), []uint8{l, r}},
		{"two colours", paint(image.NewPaletted(box, color.Palette{right, left})), []uint8{l, r}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodePNG(encode(t, tt.picture))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Pix); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// claim gives a PNG whose header claims a size.
func claim(t *testing.T, width, height uint32) []byte {
	data := encode(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(data[16:], width)
	binary.BigEndian.PutUint32(data[20:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func TestDecodePNGRefuses(t *testing.T) {
	good := encode(t, cell(30, 20, image.Point{}))
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":       {nil, "EOF"},
		"a text":        {[]byte("<html>not found</html>"), "not a PNG file"},
		"half a file":   {good[:len(good)/2], "not a readable PNG: png: "},
		"a huge claim":  {claim(t, 60000, 60000), "60000 x 60000 pixels is larger than the 2097152 pixels"},
		"a long claim":  {claim(t, 1<<31-1, 1), "larger than"},
		"an empty size": {claim(t, 0, 10), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := DecodePNG(tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzAnalysePNG(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, cell(40, 30, image.Point{})); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	a := NewAnalyser(Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		gray, err := DecodePNG(data)
		if err != nil || len(gray.Pix) > 1<<14 {
			return
		}
		r := analyse(t, a, gray)
		if r.Status == OK && !(r.BiovolumeUm3 > 0) {
			t.Errorf("volume %v", r.BiovolumeUm3)
		}
	})
}

func TestOutline(t *testing.T) {
	gray := cell(90, 60, image.Point{})
	gray.Pix[0] = 255
	r := analyse(t, NewAnalyser(Options{}), gray)
	data, err := Outline(gray, r.Blob)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for y := range 60 {
		for x := range 90 {
			c := color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
			switch {
			case c == outlineColor:
				marked++
			case c.R != min(gray.GrayAt(x, y).Y, 254) || c.R != c.G || c.R != c.B:
				t.Fatalf("pixel %d, %d is %v in an image of %v", x, y, c, gray.GrayAt(x, y))
			}
		}
	}
	if marked != r.Perimeter {
		t.Errorf("%d pixels marked, the outline has %d", marked, r.Perimeter)
	}
	if _, err := Outline(image.NewGray(image.Rect(0, 0, 3, 3)), r.Blob); err == nil {
		t.Error("a mask of another image was drawn")
	}
}

func TestCarbon(t *testing.T) {
	tests := []struct {
		name      string
		got, want float64
	}{
		{"protist of 1000 um^3", Carbon(1000, false), math.Pow(10, -0.665+3*0.939)},
		{"diatom of 1000 um^3", Carbon(1000, true), math.Pow(10, -0.541+3*0.811)},
		{"diatom of 3000 um^3", math.Round(Carbon(3000, true)), 190},
		{"diatom above 3000 um^3", math.Round(Carbon(3000.001, true)), 135},
		{"original's diatom", CarbonSeed(1000, true), math.Pow(10, -0.665+3*0.939)},
		{"original's other", CarbonSeed(1000, false), math.Pow(10, -0.993+3*0.881)},
	}
	for _, tt := range tests {
		if !close(tt.got, tt.want) {
			t.Errorf("%s: %v pg C, want %v", tt.name, tt.got, tt.want)
		}
	}
}
