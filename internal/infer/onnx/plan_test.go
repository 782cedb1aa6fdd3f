package onnx

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// padded is a convolution of 16 channels whose output has its input's size.
func (r *random) padded(x tensorShape, size int) {
	pad := int64(size / 2)
	r.node("Conv", tensorShape{c: 16, h: x.h, w: x.w}, []string{x.name, r.weights(-0.2, 0.2, 16, x.c, size, size)}, intsAttrOf("pads", pad, pad, pad, pad))
}

func (r *random) last() tensorShape { return r.open[len(r.open)-1] }

func (r *random) file(x tensorShape) []byte {
	return fileOf(15, append([][]byte{info(11, x.name, 0, int64(x.c), int64(x.h), int64(x.w)), info(12, r.last().name)}, r.parts...)...)
}

// TestBordersShareMemory: a chain of images needs the place of two, whatever their borders.
func TestBordersShareMemory(t *testing.T) {
	x := tensorShape{"x", 16, 20, 20}
	r := random{open: []tensorShape{x}}
	for _, size := range []int{3, 5, 7, 1, 9, 3} {
		r.padded(r.last(), size)
	}
	opts := Options{Fill: onnxtest.Fill, Layout: "NCHW"}
	m, err := Load(r.file(x), opts)
	if err != nil {
		t.Fatal(err)
	}
	const widest = 28 * 28 * 16 // with the border of a kernel of 9
	if got := m.plan.arena; got > 2*widest+arenaSlack {
		t.Errorf("the arena has %d floats, expected at most %d", got, 2*widest+arenaSlack)
	}
	if err := compare(r.file(x), opts); err != nil {
		t.Error(err)
	}
}

// TestConcatsNest: of layers that are all put together anew for each layer nothing is copied.
func TestConcatsNest(t *testing.T) {
	x := tensorShape{"x", 16, 6, 6}
	r := random{open: []tensorShape{x}}
	r.padded(x, 1)
	layers := []string{r.last().name}
	for n := 1; n < 5; n++ {
		r.node("Concat", tensorShape{c: 16 * n, h: x.h, w: x.w}, layers, intAttrOf("axis", 1))
		r.padded(r.last(), 3)
		layers = append(layers, r.last().name)
	}
	opts := Options{Fill: onnxtest.Fill, Layout: "NCHW"}
	m, err := Load(r.file(x), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m.plan.steps {
		if _, copies := s.(*copyStep); copies {
			t.Errorf("a step is %T", s)
		}
	}
	if err := compare(r.file(x), opts); err != nil {
		t.Error(err)
	}
}
