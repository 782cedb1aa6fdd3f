package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// intKernelSets are all that run integers, and plain Go's, which every
// processor does.
func intKernelSets() []*kernels {
	plain := portable
	plain.name, plain.ints = "plain", plainInts
	sets := []*kernels{&plain}
	for _, k := range kernelSets() {
		if k.ints != nil {
			sets = append(sets, k)
		}
	}
	return sets
}

func loadWith(data []byte, opts Options, k *kernels) (*Model, error) {
	opts.Limits = opts.Limits.orDefault()
	pl, err := load(data, opts, k)
	return &Model{plan: pl}, err
}

// products counts the steps that sum integers and the other convolutions.
func (m *Model) products() (integers, floats int) {
	for _, s := range m.plan.steps {
		switch s.(type) {
		case *intConvStep, *intDepthwiseStep:
			integers++
		case *convStep, *depthwiseStep:
			floats++
		}
	}
	return integers, floats
}

// quantising is a random quantised network whose numbers are few bits of powers
// of two, so that floats sum them without rounding: integers must give the same
// bits. Floats counts the operations since a value was last rounded.
type quantising struct {
	random
	floats map[string]int
}

func (q *quantising) draw(name string, lo, hi int) int {
	return rapid.IntRange(lo, hi).Draw(q.t, name)
}

func (q *quantising) name(prefix string) string {
	q.n++
	return fmt.Sprint(prefix, q.n)
}

// bytesOf adds a tensor of int8 or uint8.
func (q *quantising) bytesOf(elem int64, values []int64, dims ...int) string {
	name := q.name("b")
	b := append(str(8, name), num(2, elem)...)
	for _, d := range dims {
		b = append(b, num(1, int64(d))...)
	}
	raw := make([]byte, len(values))
	for i, v := range values {
		raw[i] = byte(v)
	}
	q.parts = append(q.parts, bytesField(5, b, bytesField(9, raw)))
	return name
}

func (q *quantising) floatsOf(values []float32, dims ...int64) string {
	name := q.name("f")
	q.parts = append(q.parts, tensorOf(name, values, dims...))
	return name
}

// power is a scale 2^-n.
func (q *quantising) power(lo, hi int) float32 {
	return float32(math.Ldexp(1, -q.draw("power", lo, hi)))
}

// add adds a node and gives its output.
func (q *quantising) add(op string, s tensorShape, in []string, attrs ...[]byte) tensorShape {
	q.node(op, s, in, attrs...)
	s = q.open[len(q.open)-1]
	for _, name := range in {
		q.floats[s.name] = max(q.floats[s.name], q.floats[name]+1)
	}
	return s
}

// rounded adds QuantizeLinear and DequantizeLinear, unless x is of rounded
// numbers already and maybe even then.
func (q *quantising) rounded(x tensorShape, must bool) tensorShape {
	if !must && q.draw("round", 0, 2) == 0 {
		return x
	}
	elem, zero := int64(elemUint8), int64(q.draw("zero", 0, 255))
	if q.draw("type", 0, 1) == 1 {
		elem, zero = elemInt8, zero-128
	}
	scale, z := q.floatsOf([]float32{q.power(0, 4)}), q.bytesOf(elem, []int64{zero})
	q.node("QuantizeLinear", x, []string{x.name, scale, z})
	ints := q.open[len(q.open)-1]
	q.open = q.open[:len(q.open)-1] // only DequantizeLinear may read it
	q.node("DequantizeLinear", x, []string{ints.name, scale, z})
	out := q.open[len(q.open)-1]
	q.floats[out.name] = 0
	return out
}

// wholes adds weights with a scale per output channel or one for all.
func (q *quantising) wholes(axis int64, dims ...int) string {
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]int64, n)
	for i, v := range int32s(q.name("values"), len(values), 8) {
		values[i] = int64(v)
	}
	out := q.name("w")
	w := q.bytesOf(elemInt8, values, dims...)
	if q.draw("per channel", 0, 1) == 0 {
		q.parts = append(q.parts, nodeOf("DequantizeLinear", []string{w, q.floatsOf([]float32{0.25})}, out))
		return out
	}
	scales := make([]float32, dims[axis])
	for i := range scales {
		scales[i] = []float32{0.125, 0.25}[i*5%3%2]
	}
	q.parts = append(q.parts, nodeOf("DequantizeLinear", []string{w, q.floatsOf(scales, int64(len(scales)))}, out, intAttrOf("axis", axis)))
	return out
}

// eighths are constants.
func (q *quantising) eighths(n int, dims ...int64) string {
	x := make([]float32, n)
	for i, v := range int32s(q.name("eighths"), n, 16) {
		x[i] = float32(v) / 8
	}
	return q.floatsOf(x, dims...)
}

func (q *quantising) grow() {
	x := q.pick(nil, false)
	x = q.rounded(x, q.floats[x.name] >= 2)
	switch q.draw("kind", 0, 8) {
	case 0, 1, 2:
		q.conv(q.rounded(x, q.floats[x.name] > 0))
	case 3:
		x = q.rounded(x, q.floats[x.name] > 0)
		q.add("Conv", x, []string{x.name, q.wholes(0, x.c, 1, 3, 3), q.eighths(x.c, int64(x.c))}, intAttrOf("group", int64(x.c)), intsAttrOf("pads", 1, 1, 1, 1))
	case 4: // a batch norm
		x = q.add("Mul", x, []string{x.name, q.floatsOf(slices.Repeat([]float32{0.5}, x.c), 1, int64(x.c), 1, 1)})
		q.floats[x.name]--
		x = q.add("Add", x, []string{x.name, q.eighths(x.c, 1, int64(x.c), 1, 1)})
		q.add("Relu", x, []string{x.name})
		x = q.open[len(q.open)-1]
		q.floats[x.name] = 1
		if q.draw("convolution after it", 0, 1) == 0 {
			q.conv(q.rounded(x, true))
		}
	case 5:
		y := q.rounded(q.pick(&x, true), true)
		x = q.rounded(x, true)
		if q.draw("residual", 0, 1) == 0 {
			x = q.add("Conv", x, []string{x.name, q.wholes(0, x.c, x.c, 1, 1)})
		}
		q.add("Add", x, []string{x.name, y.name})
	case 6:
		y := q.pick(&x, false)
		if x.c+y.c < 150 && q.floats[y.name] < 2 {
			q.add("Concat", tensorShape{c: x.c + y.c, h: x.h, w: x.w}, []string{x.name, y.name}, intAttrOf("axis", 1))
		}
	case 7:
		if x.h >= 2 && x.w >= 2 {
			op := []string{"MaxPool", "AveragePool"}[q.draw("pool", 0, 1)]
			q.add(op, tensorShape{c: x.c, h: x.h - 1, w: x.w - 1}, []string{q.rounded(x, true).name}, intsAttrOf("kernel_shape", 2, 2))
		}
	case 8:
		if x.h < 12 && x.w < 12 {
			q.add("Pad", tensorShape{c: x.c, h: x.h + 3, w: x.w + 3}, []string{x.name, q.pads(1, 2, 2, 1)})
			q.conv(q.rounded(q.open[len(q.open)-1], true))
		}
	}
	if q.draw("clip", 0, 3) == 0 {
		x := q.open[len(q.open)-1]
		q.add("Clip", x, []string{x.name, q.floatsOf([]float32{-3}), q.floatsOf([]float32{6})})
	}
}

func (q *quantising) pads(top, left, bottom, right int64) string {
	name := q.name("p")
	q.parts = append(q.parts, intsOf(name, 0, 0, top, left, 0, 0, bottom, right))
	return name
}

func (q *quantising) conv(x tensorShape) {
	k, cout := q.draw("k", 1, 3), q.draw("cout", 1, 3)*q.draw("by", 1, 17)
	stride, pad := q.draw("stride", 1, 2), q.draw("pad", 0, 2)
	if x.h+2*pad < k || x.w+2*pad < k {
		return
	}
	out := tensorShape{c: cout, h: (x.h+2*pad-k)/stride + 1, w: (x.w+2*pad-k)/stride + 1}
	q.add("Conv", out, []string{x.name, q.wholes(0, cout, x.c, k, k), q.eighths(cout, int64(cout))},
		intsAttrOf("strides", int64(stride), int64(stride)), intsAttrOf("pads", int64(pad), int64(pad), int64(pad), int64(pad)))
}

// TestRandomIntegers: integers give what the file says, bit by bit.
func TestRandomIntegers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := tensorShape{"x", rapid.IntRange(1, 18).Draw(rt, "c"), rapid.IntRange(1, 7).Draw(rt, "h"), rapid.IntRange(1, 7).Draw(rt, "w")}
		q := &quantising{random: random{t: rt, open: []tensorShape{x}}, floats: map[string]int{"x": 9}}
		for range rapid.IntRange(1, 14).Draw(rt, "nodes") {
			q.grow()
		}
		last := q.open[len(q.open)-1]
		if last.name == "x" {
			return
		}
		if last.c < 100 {
			last = q.rounded(last, true)
			last = q.add("GlobalMaxPool", tensorShape{c: last.c, h: 1, w: 1}, []string{last.name})
			last = q.add("Flatten", last, []string{q.rounded(last, true).name})
			last = q.add("MatMul", tensorShape{c: 5, h: 1, w: 1}, []string{q.rounded(last, true).name, q.wholes(1, last.c, 5)})
		}
		parts := append([][]byte{info(11, "x", 0, int64(x.c), int64(x.h), int64(x.w)), info(12, last.name)}, q.parts...)
		if err := compareIntegers(fileOf(15, parts...), Options{Layout: "NCHW"}); err != nil {
			rt.Fatal(err)
		}
	})
}

// compareIntegers runs a file in floats and in integers, and holds one to the
// other's bits.
func compareIntegers(data []byte, opts Options) error {
	want, err := loadWith(data, opts, &portable)
	if err != nil {
		return err
	}
	h, w, c := want.InputSize()
	in, scores := make([]float32, h*w*c), make([]float32, want.OutputSize())
	got := make([]float32, len(scores))
	for _, k := range intKernelSets() {
		m, err := loadWith(data, opts, k)
		if err != nil {
			return err
		}
		integers, floats := m.products()
		if all, _ := want.products(); all != 0 || floats != 0 && integers == 0 {
			return fmt.Errorf("%s: %d products of integers, %d of floats", k.name, integers, floats)
		}
		s, exact := m.NewSession(), want.NewSession()
		for i := range 2 { // the second image must not see what the first left
			onnxtest.Uniform(in, fmt.Sprint("input", i), -4, 4)
			if err := exact.Run(in, scores); err != nil {
				return err
			}
			if err := s.Run(in, got); err != nil {
				return err
			}
			for j, v := range got {
				if v != scores[j] {
					return fmt.Errorf("%s: output %d is %g, in floats %g", k.name, j, v, scores[j])
				}
			}
		}
	}
	return nil
}

// TestQuantisedFilesRunInIntegers: every product of what ONNX Runtime's
// quantiser makes sums integers, with the scores of the operators as they stand.
func TestQuantisedFilesRunInIntegers(t *testing.T) {
	files, err := filepath.Glob("testdata/ops/quantised_*.onnx")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		if strings.Contains(file, "in_float") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range intKernelSets() {
			m, err := loadWith(data, Options{Fill: onnxtest.Fill}, k)
			if err != nil {
				t.Fatal(err)
			}
			inFloats := 0
			if strings.HasSuffix(file, "gemm_of_uint8.onnx") {
				inFloats = 1 // its zero points leave int8
			}
			if integers, floats := m.products(); integers == 0 || floats != inFloats {
				t.Errorf("%s on %s: %d products of integers, %d of floats", file, k.name, integers, floats)
			}
		}
	}
}

// TestPixelsOnHalves: pixels of 255ths often fall on a half of a step that
// calibration found in pixels, and the quotient's last bit decides: the step
// divides, as the operator does.
func TestPixelsOnHalves(t *testing.T) {
	const step = float32(228.0 / 255 / 255)
	whole := func(name string, v byte) []byte {
		return bytesField(5, str(8, name), num(2, elemInt8), num(1, 1), num(1, 1), num(1, 1), num(1, 1), bytesField(9, []byte{v}))
	}
	zero := bytesField(5, str(8, "z"), num(2, elemUint8), bytesField(9, []byte{0}))
	data := fileOf(15, info(11, "x", 1, 1, 1, 256), info(12, "y"), tensorOf("s", []float32{step}), tensorOf("one", []float32{1}), zero, whole("k", 1),
		nodeOf("QuantizeLinear", []string{"x", "s", "z"}, "q"), nodeOf("DequantizeLinear", []string{"q", "s", "z"}, "v"),
		nodeOf("DequantizeLinear", []string{"k", "one"}, "w"), nodeOf("Conv", []string{"v", "w"}, "y"))
	in, got := make([]float32, 256), make([]float32, 256)
	for i := range in {
		in[i] = float32(float64(i) / 255)
	}
	for _, k := range intKernelSets() {
		m, err := loadWith(data, Options{Layout: "NCHW"}, k)
		if err != nil {
			t.Fatal(err)
		}
		if integers, _ := m.products(); integers != 1 {
			t.Fatalf("%s: %d products of integers", k.name, integers)
		}
		if err := m.NewSession().Run(in, got); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if want := min(float32(math.RoundToEven(float64(in[i]/step))), 255) * step; v != want {
				t.Errorf("%s: pixel %d is %g steps, expected %g", k.name, i, v/step, want/step)
			}
		}
	}
}
