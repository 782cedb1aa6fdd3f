package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// form is how the values of a column are sent: in the binary form of the
// column's own type where each value of the field has one, else as text that the
// statement casts, so that the server judges it.
type form uint8

const (
	asText form = iota
	asBool
	asInt2
	asInt4
	asInt8
	asFloat4
	asFloat8
	asBytes
)

// forms say of each form which type its values have, under which name a statement
// knows it, and how many bytes one takes, 0 where that differs.
var forms = [...]struct {
	oid  uint32
	name string
	size int
}{
	asText: {pgtype.TextOID, "text", 0}, asBool: {pgtype.BoolOID, "boolean", 1}, asBytes: {pgtype.ByteaOID, "bytea", 0},
	asInt2: {pgtype.Int2OID, "smallint", 2}, asInt4: {pgtype.Int4OID, "integer", 4}, asInt8: {pgtype.Int8OID, "bigint", 8},
	asFloat4: {pgtype.Float4OID, "real", 4}, asFloat8: {pgtype.Float8OID, "double precision", 8},
}

// binaryForms are the forms of a column of a type for a field of a type. An int64
// may not fit an integer column, so it goes as text: the server says so then.
var binaryForms = map[uint32]map[connector.Type]form{
	pgtype.BoolOID:   {connector.Boolean: asBool},
	pgtype.ByteaOID:  {connector.Bytes: asBytes},
	pgtype.Int2OID:   {connector.Int8: asInt2, connector.Int16: asInt2},
	pgtype.Int4OID:   {connector.Int8: asInt4, connector.Int16: asInt4, connector.Int32: asInt4},
	pgtype.Int8OID:   {connector.Int8: asInt8, connector.Int16: asInt8, connector.Int32: asInt8, connector.Int64: asInt8},
	pgtype.Float4OID: {connector.Float32: asFloat4},
	pgtype.Float8OID: {connector.Float32: asFloat8, connector.Float64: asFloat8},
}

// formOf gives the form of a field's values in a column. Values of the logical
// types are others than their schema's type says.
func formOf(f *field, col *pg.Column) form {
	if f.schema == nil {
		return asText
	}
	switch f.schema.Name() {
	case connector.DecimalName, connector.DateName, connector.TimeName, connector.TimestampName:
		return asText
	}
	return binaryForms[col.OID][f.schema.Type()]
}

// null is the length of an element that is null.
const null = math.MaxUint32

// cell adds a value as an element of a binary array: its length, in four bytes,
// and its bytes.
func (c *cells) cell(out []byte, f *field, col *pg.Column, as form, v any) ([]byte, error) {
	if v == nil {
		return binary.BigEndian.AppendUint32(out, null), nil
	}
	if as == asText {
		text, err := c.input(f, col, v)
		if err != nil {
			return nil, inField(f, col, err)
		}
		return append(binary.BigEndian.AppendUint32(out, uint32(len(text))), text...), nil
	}
	out, ok := as.append(out, v)
	if !ok {
		return nil, inField(f, col, fmt.Errorf("a %T is no value of type %s", v, f.schema.Type()))
	}
	return out, nil
}

// append adds an element, and tells whether the value is of the form.
func (as form) append(out []byte, v any) ([]byte, bool) {
	if as == asBytes {
		b, ok := v.([]byte)
		return append(binary.BigEndian.AppendUint32(out, uint32(len(b))), b...), ok
	}
	var bits uint64
	ok := true
	switch x := v.(type) {
	case bool:
		ok = as == asBool
		if x {
			bits = 1
		}
	case int8:
		bits, ok = as.integer(int64(x))
	case int16:
		bits, ok = as.integer(int64(x))
	case int32:
		bits, ok = as.integer(int64(x))
	case int64:
		bits, ok = as.integer(x)
	case float32:
		if as == asFloat4 {
			bits = uint64(math.Float32bits(x))
		} else { // the double of the same value, as the JDBC driver's float4 becomes
			bits, ok = math.Float64bits(float64(x)), as == asFloat8
		}
	case float64:
		bits, ok = math.Float64bits(x), as == asFloat8
	default:
		ok = false
	}
	size := forms[as].size
	out = binary.BigEndian.AppendUint32(out, uint32(size))
	switch size {
	case 1:
		return append(out, byte(bits)), ok
	case 2:
		return binary.BigEndian.AppendUint16(out, uint16(bits)), ok
	case 4:
		return binary.BigEndian.AppendUint32(out, uint32(bits)), ok
	}
	return binary.BigEndian.AppendUint64(out, bits), ok
}

// integer gives an integer's bits, and whether the form has them.
func (as form) integer(n int64) (uint64, bool) {
	switch as {
	case asInt2:
		return uint64(n), n == int64(int16(n))
	case asInt4:
		return uint64(n), n == int64(int32(n))
	}
	return uint64(n), as == asInt8
}

// arrayHeader is the length of what array adds.
const arrayHeader = 20

// array begins a binary array of n elements, some of them null or none.
func (as form) array(out []byte, n int, nulls bool) []byte {
	flags := uint32(0)
	if nulls {
		flags = 1
	}
	for _, v := range [...]uint32{1, flags, forms[as].oid, uint32(n), 1} { // dimensions, flags, type, length, lowest index
		out = binary.BigEndian.AppendUint32(out, v)
	}
	return out
}

// isNull tells whether an element is null.
func isNull(element []byte) bool { return binary.BigEndian.Uint32(element) == null }
