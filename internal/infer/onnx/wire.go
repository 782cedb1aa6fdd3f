package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The reader of protobuf's wire format: as much of it as ONNX files use. It
// never allocates by a length that the input only claims to have.

var (
	errTruncated = errors.New("file ends in the middle of a value")
	errVarint    = errors.New("integer is longer than 64 bits")
)

// Wire types.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// wire reads the fields of one message.
type wire struct{ b []byte }

// field is one field of a message. Of num and bytes only the one that its
// wire type has is set.
type field struct {
	id    int
	typ   int
	num   uint64
	bytes []byte
}

func (w *wire) varint() (uint64, error) {
	v, n := binary.Uvarint(w.b)
	if n == 0 {
		return 0, errTruncated
	}
	if n < 0 {
		return 0, errVarint
	}
	w.b = w.b[n:]
	return v, nil
}

// next gives the next field; ok is false at the end of the message.
func (w *wire) next() (f field, ok bool, err error) {
	if len(w.b) == 0 {
		return f, false, nil
	}
	tag, err := w.varint()
	if err != nil {
		return f, false, err
	}
	if tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return f, false, fmt.Errorf("field number %d is out of range", tag>>3)
	}
	f.id, f.typ = int(tag>>3), int(tag&7)
	switch f.typ {
	case wireVarint:
		f.num, err = w.varint()
	case wireFixed64:
		if len(w.b) < 8 {
			return f, false, errTruncated
		}
		f.num, w.b = binary.LittleEndian.Uint64(w.b), w.b[8:]
	case wireFixed32:
		if len(w.b) < 4 {
			return f, false, errTruncated
		}
		f.num, w.b = uint64(binary.LittleEndian.Uint32(w.b)), w.b[4:]
	case wireBytes:
		var n uint64
		if n, err = w.varint(); err != nil {
			return f, false, err
		}
		if n > uint64(len(w.b)) {
			return f, false, errTruncated
		}
		f.bytes, w.b = w.b[:n:n], w.b[n:]
	default:
		return f, false, fmt.Errorf("field %d has wire type %d, which ONNX does not use", f.id, f.typ)
	}
	return f, err == nil, err
}

// each calls fn for every field of a message.
func each(b []byte, fn func(field) error) error {
	w := wire{b}
	for {
		f, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

// text gives a field of bytes as text.
func (f field) text() (string, error) {
	if f.typ != wireBytes {
		return "", fmt.Errorf("field %d has wire type %d, expected text", f.id, f.typ)
	}
	return string(f.bytes), nil
}

// message gives a field's bytes.
func (f field) message() ([]byte, error) {
	if f.typ != wireBytes {
		return nil, fmt.Errorf("field %d has wire type %d, expected a message", f.id, f.typ)
	}
	return f.bytes, nil
}

// ints adds the integers of a repeated field, packed or not, to list, which
// may grow to limit.
func (f field) ints(list []int64, limit int) ([]int64, error) {
	if f.typ == wireVarint {
		if len(list) >= limit {
			return nil, fmt.Errorf("field %d has more than %d numbers", f.id, limit)
		}
		return append(list, int64(f.num)), nil
	}
	if f.typ != wireBytes {
		return nil, fmt.Errorf("field %d has wire type %d, expected integers", f.id, f.typ)
	}
	w := wire{f.bytes}
	for len(w.b) > 0 {
		v, err := w.varint()
		if err != nil {
			return nil, err
		}
		if len(list) >= limit {
			return nil, fmt.Errorf("field %d has more than %d numbers", f.id, limit)
		}
		list = append(list, int64(v))
	}
	return list, nil
}

// floats adds the 32-bit floats of a repeated field, packed or not, to list.
func (f field) floats(list []float32) ([]float32, error) {
	switch {
	case f.typ == wireFixed32:
		return append(list, math.Float32frombits(uint32(f.num))), nil
	case f.typ == wireBytes && len(f.bytes)%4 == 0:
		for b := f.bytes; len(b) > 0; b = b[4:] {
			list = append(list, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		return list, nil
	}
	return nil, fmt.Errorf("field %d does not hold 32-bit floats", f.id)
}
