package onnx

import "math"

// The operations on tensors. Beside images the intermediate form has tensors
// of any number of axes, dense and in the file's order: a value of 1 x 1 x size
// whose shape only lowering knows. What is done to one is a body, which knows
// where the elements lie. Images become tensors, and tensors images, by opLoad
// and opStore.

// body computes a tensor of others. It is immutable; the same one folds
// constants when a model is loaded.
type body interface {
	run(s *Session, out []float32, in [][]float32)
}

// operand is what a body reads: one of its operation's inputs, or a constant.
type operand struct {
	k  []float32
	at int // of op.in where k is nil
}

// strides gives the distances between neighbours along each axis.
func strides(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = n
		n *= dims[i]
	}
	return s
}

func volume(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// offsets gives the distance of each element of some axes from the first.
func offsets(dims, steps []int) []int {
	list := []int{0}
	for i, d := range dims {
		next := make([]int, 0, len(list)*d)
		for _, at := range list {
			for j := range d {
				next = append(next, at+j*steps[i])
			}
		}
		list = next
	}
	return list
}

// moveBody picks elements: the one at (i, j, ...) is at the sum of the tables'
// i-th, j-th, ... numbers; a number below 0 gives the fill instead.
type moveBody struct {
	tables [][]int
	fill   float32
}

func (m *moveBody) run(_ *Session, out []float32, in [][]float32) {
	pickAll(out, in[0], m.tables, m.fill, 0, false)
}

// pickAll fills dst from the tables on, and gives what is left of it.
func pickAll[T any](dst, src []T, tables [][]int, fill T, at int, outside bool) []T {
	if len(tables) == 0 {
		dst[0] = fill
		if !outside {
			dst[0] = src[at]
		}
		return dst[1:]
	}
	t := tables[0]
	if len(tables) > 1 {
		for _, o := range t {
			dst = pickAll(dst, src, tables[1:], fill, at+o, outside || o < 0)
		}
		return dst
	}
	switch n := len(t); {
	case outside:
		for i := range t {
			dst[i] = fill
		}
	case n > 1 && t[0] >= 0 && t[n-1]-t[0] == n-1 && consecutive(t):
		copy(dst[:n], src[at+t[0]:])
	default:
		for i, o := range t {
			if o < 0 {
				dst[i] = fill
			} else {
				dst[i] = src[at+o]
			}
		}
	}
	return dst[len(t):]
}

// consecutive tells that the numbers follow one another.
func consecutive(t []int) bool {
	for i, o := range t {
		if o != t[0]+i {
			return false
		}
	}
	return true
}

// concatBody puts its inputs one behind the other along an axis.
type concatBody struct{ sizes []int } // of each input, from the axis on

func (c *concatBody) run(_ *Session, out []float32, in [][]float32) { join(out, in, c.sizes) }

func join[T any](out []T, in [][]T, sizes []int) {
	for at := 0; len(out) > 0; at++ {
		for i, n := range sizes {
			copy(out[:n], in[i][at*n:])
			out = out[n:]
		}
	}
}

// zipBody combines up to three tensors that are spread over the same axes.
type zipBody struct {
	dims  []int
	steps [][]int // of each input along each axis, 0 where it is spread
	fn    func(a, b, c float32) float32
	fast  byte // + - * /, which need no call
}

func (z *zipBody) run(_ *Session, out []float32, in [][]float32) {
	z.axis(out, in, 0, [3]int{})
}

func (z *zipBody) axis(out []float32, in [][]float32, axis int, at [3]int) []float32 {
	var step [3]int
	for i, s := range z.steps {
		step[i] = s[axis]
	}
	n := z.dims[axis]
	if axis < len(z.dims)-1 {
		for range n {
			out = z.axis(out, in, axis+1, at)
			for i := range at {
				at[i] += step[i]
			}
		}
		return out
	}
	a, b, c := in[0], in[1], in[1]
	if len(in) > 2 {
		c = in[2]
	}
	i, j := at[0], at[1]
	if z.fast != 0 && step[0] == 1 && step[1] == 1 {
		zipLines(z.fast, out[:n], a[i:][:n], b[j:][:n])
		return out[n:]
	}
	switch z.fast {
	case '+':
		for k := range out[:n] {
			out[k] = a[i] + b[j]
			i, j = i+step[0], j+step[1]
		}
	case '-':
		for k := range out[:n] {
			out[k] = a[i] - b[j]
			i, j = i+step[0], j+step[1]
		}
	case '*':
		for k := range out[:n] {
			out[k] = a[i] * b[j]
			i, j = i+step[0], j+step[1]
		}
	case '/':
		for k := range out[:n] {
			out[k] = a[i] / b[j]
			i, j = i+step[0], j+step[1]
		}
	default:
		l := at[2]
		for k := range out[:n] {
			out[k] = z.fn(a[i], b[j], c[l])
			i, j, l = i+step[0], j+step[1], l+step[2]
		}
	}
	return out[n:]
}

// zipLines combines elements that follow one another.
func zipLines(fast byte, out, a, b []float32) {
	a, b = a[:len(out)], b[:len(out)]
	switch fast {
	case '+':
		for k := range out {
			out[k] = a[k] + b[k]
		}
	case '-':
		for k := range out {
			out[k] = a[k] - b[k]
		}
	case '*':
		for k := range out {
			out[k] = a[k] * b[k]
		}
	default:
		for k := range out {
			out[k] = a[k] / b[k]
		}
	}
}

// mapBody is a function of each element.
type mapBody struct{ fn func(out, in []float32) }

func (m *mapBody) run(_ *Session, out []float32, in [][]float32) { m.fn(out, in[0][:len(out)]) }

// apply is a function of elements for a mapBody.
func apply(fn func(float32) float32) func(out, in []float32) {
	return func(out, in []float32) {
		for i, v := range in {
			out[i] = fn(v)
		}
	}
}

// reduceBody makes one number of those at each place of over.
type reduceBody struct {
	base, over []int
	reduction
}

func (r *reduceBody) run(_ *Session, out []float32, in [][]float32) {
	for i, at := range r.base {
		sum := r.start
		for _, o := range r.over {
			sum = r.add(sum, float64(in[0][at+o]))
		}
		out[i] = float32(r.end(sum, len(r.over)))
	}
}

// softmaxBody is a softmax over n elements that are step apart.
type softmaxBody struct {
	k       *kernels
	n, step int
	log     bool
}

func (b *softmaxBody) run(s *Session, out []float32, in [][]float32) {
	if b.step == 1 && !b.log && b.k != nil {
		b.lines(s, out, in[0])
		return
	}
	x, span := in[0], b.n*b.step
	for first := 0; first < len(out); first += span {
		for at := first; at < first+b.step; at++ {
			most := -inf
			for i := at; i < at+span; i += b.step {
				most = max(most, x[i])
			}
			sum := 0.0
			for i := at; i < at+span; i += b.step {
				e := expOf(float64(x[i] - most))
				out[i] = float32(e)
				sum += e
			}
			for i := at; i < at+span; i += b.step {
				if b.log {
					out[i] = float32(float64(x[i]-most) - math.Log(sum))
				} else {
					out[i] = float32(float64(out[i]) / sum)
				}
			}
		}
	}
}

// lines is run for elements that follow one another.
func (b *softmaxBody) lines(s *Session, out, in []float32) {
	p := &s.pixels
	p.m, p.c = 1, b.n
	for ; len(out) > 0; out, in = out[b.n:], in[b.n:] {
		line := out[:b.n]
		p.out, p.a = line, in
		b.k.exp(p, largestOf(in[:b.n]))
		share := float32(1 / sumOf(line))
		for i := range line {
			line[i] *= share
		}
	}
}

func largestOf(x []float32) float32 {
	most := -inf
	for _, v := range x {
		if v > most {
			most = v
		}
	}
	return most
}

// sumOf sums in float64, every fourth element by itself: additions wait for one another.
func sumOf(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = a+float64(x[0]), b+float64(x[1]), c+float64(x[2]), d+float64(x[3])
	}
	for _, v := range x {
		a += float64(v)
	}
	return (a + b) + (c + d)
}

// normBody takes mean and deviation of each n elements that follow one another, or the
// deviation from zero; the scale and shift of element i are number i / div % len(scale).
type normBody struct {
	n, div       int
	eps          float64
	fromZero     bool
	scale, shift []float32
}

func (b *normBody) run(_ *Session, out []float32, in [][]float32) {
	for first := 0; first < len(out); first += b.n {
		x := in[0][first:][:b.n]
		mean, squares := 0.0, 0.0
		if !b.fromZero {
			sum := 0.0
			for _, v := range x {
				sum += float64(v)
			}
			mean = sum / float64(b.n)
		}
		for _, v := range x {
			d := float64(v) - mean
			squares += float64(d * d)
		}
		inverse := 1 / math.Sqrt(squares/float64(b.n)+b.eps)
		for i, v := range x {
			c := (first + i) / b.div % len(b.scale)
			out[first+i] = float32(float32((float64(v)-mean)*inverse)*b.scale[c]) + b.shift[c]
		}
	}
}

// matmulBody multiplies matrices: rows x depth with depth x cols, one pair for
// each number of a and b, which say where they begin.
type matmulBody struct {
	k                 *kernels
	a, b              []int
	rows, depth, cols int
}

func (m *matmulBody) packedSize() int { return ceilTo(m.cols, m.k.nr) * m.depth }

// pack orders a matrix in panels, as planner.pack does.
func (m *matmulBody) pack(dst, b []float32) {
	for first := 0; first < m.cols; first += m.k.nr {
		n := min(m.k.nr, m.cols-first)
		width := m.k.width(n)
		for i := range m.depth {
			row := dst[first*m.depth+i*width:][:width]
			clear(row[copy(row, b[i*m.cols+first:][:n]):])
		}
	}
}

func (m *matmulBody) run(s *Session, out []float32, in [][]float32) {
	w := s.matrix[:m.packedSize()]
	for i, from := range m.a {
		if i == 0 || m.b[i] != m.b[i-1] {
			m.pack(w, in[1][m.b[i]:])
		}
		p := &s.panel
		p.a, p.aStep, p.taps, p.depth = in[0][from:], m.depth, noTap, m.depth
		p.m, p.outStep, p.res, p.lo, p.hi = m.rows, m.cols, nil, -inf, inf
		p.bias = s.noBias[:m.k.nr]
		for first := 0; first < m.cols; first += m.k.nr {
			p.n = min(m.k.nr, m.cols-first)
			p.w = w[first*m.depth:][:m.k.nr*m.depth]
			p.out = out[i*m.rows*m.cols+first:]
			m.k.panel(p)
		}
	}
}

var noTap = []int{0}

// deconvBody is a transposed convolution of an image, channels first.
type deconvBody struct {
	win               window
	cin, cout, groups int
	h, w, oh, ow      int
	weights, bias     []float32
}

func (d *deconvBody) run(_ *Session, out []float32, in [][]float32) {
	area, per, perIn := d.oh*d.ow, d.cout/d.groups, d.cin/d.groups
	for c := range d.cout {
		plane := out[c*area:][:area]
		for i := range plane {
			plane[i] = d.bias[c]
		}
		for k := range perIn {
			from := c/per*perIn + k
			w := d.weights[(from*per+c%per)*d.win.kh*d.win.kw:]
			d.plane(plane, in[0][from*d.h*d.w:], w)
		}
	}
}

func (d *deconvBody) plane(out, in, w []float32) {
	for y := range d.h {
		for ky := range d.win.kh {
			oy := y*d.win.sh + ky*d.win.dh - d.win.top
			if oy < 0 || oy >= d.oh {
				continue
			}
			for x := range d.w {
				for kx := range d.win.kw {
					if ox := x*d.win.sw + kx*d.win.dw - d.win.left; ox >= 0 && ox < d.ow {
						out[oy*d.ow+ox] += float32(in[y*d.w+x] * w[ky*d.win.kw+kx])
					}
				}
			}
		}
	}
}
