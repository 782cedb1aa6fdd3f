package onnx

import (
	"encoding/binary"
	"math"
)

// The smallest writer of ONNX files, for hostile and random ones.

func tag(id, typ int) []byte { return binary.AppendUvarint(nil, uint64(id<<3|typ)) }

func num(id int, v int64) []byte { return binary.AppendUvarint(tag(id, wireVarint), uint64(v)) }

func bytesField(id int, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return append(binary.AppendUvarint(tag(id, wireBytes), uint64(len(body))), body...)
}

func str(id int, s string) []byte { return bytesField(id, []byte(s)) }

func fileOf(opset int64, graph ...[]byte) []byte {
	return append(bytesField(8, num(2, opset)), bytesField(7, graph...)...)
}

func info(id int, name string, dims ...int64) []byte {
	var shape []byte
	for _, d := range dims {
		shape = append(shape, bytesField(1, num(1, d))...)
	}
	return bytesField(id, str(1, name), bytesField(2, bytesField(1, num(1, elemFloat), bytesField(2, shape))))
}

func tensorOf(name string, data []float32, dims ...int64) []byte {
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	b := append(str(8, name), num(2, elemFloat)...)
	for _, d := range dims {
		b = append(b, num(1, d)...)
	}
	return bytesField(5, b, bytesField(9, raw))
}

func intsOf(name string, values ...int64) []byte {
	b := append(str(8, name), num(2, elemInt64)...)
	b = append(b, num(1, int64(len(values)))...)
	for _, v := range values {
		b = append(b, num(7, v)...)
	}
	return bytesField(5, b)
}

func nodeOf(op string, in []string, out string, attrs ...[]byte) []byte {
	b := str(4, op)
	for _, s := range in {
		b = append(b, str(1, s)...)
	}
	b = append(b, str(2, out)...)
	b = append(b, str(3, "my/"+out)...)
	for _, a := range attrs {
		b = append(b, a...)
	}
	return bytesField(1, b)
}

func intAttrOf(name string, v int64) []byte {
	return bytesField(5, str(1, name), num(3, v))
}

func intsAttrOf(name string, vs ...int64) []byte {
	b := str(1, name)
	for _, v := range vs {
		b = append(b, num(8, v)...)
	}
	return bytesField(5, b)
}

func strAttrOf(name, v string) []byte {
	return bytesField(5, str(1, name), str(4, v))
}
