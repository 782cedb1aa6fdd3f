package onnx

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestHalves: float16 becomes the same number in 32 bits.
func TestHalves(t *testing.T) {
	for bits, want := range map[uint16]float32{0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x7bff: 65504, 0x0400: 1.0 / (1 << 14),
		0x0001: 1.0 / (1 << 24), 0x83ff: -1023.0 / (1 << 24), 0x7c00: inf, 0xfc00: -inf} {
		if got := widen(bits); got != want {
			t.Errorf("%#04x: got %g, expected %g", bits, got, want)
		}
	}
	if got := widen(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("minus zero is %g", got)
	}
	if got := widen(0x7e00); got == got {
		t.Errorf("NaN is %g", got)
	}
}

// TestHalfModel: a model that is all float16 takes and gives floats.
func TestHalfModel(t *testing.T) {
	half := func(id int, name string) []byte {
		shape := append(bytesField(1, num(1, 1)), bytesField(1, num(1, 2))...)
		return bytesField(id, str(1, name), bytesField(2, bytesField(1, num(1, elemHalf), bytesField(2, shape))))
	}
	head := append(str(8, "w"), append(num(2, elemHalf), num(1, 2)...)...)
	raw := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, 0x3c00), 0xc000)
	for name, data := range map[string][]byte{"raw": bytesField(9, raw), "as integers": append(num(5, 0x3c00), num(5, 0xc000)...)} {
		t.Run(name, func(t *testing.T) {
			file := fileOf(15, half(11, "x"), half(12, "y"), bytesField(5, head, data), nodeOf("Cast", []string{"x"}, "h", intAttrOf("to", elemHalf)), nodeOf("Mul", []string{"h", "w"}, "y"))
			checkOutputs(t, file, Options{}, [][]float32{{1, 4}}, "")
		})
	}
}

// TestFixedBatch: a batch that the file fixes is computed as one image, also
// where shapes speak of it.
func TestFixedBatch(t *testing.T) {
	for name, shape := range map[string][]int64{"free": {8, -1}, "given": {8, 2}, "kept": {0, 2}, "computed": {-1, 2}} {
		file := fileOf(15, info(11, "x", 8, 2, 1, 1), info(12, "y", 8, 2), intsOf("s", shape...), nodeOf("Relu", []string{"x"}, "r"), nodeOf("Reshape", []string{"r", "s"}, "y"))
		t.Run(name, func(t *testing.T) { checkOutputs(t, file, Options{Layout: "NCHW"}, [][]float32{{1, 0}}, "") })
	}
	file := fileOf(15, info(11, "x", 8, 2, 1, 1), info(12, "y", 8, 2), intsOf("rest", -1), nodeOf("Shape", []string{"x"}, "shape"), intsOf("first", 0),
		nodeOf("Gather", []string{"shape", "first"}, "n"), nodeOf("Concat", []string{"n", "rest"}, "s", intAttrOf("axis", 0)), nodeOf("Reshape", []string{"x", "s"}, "y"))
	checkOutputs(t, file, Options{Layout: "NCHW"}, [][]float32{{1, -2}}, "")
}
