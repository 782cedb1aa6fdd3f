package onnx

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx/onnxtest"
)

// TestRefusals: what this engine does not run is an error at load that names
// the node, the operator and what is wrong.
func TestRefusals(t *testing.T) {
	x, y := info(11, "x", 1, 3, 8, 8), info(12, "y", 1, 3, 8, 8)
	w := tensorOf("w", make([]float32, 27), 3, 1, 3, 3)
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "no ONNX model"},
		{"text", []byte("<html>not found</html>"), "wire type"},
		{"cut in a length", []byte{0x3a, 0xff}, "ends in the middle"},
		{"length beyond the file", append(tag(7, wireBytes), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "ends in the middle"},
		{"no opset", bytesField(7, x), "no version"},
		{"unknown operator", fileOf(15, x, y, nodeOf("LSTM", []string{"x"}, "y")), "onnx: node my/y (LSTM): operator is not supported; serve the model from a model server"},
		{"other domain", fileOf(15, x, y, bytesField(1, str(1, "x"), str(2, "y"), str(4, "FusedConv"), str(7, "com.microsoft"))), "domain com.microsoft"},
		{"unknown attribute", fileOf(15, x, y, nodeOf("Relu", []string{"x"}, "y", intAttrOf("swing", 1))), "node my/y (Relu): attribute swing is not supported"},
		{"auto_pad", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3), strAttrOf("auto_pad", "SOME"))), "auto_pad: SOME"},
		{"zero stride", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3), intsAttrOf("strides", 0, 1))), "strides: 0 is not from 1"},
		{"negative pads", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3), intsAttrOf("pads", -1, 0, 0, 0))), "pads: -1"},
		{"groups", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 2))), "in 2 groups do not fit"},
		{"window too large", fileOf(15, info(11, "x", 1, 3, 2, 2), y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3))), "larger than the padded input"},
		{"one axis of many", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3), intsAttrOf("strides", 1, 1, 1))), "expected 2 (images only)"},
		{"weights that are too few", fileOf(15, x, y, tensorOf("w", make([]float32, 26), 3, 1, 3, 3), nodeOf("Conv", []string{"x", "w"}, "y", intAttrOf("group", 3))), "wants 27 elements, the data has 26"},
		{"weights that overflow", fileOf(15, x, y, tensorOf("w", nil, 1<<40, 1<<40, 3, 3), nodeOf("Conv", []string{"x", "w"}, "y")), "more than"},
		{"negative dimension", fileOf(15, x, y, tensorOf("w", nil, -3, 1), nodeOf("MatMul", []string{"x", "w"}, "y")), "negative"},
		{"huge input", fileOf(15, info(11, "x", 1, 3, 1<<30, 1<<30), y, nodeOf("Relu", []string{"x"}, "y")), "more than"},
		{"fixed batch", fileOf(15, info(11, "x", 1<<20, 3, 8, 8), y, nodeOf("Relu", []string{"x"}, "y")), "the batch is fixed at 1048576"},
		{"another batch", fileOf(15, info(11, "x", 8, 3, 8, 8), y, intsOf("s", 4, -1), nodeOf("Reshape", []string{"x", "s"}, "y")), "shape [4 -1] does not begin with the batch of 8"},
		{"two inputs", fileOf(15, x, info(11, "z", 1, 3, 8, 8), y, nodeOf("Add", []string{"x", "z"}, "y")), "inputs x and z"},
		{"cycle", fileOf(15, x, y, nodeOf("Add", []string{"x", "y"}, "y")), `input "y" is not there`},
		{"written twice", fileOf(15, x, y, nodeOf("Relu", []string{"x"}, "y"), nodeOf("Relu", []string{"x"}, "y")), "written twice"},
		{"no output", fileOf(15, x, y, nodeOf("Relu", []string{"x"}, "z")), `no node makes the output "y"`},
		{"two outputs", fileOf(15, x, y, info(12, "z", 1, 3, 8, 8), nodeOf("Relu", []string{"x"}, "y")), "2 outputs (y, z)"},
		{"concat of other sizes", fileOf(15, x, y, w, nodeOf("Conv", []string{"x", "w"}, "a", intAttrOf("group", 3)), nodeOf("Concat", []string{"a", "x"}, "y", intAttrOf("axis", 1))), "input 1 does not fit the first"},
		{"wrong shape", fileOf(15, x, y, intsOf("s", -1, 5), nodeOf("Reshape", []string{"x", "s"}, "y")), "does not fit 192 elements"},
		{"external data", fileOf(15, x, y, bytesField(5, str(8, "w"), num(2, elemFloat), num(1, 3), bytesField(13, str(1, "location"))), nodeOf("Add", []string{"x", "w"}, "y")), "in another file"},
		{"half floats", fileOf(15, x, y, bytesField(5, str(8, "w"), num(2, 10), num(1, 1), bytesField(9, []byte{0, 0, 0})), nodeOf("Add", []string{"x", "w"}, "y")), "3 bytes are no whole numbers of 16 bits"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(c.file, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestQuantisedRefusals: what is not run of quantised models is said.
func TestQuantisedRefusals(t *testing.T) {
	x, y := info(11, "x", 1, 3, 8, 8), info(12, "y", 1, 3, 8, 8)
	scalar := func(name string, v float32) []byte { return tensorOf(name, []float32{v}) }
	zero := func(elem int64) []byte {
		return bytesField(5, str(8, "z"), num(2, elem), bytesField(9, make([]byte, 2)))
	}
	q := func(in, out string, rest ...string) []byte {
		return nodeOf("QuantizeLinear", append([]string{in}, rest...), out)
	}
	dq := func(in, out string, rest ...string) []byte {
		return nodeOf("DequantizeLinear", append([]string{in}, rest...), out)
	}
	three := tensorOf("s3", []float32{1, 2, 3}, 3)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"integers read by another", fileOf(15, x, y, scalar("s", 1), q("x", "q", "s"), nodeOf("Relu", []string{"q"}, "y")), `node my/y (Relu): it reads the integers "q" of a QuantizeLinear`},
		{"integers out", fileOf(15, x, y, scalar("s", 1), q("x", "y", "s")), `no node makes the output "y"`},
		{"other scale", fileOf(15, x, y, scalar("s", 1), scalar("s2", 2), q("x", "q", "s"), dq("q", "y", "s2")), "not that of the QuantizeLinear before it"},
		{"floats", fileOf(15, x, y, scalar("s", 1), dq("x", "y", "s")), "neither constant integers nor the output of QuantizeLinear"},
		{"per channel", fileOf(15, x, y, three, q("x", "q", "s3"), dq("q", "y", "s3")), "3 scales of what is computed are not supported"},
		{"scale", fileOf(15, x, y, scalar("s", 0), q("x", "q", "s"), dq("q", "y", "s")), "scale 0 is not a positive number"},
		{"16 bits", fileOf(15, x, y, scalar("s", 1), zero(4), q("x", "q", "s", "z"), dq("q", "y", "s", "z")), `tensor "z" holds uint16`},
		{"zero points", fileOf(15, x, y, three, intsOf("z", 1, 2), q("x", "q", "s3", "z"), dq("q", "y", "s3", "z")), "2 zero points do not fit 3 scales"},
		{"64 bits", fileOf(15, x, y, scalar("s", 1), intsOf("z", 1), q("x", "q", "s", "z"), dq("q", "y", "s", "z")), "quantising to int64 is not supported"},
		{"axis", fileOf(15, x, y, three, intsOf("w", 1, 2), dq("w", "v", "s3"), nodeOf("Add", []string{"x", "v"}, "y")), "axis 1 is not one of 1"},
		{"length", fileOf(15, x, y, three, intsOf("w", 1, 2), nodeOf("DequantizeLinear", []string{"w", "s3"}, "v", intAttrOf("axis", 0)), nodeOf("Add", []string{"x", "v"}, "y")), "3 scales do not fit axis 0 of shape [2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Load(c.file, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	x, y := info(11, "x", 1, 3, 64, 64), info(12, "y", 1, 3, 64, 64)
	file := fileOf(15, x, y, nodeOf("Relu", []string{"x"}, "a"), nodeOf("Tanh", []string{"a"}, "b"), nodeOf("Relu", []string{"b"}, "y"))
	for _, c := range []struct {
		name   string
		limits Limits
		want   string
	}{
		{"nodes", Limits{Nodes: 2}, "more than 2 nodes"},
		{"elements", Limits{Elements: 1000}, "more than 1000 elements"},
		{"total", Limits{Total: 13000}, "more than 13000"},
	} {
		if _, err := Load(file, Options{Limits: c.limits}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// TestAmplification: a small file in which many nodes read one large tensor
// does not make the loader take memory for each of them.
func TestAmplification(t *testing.T) {
	const n = 512
	x, y := info(11, "x", 1, n), info(12, "y", 1, n)
	many := func(first string, more func(from, to string) []byte) []byte {
		parts := [][]byte{x, y, tensorOf("w", make([]float32, n*n), n, n), intsOf("i", make([]int64, n*n)...), nodeOf("Relu", []string{"x"}, "r")}
		from := first
		for i := range 2000 {
			to := fmt.Sprint("v", i)
			if i == 1999 {
				to = "y"
			}
			parts = append(parts, more(from, to))
			from = to
		}
		return fileOf(15, parts...)
	}
	limits := Limits{Nodes: 3000, Elements: 1 << 20, Total: 1 << 21}
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"products", many("x", func(from, to string) []byte { return nodeOf("MatMul", []string{from, "w"}, to) })},
		{"casts", many("x", func(_, to string) []byte { return nodeOf("Cast", []string{"i"}, to, intAttrOf("to", elemFloat)) })},
		{"gathers", many("x", func(_, to string) []byte { return nodeOf("Gather", []string{"i", "i"}, to) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(c.file, Options{Limits: limits})
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "more than 2097152 elements") {
				t.Errorf("got %v", err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > allocBound(limits, c.file) {
				t.Errorf("%d bytes were allocated for a file of %d", got, len(c.file))
			}
		})
	}
	var infos [][]byte
	for i := range 100 {
		infos = append(infos, info(11, fmt.Sprint("x", i), 1, 2))
	}
	if _, err := Load(fileOf(15, infos...), Options{Limits: Limits{Nodes: 2}}); err == nil || !strings.Contains(err.Error(), "more than 32 tensors, inputs and outputs") {
		t.Errorf("got %v", err)
	}
}

// allocBound is what loading may allocate: for the weights several times over,
// as numbers of the file, as constants, transposed and packed, and for the text
// and structure of the file.
func allocBound(l Limits, file []byte) uint64 {
	return uint64(64*l.Total + 64*len(file) + 4096*l.Nodes + 1<<20)
}

func TestOpenInput(t *testing.T) {
	file := fileOf(15, info(11, "x", 0, 0, 0, 3), info(12, "y"), nodeOf("Relu", []string{"x"}, "y"))
	if _, err := Load(file, Options{}); err == nil || !strings.Contains(err.Error(), "height: the model leaves the size") {
		t.Errorf("got %v", err)
	}
	m, err := Load(file, Options{Height: 5, Width: 7})
	if err != nil {
		t.Fatal(err)
	}
	if h, w, c := m.InputSize(); h != 5 || w != 7 || c != 3 {
		t.Errorf("input is %dx%dx%d", h, w, c)
	}
	if _, err := Load(file, Options{Height: 5, Width: 7, Channels: 1}); err == nil || !strings.Contains(err.Error(), "number of channels is 3, not 1") {
		t.Errorf("got %v", err)
	}
	s := m.NewSession()
	if err := s.Run(make([]float32, 4), make([]float32, m.OutputSize())); err == nil {
		t.Error("too few pixels are taken")
	}
}

// FuzzLoad: whatever the file, Load gives a model that runs or an error.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*s/*.onnx") // ops and tensors, and small networks
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if strings.Contains(name, "nets") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		limits := Limits{Nodes: 100, Elements: 1 << 14, Total: 1 << 16}
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		m, err := Load(data, Options{Height: 5, Width: 6, Channels: 3, Fill: onnxtest.Fill, Limits: limits,
			External: func(string) ([]byte, error) { return data, nil }})
		runtime.ReadMemStats(&end)
		if got := end.TotalAlloc - start.TotalAlloc; got > allocBound(limits, data) {
			t.Fatalf("loading %d bytes allocated %d", len(data), got)
		}
		if !bytes.Equal(before, data) {
			t.Fatal("the file was changed")
		}
		if err != nil {
			return
		}
		h, w, c := m.InputSize()
		if m.WeightBytes() > 1<<16 {
			return // too slow to run here
		}
		if err := m.NewSession().Run(make([]float32, h*w*c), make([]float32, m.OutputSize())); err != nil {
			t.Fatal(err)
		}
	})
}
