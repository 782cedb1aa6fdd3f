package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Element types of tensors.
const (
	elemFloat  = 1
	elemUint8  = 2
	elemInt8   = 3
	elemInt32  = 6
	elemInt64  = 7
	elemBool   = 9
	elemHalf   = 10
	elemDouble = 11
)

var elemNames = map[int64]string{1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string",
	9: "bool", 10: "float16", 11: "double", 12: "uint32", 13: "uint64", 16: "bfloat16"}

// rawTensor is a tensor as it stands in the file.
type rawTensor struct {
	name, doc string
	elem      int64
	dims      []int64
	count     int // elements
	raw       []byte
	floats    []float32
	ints      []int64
	doubles   []byte
	external  bool
	location  string // of external data: the file beside the model
	offset    int64
	length    int64 // 0 for all that the shape wants
}

// tensor reads TensorProto and bounds its size.
func (p *parser) tensor(b []byte) (*rawTensor, error) {
	t := new(rawTensor)
	err := each(b, func(f field) (err error) {
		switch f.id {
		case 1:
			t.dims, err = f.ints(t.dims, maxRank)
		case 2:
			t.elem = int64(f.num)
		case 4:
			t.floats, err = f.floats(t.floats)
		case 5, 7:
			t.ints, err = f.ints(t.ints, p.limits.Elements)
		case 8:
			t.name, err = f.text()
		case 9:
			t.raw, err = f.message()
		case 10:
			t.doubles, err = f.message()
		case 12:
			t.doc, err = f.text()
		case 13:
			t.external = true
			var m []byte
			if m, err = f.message(); err == nil {
				err = t.externalEntry(m)
			}
		case 14:
			t.external = t.external || f.num != 0
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.name, err)
	}
	if t.count, err = product(t.dims, p.limits.Elements); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.name, err)
	}
	if err := p.external(t); err != nil {
		return nil, err
	}
	if p.total += t.count; p.total > p.limits.Total {
		return nil, fmt.Errorf("tensor %q: the weights have more than %d elements", t.name, p.limits.Total)
	}
	return t, nil
}

// product multiplies dimensions within a limit.
func product(dims []int64, limit int) (int, error) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("dimension %d is negative in %v", d, dims)
		}
		if d != 0 && n > int64(limit)/d {
			return 0, fmt.Errorf("shape %v has more than %d elements", dims, limit)
		}
		n *= d
	}
	return int(n), nil
}

// empty tells that the tensor has no data, as in a graph without weights.
func (t *rawTensor) empty() bool {
	return len(t.raw) == 0 && len(t.floats) == 0 && len(t.ints) == 0 && len(t.doubles) == 0
}

func (t *rawTensor) check(have int) error {
	if have != t.count {
		return fmt.Errorf("tensor %q: shape %v wants %d elements, the data has %d", t.name, t.dims, t.count, have)
	}
	return nil
}

func (t *rawTensor) wrongType(want string) error {
	name := elemNames[t.elem]
	if name == "" {
		name = fmt.Sprint("type ", t.elem)
	}
	return fmt.Errorf("tensor %q holds %s, expected %s", t.name, name, want)
}

// errExternal is the error of a tensor whose data nobody fetched.
var errExternal = errors.New("its data is in another file: save the model as one file (onnx.save with save_as_external_data=False)")

// float32s gives the elements of a float tensor. The slice is the caller's.
func (t *rawTensor) float32s() ([]float32, error) {
	if t.external {
		return nil, fmt.Errorf("tensor %q: %w", t.name, errExternal)
	}
	switch t.elem {
	case elemFloat:
		if len(t.floats) > 0 {
			return t.floats, t.check(len(t.floats))
		}
		if len(t.raw)%4 != 0 {
			return nil, fmt.Errorf("tensor %q: %d bytes are no whole floats", t.name, len(t.raw))
		}
		if err := t.check(len(t.raw) / 4); err != nil {
			return nil, err
		}
		out := make([]float32, t.count)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
		}
		return out, nil
	case elemHalf:
		return t.halves()
	case elemDouble:
		b := t.raw
		if len(b) == 0 {
			b = t.doubles
		}
		if len(b)%8 != 0 {
			return nil, fmt.Errorf("tensor %q: %d bytes are no whole doubles", t.name, len(b))
		}
		if err := t.check(len(b) / 8); err != nil {
			return nil, err
		}
		out := make([]float32, t.count)
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
		return out, nil
	}
	return nil, t.wrongType("float")
}

// halves widens float16, whose bits may be in the list of integers.
func (t *rawTensor) halves() ([]float32, error) {
	out := make([]float32, t.count)
	if len(t.ints) > 0 {
		for i, v := range t.ints[:min(len(t.ints), len(out))] {
			out[i] = widen(uint16(v))
		}
		return out, t.check(len(t.ints))
	}
	if len(t.raw)%2 != 0 {
		return nil, fmt.Errorf("tensor %q: %d bytes are no whole numbers of 16 bits", t.name, len(t.raw))
	}
	if err := t.check(len(t.raw) / 2); err != nil {
		return nil, err
	}
	for i := range out {
		out[i] = widen(binary.LittleEndian.Uint16(t.raw[2*i:]))
	}
	return out, nil
}

// widen gives the value of a float16: 1 bit of sign, 5 of exponent, 10 of
// fraction.
func widen(bits uint16) float32 {
	sign, exponent, fraction := uint32(bits>>15)<<31, uint32(bits>>10)&31, uint32(bits)&1023
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		return math.Float32frombits(math.Float32bits(float32(fraction)/(1<<24)) | sign)
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// int64s gives the elements of an integer tensor.
func (t *rawTensor) int64s() ([]int64, error) {
	if t.external {
		return nil, fmt.Errorf("tensor %q: %w", t.name, errExternal)
	}
	size := 8
	switch t.elem {
	case elemInt64:
	case elemInt32:
		size = 4
	case elemInt8, elemUint8, elemBool:
		size = 1
	default:
		return nil, t.wrongType("integers")
	}
	if len(t.ints) > 0 {
		return t.ints, t.check(len(t.ints))
	}
	if len(t.raw)%size != 0 {
		return nil, fmt.Errorf("tensor %q: %d bytes are no whole integers", t.name, len(t.raw))
	}
	if err := t.check(len(t.raw) / size); err != nil {
		return nil, err
	}
	out := make([]int64, t.count)
	for i := range out {
		switch t.elem {
		case elemInt64:
			out[i] = int64(binary.LittleEndian.Uint64(t.raw[8*i:]))
		case elemInt32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.raw[4*i:])))
		case elemInt8:
			out[i] = int64(int8(t.raw[i]))
		default:
			out[i] = int64(t.raw[i])
		}
	}
	return out, nil
}
