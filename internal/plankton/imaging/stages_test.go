package imaging

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse makes a mask of lines in which # is set.
func parse(text string) *Mask {
	lines := strings.Fields(text)
	m := new(Mask)
	m.reset(shape{len(lines[0]), len(lines)})
	for y, line := range lines {
		for x, c := range line {
			if c == '#' {
				m.set(x, y)
			}
		}
	}
	return m
}

func show(m *Mask) string {
	var b strings.Builder
	for y := range m.height {
		for x := range m.width {
			b.WriteByte(".#"[asBit(m.At(x, y))])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// randomMask has blots, so that stages find something to do, and sizes around the 64 pixels of a word.
func randomMask(random *rand.Rand) *Mask {
	sizes := []int{1, 2, 3, 5, 17, 63, 64, 65, 127, 128, 130}
	m := new(Mask)
	m.reset(shape{sizes[random.IntN(len(sizes))], sizes[random.IntN(len(sizes))]})
	for range random.IntN(40) {
		x, y, r := random.IntN(m.width), random.IntN(m.height), random.IntN(8)
		for dy := -r; dy <= r; dy++ {
			for dx := -r; dx <= r; dx++ {
				if dx*dx+dy*dy <= r*r && x+dx >= 0 && x+dx < m.width && y+dy >= 0 && y+dy < m.height && random.IntN(12) > 0 {
					m.set(x+dx, y+dy)
				}
			}
		}
	}
	return m
}

// mapMask applies a rule to every pixel.
func mapMask(m *Mask, rule func(x, y int) bool) *Mask {
	out := new(Mask)
	out.reset(shape{m.width, m.height})
	for y := range m.height {
		for x := range m.width {
			if rule(x, y) {
				out.set(x, y)
			}
		}
	}
	return out
}

// TestStagesAgainstTheirDefinition compares the stages, which work on 64 pixels at once, with their definition pixel
// by pixel.
func TestStagesAgainstTheirDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	stages := []struct {
		name string
		fast func(m *Mask)
		slow func(m *Mask) *Mask
	}{
		{"dilation by a square", func(m *Mask) { src := m.clone(); dilate(m, src, square) },
			func(m *Mask) *Mask { return mapMask(m, near(m, 2, 4)) }},
		{"dilation by a diamond", func(m *Mask) { src := m.clone(); dilate(m, src, diamond) },
			func(m *Mask) *Mask { return mapMask(m, near(m, 2, 2)) }},
		{"closing", func(m *Mask) { closeGaps(m, new(Mask), square) }, slowClosing},
		{"thinning", func(m *Mask) { thin(m, new(Mask), 3) }, slowThinning},
		{"holes", func(m *Mask) { new(components).fillHoles(m) }, slowHoles},
		{"small parts", func(m *Mask) { new(components).dropSmall(m, 20) }, slowSmall},
		{"outline", func(m *Mask) { src := m.clone(); outlineOf(m, src) }, slowOutline},
		{"outline at the border too", func(m *Mask) { src := m.clone(); rimOf(m, src) }, slowRim},
		{"closing without a border", func(m *Mask) {
			var padded, work Mask
			m.pad(&padded, 2)
			closeGaps(&padded, &work, diamond)
			padded.unpad(m, 2)
		}, slowOpenClosing},
		{"parts with a mark", func(m *Mask) { new(components).keepMarked(m, marksOf(m)) }, slowMarked},
		{"parts, put together again", func(m *Mask) {
			var c components
			var blob, all Mask
			all.reset(shape{m.width, m.height})
			for _, p := range c.parts(m) {
				c.crop(&blob, p)
				blob.each(func(x, y int) { all.set(x+p.left, y+p.top) })
			}
			*m = all
		}, func(m *Mask) *Mask { return m }},
		{"border", func(m *Mask) { cleanRows(m); cleanColumns(m) }, slowBorder},
	}
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			for range 60 {
				m := randomMask(random)
				before := show(m)
				want := show(s.slow(m))
				s.fast(m)
				if diff := cmp.Diff(want, show(m)); diff != "" {
					t.Fatalf("of\n%s(-want +got)\n%s", before, diff)
				}
			}
		})
	}
}

func near(m *Mask, reach, steps int) func(x, y int) bool {
	return func(x, y int) bool {
		for dy := -reach; dy <= reach; dy++ {
			for dx := -reach; dx <= reach; dx++ {
				if max(dx, -dx)+max(dy, -dy) <= steps && m.At(x+dx, y+dy) {
					return true
				}
			}
		}
		return false
	}
}

func slowClosing(m *Mask) *Mask {
	wide := mapMask(m, near(m, 2, 4))
	return mapMask(m, func(x, y int) bool {
		for dy := -2; dy <= 2; dy++ {
			for dx := -2; dx <= 2; dx++ {
				inside := x+dx >= 0 && x+dx < m.width && y+dy >= 0 && y+dy < m.height
				if inside && !wide.At(x+dx, y+dy) {
					return false
				}
			}
		}
		return true
	})
}

func slowThinning(m *Mask) *Mask {
	for range 3 {
		for _, first := range []bool{true, false} {
			from := m
			m = mapMask(from, func(x, y int) bool { return from.At(x, y) && !slowGoes(from, x, y, first) })
		}
	}
	return m
}

func slowGoes(m *Mask, x, y int, first bool) bool {
	n := [8]bool{m.At(x+1, y), m.At(x+1, y-1), m.At(x, y-1), m.At(x-1, y-1), m.At(x-1, y), m.At(x-1, y+1), m.At(x, y+1), m.At(x+1, y+1)}
	crossings, n1, n2 := 0, 0, 0
	for k := range 4 {
		crossings += asBit(!n[2*k] && (n[2*k+1] || n[(2*k+2)%8]))
		n1 += asBit(n[2*k+1] || n[2*k])
		n2 += asBit(n[2*k+1] || n[(2*k+2)%8])
	}
	side := !((n[1] || n[2] || !n[7]) && n[0])
	if !first {
		side = !((n[5] || n[6] || !n[3]) && n[4])
	}
	return crossings == 1 && min(n1, n2) >= 2 && min(n1, n2) <= 3 && side
}

// flood gives the pixels that are connected to (x, y) and like it.
func flood(m *Mask, x, y int, diagonal bool, seen map[[2]int]bool) [][2]int {
	like := m.At(x, y)
	var part [][2]int
	todo := [][2]int{{x, y}}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		inside := p[0] >= 0 && p[1] >= 0 && p[0] < m.width && p[1] < m.height
		if !inside || seen[p] || m.At(p[0], p[1]) != like {
			continue
		}
		seen[p] = true
		part = append(part, p)
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				if diagonal || dx == 0 || dy == 0 {
					todo = append(todo, [2]int{p[0] + dx, p[1] + dy})
				}
			}
		}
	}
	return part
}

func slowHoles(m *Mask) *Mask {
	seen := map[[2]int]bool{}
	for y := range m.height {
		for x := range m.width {
			border := x == 0 || y == 0 || x == m.width-1 || y == m.height-1
			if border && !m.At(x, y) {
				flood(m, x, y, false, seen)
			}
		}
	}
	return mapMask(m, func(x, y int) bool { return !seen[[2]int{x, y}] })
}

func slowSmall(m *Mask) *Mask {
	seen, keep := map[[2]int]bool{}, map[[2]int]bool{}
	m.each(func(x, y int) {
		if part := flood(m, x, y, true, seen); len(part) >= 20 {
			for _, p := range part {
				keep[p] = true
			}
		}
	})
	return mapMask(m, func(x, y int) bool { return keep[[2]int{x, y}] })
}

func slowOutline(m *Mask) *Mask {
	return mapMask(m, func(x, y int) bool {
		return m.At(x, y) && (x > 0 && !m.At(x-1, y) || x < m.width-1 && !m.At(x+1, y) ||
			y > 0 && !m.At(x, y-1) || y < m.height-1 && !m.At(x, y+1))
	})
}

func slowRim(m *Mask) *Mask {
	return mapMask(m, func(x, y int) bool {
		return m.At(x, y) && !(m.At(x-1, y) && m.At(x+1, y) && m.At(x, y-1) && m.At(x, y+1))
	})
}

func slowOpenClosing(m *Mask) *Mask {
	grown := near(m, 2, 2)
	return mapMask(m, func(x, y int) bool {
		for dy := -2; dy <= 2; dy++ {
			for dx := -2; dx <= 2; dx++ {
				if max(dx, -dx)+max(dy, -dy) <= 2 && !grown(x+dx, y+dy) {
					return false
				}
			}
		}
		return true
	})
}

// marksOf marks some pixels, of m and others.
func marksOf(m *Mask) *Mask {
	return mapMask(m, func(x, y int) bool { return (x*7+y*3)%23 == 0 })
}

func slowMarked(m *Mask) *Mask {
	marks, seen, keep := marksOf(m), map[[2]int]bool{}, map[[2]int]bool{}
	m.each(func(x, y int) {
		part := flood(m, x, y, true, seen)
		if slices.ContainsFunc(part, func(p [2]int) bool { return marks.At(p[0], p[1]) }) {
			for _, p := range part {
				keep[p] = true
			}
		}
	})
	return mapMask(m, func(x, y int) bool { return keep[[2]int{x, y}] })
}

func slowBorder(m *Mask) *Mask {
	for _, s := range []struct {
		on     func(x, y int) bool
		dx, dy int
	}{
		{func(_, y int) bool { return y == 0 }, 0, 1}, {func(_, y int) bool { return y == m.height-1 }, 0, -1},
		{func(x, _ int) bool { return x == 0 }, 1, 0}, {func(x, _ int) bool { return x == m.width-1 }, -1, 0},
	} {
		from := m
		m = mapMask(from, func(x, y int) bool { return from.At(x, y) && (!s.on(x, y) || from.At(x+s.dx, y+s.dy)) })
	}
	return m
}

func TestHull(t *testing.T) {
	tests := []struct {
		name, mask     string
		vertices, area int
	}{
		{"one pixel", "...\n.#.\n...", 0, 0},
		{"a line", "....\n####\n....", 0, 0},
		{"a slanted line", "#...\n.#..\n..#.", 0, 0},
		{"a triangle", "#..\n##.\n###", 3, 6},
		{"a square", "###\n###\n###", 4, 9},
		{"a cross", "..#..\n..#..\n#####\n..#..\n..#..", 4, 13},
		{"three pixels", "#....\n.....\n#...#", 3, 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(tt.mask)
			var h hull
			ok := h.enclose(m)
			if ok != (tt.vertices > 0) {
				t.Fatalf("has an inside: %v, vertices %v", ok, h.vertices)
			}
			if !ok {
				return
			}
			if got := h.area(shape{m.width, m.height}); len(h.vertices) != tt.vertices || got != tt.area {
				t.Errorf("%d vertices, area %d, want %d and %d:\n%s", len(h.vertices), got, tt.vertices, tt.area, show(&h.filled))
			}
		})
	}
}

// TestDistances compares the distance map with distances measured to every pixel of the outline.
func TestDistances(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 60 {
		m := randomMask(random)
		if m.Count() == 0 {
			continue
		}
		var g region
		g.measure(m)
		if g.perimeterPixels == 0 {
			continue
		}
		var want float64
		m.each(func(x, y int) {
			nearest := 1 << 30
			g.perimeter.each(func(px, py int) { nearest = min(nearest, (x-px)*(x-px)+(y-py)*(y-py)) })
			want += sqrt(nearest) + 1
		})
		if got := new(distanceMap).sum(m, &g); !close(got, want) {
			t.Fatalf("sum of distances %v, want %v:\n%s", got, want, show(m))
		}
	}
}

func TestMedianRoot(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	var m median
	check := func(name string, n int, value func(i int) int) {
		v, sorted := make([]complex128, n), make([]int, n)
		for i := range v {
			sorted[i] = value(i)
			v[i] = complex(0, float64(sorted[i]))
		}
		slices.Sort(sorted)
		want := float64(sorted[(n-1)/2]+sorted[n/2]) / 2
		columns := n
		for _, d := range []int{3, 4, 17} {
			if n%d == 0 {
				columns = n / d
			}
		}
		for _, k := range kernelSets() {
			if got := m.root(k, k.toGroups(v, columns), n/columns, columns); got != want {
				t.Errorf("%s: median of %d %s is %v, want %v", k.name, n, name, got, want)
			}
		}
	}
	sizes := []int{1019, 1020, 1021, 2040, 5000, 5001}
	for n := 1; n < 200; n++ {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		check("random values", n, func(int) int { return random.IntN(n) })
		check("rising values", n, func(i int) int { return i })
		check("equal values", n, func(int) int { return 7 })
		check("two values", n, func(i int) int { return i % 2 })
		// The sample is of every so manieth value: here it is of the least ones only.
		check("values that mislead the sample", n, func(i int) int { return min(i*255%max(n, 1), 255) * i })
	}
}
