package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Decode reads the binary form of one value: a value of Connect's schema. The
// bytes are not kept. Its errors are of the kind data.
func (s *Schema) Decode(data []byte) (any, error) {
	in := input{rest: data}
	v, err := s.reader.read(&in)
	if err == nil && len(in.rest) > 0 {
		err = fmt.Errorf("%d bytes follow the value: it was not written with this schema", len(in.rest))
	}
	if err != nil {
		return nil, connector.Data(err)
	}
	return v, nil
}

// input is what is still to be read.
type input struct {
	rest  []byte
	depth int // of records that can hold themselves
}

var errShort = misfitf("the data ends within the value")

func (in *input) take(n int) ([]byte, error) {
	if n < 0 || n > len(in.rest) {
		return nil, errShort
	}
	b := in.rest[:n:n]
	in.rest = in.rest[n:]
	return b, nil
}

func (in *input) long() (int64, error) {
	u, n := binary.Uvarint(in.rest)
	if n <= 0 {
		if n < 0 {
			return 0, misfitf("a number has more than 64 bits")
		}
		return 0, errShort
	}
	in.rest = in.rest[n:]
	return int64(u>>1) ^ -int64(u&1), nil
}

// int reads a number of 32 bits: an int, a symbol's or a branch's number.
func (in *input) int() (int64, error) {
	before := len(in.rest)
	i, err := in.long()
	switch {
	case err != nil:
		return 0, err
	case i != int64(int32(i)):
		return 0, misfitf("%d is out of the range of int", i)
	case before-len(in.rest) > 5:
		return 0, misfitf("a number of 32 bits has more than five bytes")
	}
	return i, nil
}

// bytes reads a length and as many bytes.
func (in *input) bytes() ([]byte, error) {
	n, err := in.long()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(in.rest)) {
		return nil, errShort
	}
	return in.take(int(n))
}

func (in *input) text() (string, error) {
	b, err := in.bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", misfitf("the text is not UTF-8")
	}
	return string(b), nil
}

// reader reads one value.
type reader interface {
	read(in *input) (any, error)
}

func compileReader(n *node, s *connector.Schema) (reader, error) {
	switch n.kind {
	case kindBoolean:
		return booleanReader{}, nil
	case kindInt, kindLong:
		return integerReader{n, s}, nil
	case kindFloat:
		return floatReader{}, nil
	case kindDouble:
		return doubleReader{}, nil
	case kindBytes, kindFixed:
		return bytesReader{n}, nil
	case kindString:
		return stringReader{}, nil
	case kindEnum:
		return newEnumReader(n), nil
	case kindArray:
		return newArrayReader(n, s)
	case kindMap:
		elem, err := compileReader(n.elem, s.Elem())
		return &mapReader{elem}, err
	case kindUnion:
		return newUnionReader(n, s)
	case kindRecord:
		return newRecordReader(n, s)
	}
	return nullReader{}, nil
}

type nullReader struct{}

func (nullReader) read(*input) (any, error) { return nil, nil }

type booleanReader struct{}

func (booleanReader) read(in *input) (any, error) {
	b, err := in.take(1)
	if err != nil {
		return nil, err
	}
	if b[0] > 1 {
		return nil, misfitf("a boolean is the byte %d", b[0])
	}
	return b[0] == 1, nil
}

type integerReader struct {
	n *node
	s *connector.Schema
}

func (r integerReader) read(in *input) (any, error) {
	if r.n.kind == kindLong {
		i, err := in.long()
		if err != nil {
			return nil, err
		}
		return integerValue(r.n, r.s, i), nil
	}
	i, err := in.int()
	if err != nil {
		return nil, err
	}
	if err := connectRange(r.s.Type(), i); err != nil {
		return nil, err
	}
	return integerValue(r.n, r.s, i), nil
}

// connectRange checks an integer that Connect keeps in less than an int's bits.
func connectRange(t connector.Type, i int64) error {
	if t == connector.Int8 && i != int64(int8(i)) || t == connector.Int16 && i != int64(int16(i)) {
		return misfitf("%d is out of the range of %s", i, t)
	}
	return nil
}

type floatReader struct{}

func (floatReader) read(in *input) (any, error) {
	b, err := in.take(4)
	if err != nil {
		return nil, err
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil
}

type doubleReader struct{}

func (doubleReader) read(in *input) (any, error) {
	b, err := in.take(8)
	if err != nil {
		return nil, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

type stringReader struct{}

func (stringReader) read(in *input) (any, error) {
	s, err := in.text()
	if err != nil {
		return nil, err
	}
	return s, nil
}

// bytesReader reads bytes and fixed, and decimals kept in them.
type bytesReader struct{ n *node }

func (r bytesReader) read(in *input) (any, error) {
	var b []byte
	var err error
	if r.n.kind == kindBytes {
		b, err = in.bytes()
	} else {
		b, err = in.take(r.n.size)
	}
	if err != nil {
		return nil, err
	}
	if r.n.logical == decimal {
		return connector.DecimalFromBytes(b, r.n.scale), nil
	}
	return append([]byte{}, b...), nil
}

type enumReader struct {
	n       *node
	symbols []any
}

func newEnumReader(n *node) *enumReader {
	r := &enumReader{n: n, symbols: make([]any, len(n.symbols))}
	for i, s := range n.symbols {
		r.symbols[i] = s
	}
	return r
}

func (r *enumReader) read(in *input) (any, error) {
	i, err := in.int()
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(r.symbols)) {
		return nil, misfitf("%s has no symbol %d", r.n.describe(), i)
	}
	return r.symbols[i], nil
}
