package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// plain loads a file without any rewriting, and with a place of its own for
// every value.
func plain(data []byte, opts Options) (*Model, error) {
	limits := opts.Limits.orDefault()
	g, err := parseModel(data, limits)
	if err != nil {
		return nil, err
	}
	p, err := lower(g, opts)
	if err != nil {
		return nil, err
	}
	pl := newPlanner(p, &portable, limits)
	for _, b := range pl.bufs {
		b.first, b.last = -1, math.MaxInt
	}
	out, err := pl.finish()
	return &Model{plan: out}, err
}

// compare runs a file as Load makes it and plain.
func compare(data []byte, opts Options) error {
	fused, err := Load(data, opts)
	if err != nil {
		return err
	}
	slow, err := plain(data, opts)
	if err != nil {
		return err
	}
	h, w, c := fused.InputSize()
	in := make([]float32, h*w*c)
	got, want := make([]float32, fused.OutputSize()), make([]float32, slow.OutputSize())
	s := fused.NewSession()
	for i := range 2 {
		onnxtest.Uniform(in, fmt.Sprint("input", i), -1, 1)
		if err := s.Run(in, got); err != nil {
			return err
		}
		if err := slow.NewSession().Run(in, want); err != nil {
			return err
		}
		for k := range want {
			if d := math.Abs(float64(got[k] - want[k])); !(d <= 1e-4*max(1, math.Abs(float64(want[k])))) {
				return fmt.Errorf("output %d is %g, without rewriting %g", k, got[k], want[k])
			}
		}
	}
	return nil
}

func TestRewriteChangesNothing(t *testing.T) {
	files, err := filepath.Glob("testdata/ops/*.onnx")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := compare(data, Options{Fill: onnxtest.Fill}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// random is a network that grows at random; values of one size can be added
// and concatenated.
type random struct {
	t     *rapid.T
	parts [][]byte
	n     int
	open  []tensorShape
}

type tensorShape struct {
	name    string
	c, h, w int
}

func (r *random) weights(lo, hi float64, dims ...int) string {
	r.n++
	name := fmt.Sprint("w", r.n)
	b := append(str(8, name), num(2, elemFloat)...)
	for _, d := range dims {
		b = append(b, num(1, int64(d))...)
	}
	r.parts = append(r.parts, bytesField(5, b, str(12, fmt.Sprintf("fill uniform %g %g", lo, hi))))
	return name
}

func (r *random) node(op string, s tensorShape, in []string, attrs ...[]byte) {
	r.n++
	s.name = fmt.Sprint("v", r.n)
	r.parts = append(r.parts, nodeOf(op, in, s.name, attrs...))
	r.open = append(r.open, s)
}

func (r *random) pick(like *tensorShape, sameChannels bool) tensorShape {
	var fit []tensorShape
	for _, s := range r.open {
		if like == nil || s.h == like.h && s.w == like.w && (!sameChannels || s.c == like.c) {
			fit = append(fit, s)
		}
	}
	return fit[rapid.IntRange(0, len(fit)-1).Draw(r.t, "value")]
}

func (r *random) grow() {
	draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(r.t, name) }
	x := r.pick(nil, false)
	switch draw("kind", 0, 8) {
	case 0, 1: // convolution
		k, cout := draw("k", 1, 3), draw("cout", 1, 3)*draw("by", 1, 17)
		stride, pad := draw("stride", 1, 2), draw("pad", 0, 2)
		oh, ow := (x.h+2*pad-k)/stride+1, (x.w+2*pad-k)/stride+1
		if x.h+2*pad < k || x.w+2*pad < k {
			return
		}
		limit := 1.5 / math.Sqrt(float64(x.c*k*k))
		r.node("Conv", tensorShape{c: cout, h: oh, w: ow}, []string{x.name, r.weights(-limit, limit, cout, x.c, k, k), r.weights(-0.3, 0.3, cout)},
			intsAttrOf("strides", int64(stride), int64(stride)), intsAttrOf("pads", int64(pad), int64(pad), int64(pad), int64(pad)))
	case 2: // depthwise
		r.node("Conv", x, []string{x.name, r.weights(-0.5, 0.5, x.c, 1, 3, 3)}, intAttrOf("group", int64(x.c)), intsAttrOf("pads", 1, 1, 1, 1))
	case 3:
		r.node("Mul", x, []string{x.name, r.weights(0.5, 1.5, 1, x.c, 1, 1)})
	case 4:
		r.node("Add", x, []string{x.name, r.weights(-0.3, 0.3, x.c, 1, 1)})
	case 5:
		r.node([]string{"Relu", "Sigmoid", "Tanh"}[draw("act", 0, 2)], x, []string{x.name})
	case 6:
		y := r.pick(&x, true)
		r.node([]string{"Add", "Mul", "Sub"}[draw("fn", 0, 2)], x, []string{x.name, y.name})
	case 7:
		y := r.pick(&x, false)
		if x.c+y.c < 200 {
			r.node("Concat", tensorShape{c: x.c + y.c, h: x.h, w: x.w}, []string{x.name, y.name}, intAttrOf("axis", 1))
		}
	case 8:
		if x.h >= 2 && x.w >= 2 {
			op := []string{"MaxPool", "AveragePool"}[draw("pool", 0, 1)]
			r.node(op, tensorShape{c: x.c, h: x.h - 1, w: x.w - 1}, []string{x.name}, intsAttrOf("kernel_shape", 2, 2))
		}
	}
}

// TestRandomNetworks: folding, fusion, concatenation in place and the sharing
// of memory change no number.
func TestRandomNetworks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &random{t: rt, open: []tensorShape{{"x", rapid.IntRange(1, 18).Draw(rt, "c"), rapid.IntRange(1, 7).Draw(rt, "h"), rapid.IntRange(1, 7).Draw(rt, "w")}}}
		x := r.open[0]
		for range rapid.IntRange(1, 14).Draw(rt, "nodes") {
			r.grow()
		}
		last := r.open[len(r.open)-1]
		if last.name == "x" {
			return
		}
		parts := append([][]byte{info(11, "x", 0, int64(x.c), int64(x.h), int64(x.w)), info(12, last.name)}, r.parts...)
		if err := compare(fileOf(15, parts...), Options{Fill: onnxtest.Fill, Layout: "NCHW"}); err != nil {
			rt.Fatal(err)
		}
	})
}
