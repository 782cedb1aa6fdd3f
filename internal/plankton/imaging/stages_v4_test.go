package imaging

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDarkPixels compares the clusters, which are computed by grey value, with ones computed pixel by pixel.
func TestDarkPixels(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	var d darkMask
	for n := range 300 {
		gray := image.NewGray(image.Rect(0, 0, 1+random.IntN(30), 2+random.IntN(30)))
		low, span := random.IntN(256), 1+random.IntN(1+n%60*4)
		for i := range gray.Pix {
			gray.Pix[i] = uint8(min(low+random.IntN(span), 255))
		}
		var m Mask
		m.reset(shape{gray.Rect.Dx(), gray.Rect.Dy()})
		want := show(slowDark(gray, &m))
		d.addTo(&m, gray)
		if diff := cmp.Diff(want, show(&m)); diff != "" {
			t.Fatalf("of %v (-want +got)\n%s", gray.Pix, diff)
		}
	}
}

type dot struct {
	v   float32
	own int
}

// slowDark follows the description sentence by sentence.
func slowDark(gray *image.Gray, size *Mask) *Mask {
	var dots []dot
	for x := range size.width {
		for y := range size.height {
			dots = append(dots, dot{v: float32(gray.GrayAt(x, y).Y) / 255})
		}
	}
	c := [2]float32{0, 1}
	far := func(p dot, k int) float32 { d := p.v - c[k]; return float32(d * d) }
	nearest := func(p dot) int { return asBit(!(far(p, 0) <= far(p, 1))) }
	centre := func() (n [2]int) {
		var sum [2]float32
		for _, p := range dots {
			n[p.own]++
			sum[p.own] += p.v
		}
		for k := range c {
			if n[k] > 0 {
				c[k] = sum[k] / float32(n[k])
			}
		}
		return n
	}
	for i, p := range dots {
		dots[i].own = nearest(p)
	}
	best := float32(math.Inf(1))
	var before []dot
	for range 100 {
		n := centre()
		for k := range n {
			if n[k] > 0 {
				continue
			}
			farthest := 0
			for i, p := range dots {
				if far(p, 1-k) > far(dots[farthest], 1-k) {
					farthest = i
				}
			}
			dots[farthest].own = k
			centre()
		}
		var total float32
		for _, p := range dots {
			total += far(p, p.own)
		}
		if best <= total {
			copy(dots, before)
			centre()
			break
		}
		best, before = total, append(before[:0], dots...)
		changed := false
		for i, p := range dots {
			if to := nearest(p); to != p.own && far(p, p.own) > far(p, to) {
				dots[i].own, changed = to, true
			}
		}
		if !changed {
			break
		}
	}
	background := asBit(c[1] > c[0])
	darkest := float32(2)
	for _, p := range dots {
		if p.own == background {
			darkest = min(darkest, p.v)
		}
	}
	return mapMask(size, func(x, y int) bool {
		p := dots[x*size.height+y]
		return p.own != background && p.v <= float32(darkest*0.75)
	})
}

// TestOrientation has angles that a symmetric blob must hit exactly, since they decide how it is turned.
func TestOrientation(t *testing.T) {
	tests := []struct {
		name       string
		xx, yy, xy float64
		want       float64
	}{
		{"round", 7, 7, 0, 0},
		{"lying", 9, 2, 0, 0},
		{"upright", 2, 9, 0, 90},
		{"rising", 5, 5, -3, 45},
		{"falling", 5, 5, 3, -45},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := orientation(tt.xx, tt.yy, tt.xy); got != tt.want || math.Signbit(got) != math.Signbit(tt.want) {
				t.Errorf("%v degrees, want %v", got, tt.want)
			}
		})
	}
}

// TestMeasuresOfShapes checks what can be computed by hand.
func TestMeasuresOfShapes(t *testing.T) {
	const rectangle = "######\n######\n######\n######"
	var b blobMeter
	b.blob = *parse(rectangle)
	r := b.measure(&portable, true)
	if r.Area != 24 || r.Extent != 1 || r.Orientation != 0 || r.Method != SOR {
		t.Errorf("%+v", r)
	}
	for name, v := range map[string][2]float64{
		"perimeter": {r.Perimeter, 12 + 4}, "convex perimeter": {r.ConvexPerimeter, 16}, "convex area": {r.ConvexArea, 15 + 8},
		"major axis": {r.MajorAxisLength, 4 * math.Sqrt(4*17.5/23)}, "least diameter": {r.MinFeretDiameter, 4},
		// Six discs of radius 2, half a pixel longer at each end.
		"volume": {r.SORVolume, 6 * math.Pi * 4}, "width": {r.RepresentativeWidth, 4},
		"surface": {r.SurfaceArea, 2*math.Pi*4 + 6*2*math.Pi*2},
	} {
		if math.Abs(v[0]-v[1]) > 1e-4*v[1] { // the surface has 1440 sides
			t.Errorf("%s %v, want %v", name, v[0], v[1])
		}
	}

	b.blob.reset(shape{50, 1})
	b.blob.fill(0, 0, 50, true)
	line := b.measure(&portable, true)
	if line.ConvexArea != 50 || line.ConvexPerimeter != line.Perimeter || line.MaxFeretDiameter < 50 || line.MinorAxisLength != 0 {
		t.Errorf("a line: %+v", line)
	}
}

// TestTurnedBlobs turns blobs by a quarter of a turn: lying and upright ones have the same solid.
func TestTurnedBlobs(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for range 40 {
		m := randomMask(random)
		if m.Count() < 2 {
			continue
		}
		var lying, upright blobMeter
		m.copyTo(&lying.blob)
		upright.blob.reset(shape{m.height, m.width})
		m.each(func(x, y int) { upright.blob.set(y, x) })
		a, b := new(BlobV4).measureAxes(&lying.blob), new(BlobV4).measureAxes(&upright.blob)
		lying.revolution.load(&lying.blob, a, 0)
		upright.revolution.load(&upright.blob, b, 90)
		if x, y := lying.revolution.width(), upright.revolution.width(); math.Abs(x-y) > 1e-12*x {
			t.Errorf("mean diameter %v lying, %v upright:\n%s", x, y, show(m))
		}
	}
}

func TestOrderOfParts(t *testing.T) {
	m := parse("##....##\n##....##\n....#...\n##....##\n##...###")
	var got []box
	for _, p := range new(components).parts(m) {
		got = append(got, p.box)
	}
	want := []box{{5, 3, 8, 5}, {0, 0, 2, 2}, {0, 3, 2, 5}, {6, 0, 8, 2}, {4, 2, 5, 3}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBuffersV4 takes images of several sizes through one analyser: it gives what a new one gives.
func TestBuffersV4(t *testing.T) {
	analyseV4 := func(a *Analyser, gray *image.Gray) ResultV4 {
		r, err := a.AnalyseV4(gray)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	used := NewAnalyser(Options{})
	for _, s := range []shape{{90, 60}, {130, 101}, {64, 64}, {33, 20}, {90, 60}} {
		gray := cell(s.width, s.height, image.Point{})
		analyse(t, used, gray)
		want := analyseV4(NewAnalyser(Options{}), gray)
		if want.Status != OK {
			t.Errorf("%v: %s", s, want.Status)
		}
		if diff := cmp.Diff(want, analyseV4(used, gray), cmp.AllowUnexported(Mask{})); diff != "" {
			t.Errorf("%v (-fresh +used)\n%s", s, diff)
		}
	}
	gray := cell(90, 60, image.Point{})
	analyseV4(used, gray)
	if n := testing.AllocsPerRun(5, func() { analyseV4(used, gray) }); n > 20 {
		t.Errorf("%v allocations an image", n)
	}
}

func TestStatusesV4(t *testing.T) {
	gray := func(width, height int, f func(x, y int) uint8) *image.Gray {
		g := image.NewGray(image.Rect(0, 0, width, height))
		for i := range g.Pix {
			g.Pix[i] = f(i%width, i/width)
		}
		return g
	}
	flat := func(v uint8) func(int, int) uint8 { return func(int, int) uint8 { return v } }
	tests := []struct {
		name string
		gray *image.Gray
		want Status
	}{
		{"one pixel", gray(1, 1, flat(9)), NoBlob},
		{"two pixels", gray(2, 1, flat(9)), NoBlob},
		{"white", gray(60, 40, flat(255)), NoBlob},
		{"grey", gray(60, 40, flat(128)), NoBlob},
		{"black", gray(61, 43, flat(0)), NoBlob},
		{"one row", gray(300, 1, func(x, _ int) uint8 { return uint8(200 - 180*asBit(x > 50 && x < 250)) }), OK},
		{"one column", gray(1, 300, func(_, y int) uint8 { return uint8(200 - 180*asBit(y > 50 && y < 250)) }), OK},
	}
	a := NewAnalyser(Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := a.AnalyseV4(tt.gray)
			if err != nil || r.Status != tt.want {
				t.Errorf("status %s, want %s: %+v, %v", r.Status, tt.want, r, err)
			}
			for _, c := range ColumnsV4 {
				if v, ok := c.Value(&r).(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Errorf("%s is %v", c.Name, v)
				}
			}
		})
	}
	if _, err := a.AnalyseV4(&image.Gray{}); err == nil {
		t.Error("an image without pixels was taken")
	}
}
