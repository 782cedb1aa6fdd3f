package avro

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Append appends the binary form of a value: of any schema whose values fit, not
// only of Connect's. A struct or map is written by field name; fields that the
// Avro schema lacks are left out, fields that the value lacks take the Avro
// default. Its errors are of the kind data.
func (s *Schema) Append(dst []byte, v any) ([]byte, error) {
	dst, err := s.writer.write(dst, v)
	return dst, connector.Data(err)
}

// writer appends the binary form of one value.
type writer interface {
	write(dst []byte, v any) ([]byte, error)
}

func compileWriter(n *node) (writer, error) {
	switch n.kind {
	case kindBoolean:
		return booleanWriter{n}, nil
	case kindInt, kindLong:
		return integerWriter{n}, nil
	case kindFloat:
		return floatWriter{n}, nil
	case kindDouble:
		return doubleWriter{n}, nil
	case kindBytes, kindFixed:
		if n.logical == decimal {
			return decimalWriter{n}, nil
		}
		return bytesWriter{n}, nil
	case kindString:
		return stringWriter{n}, nil
	case kindEnum:
		return newEnumWriter(n), nil
	case kindArray:
		return newArrayWriter(n)
	case kindMap:
		elem, err := compileWriter(n.elem)
		return &mapWriter{n, elem}, err
	case kindUnion:
		return newUnionWriter(n)
	case kindRecord:
		return newRecordWriter(n)
	}
	return nullWriter{n}, nil
}

func appendLong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

type nullWriter struct{ n *node }

func (w nullWriter) write(dst []byte, v any) ([]byte, error) {
	if v != nil {
		return nil, expected(w.n, v)
	}
	return dst, nil
}

type booleanWriter struct{ n *node }

func (w booleanWriter) write(dst []byte, v any) ([]byte, error) {
	b, ok := v.(bool)
	switch {
	case !ok:
		return nil, expected(w.n, v)
	case b:
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

// integerWriter writes int and long, and the times that are kept in them.
type integerWriter struct{ n *node }

func (w integerWriter) write(dst []byte, v any) ([]byte, error) {
	var i int64
	switch x := v.(type) {
	case int32:
		return appendLong(dst, int64(x)), nil
	case int64:
		i = x
	case int16:
		i = int64(x)
	case int8:
		i = int64(x)
	case time.Time:
		var err error
		if i, err = w.fromTime(x); err != nil {
			return nil, err
		}
	default:
		return nil, expected(w.n, v)
	}
	if w.n.kind == kindInt && i != int64(int32(i)) {
		return nil, misfitf("%d is out of the range of %s", i, w.n.describe())
	}
	return appendLong(dst, i), nil
}

func (w integerWriter) fromTime(t time.Time) (int64, error) {
	const day = secondsPerDay * 1000
	ms := t.UnixMilli()
	if w.n.tick > 0 {
		return w.ticks(t)
	}
	switch w.n.logical {
	case timestampMillis:
		return ms, nil
	case timeMillis:
		if ms < 0 || ms >= day {
			return 0, misfitf(noTimeOfDay)
		}
		return ms, nil
	case date:
		if ms%day != 0 {
			return 0, misfitf("expected a date, got one with a time of day")
		}
		return ms / day, nil
	}
	return 0, expected(w.n, t)
}

const noTimeOfDay = "expected a time of day on 1970-01-01, got another date"

// ticks counts a time in the unit of its logical type.
func (w integerWriter) ticks(t time.Time) (int64, error) {
	perSecond := int64(time.Second / w.n.tick)
	seconds := t.Unix()
	if w.n.tickOf == connector.TimeName && (seconds < 0 || seconds >= secondsPerDay) {
		return 0, misfitf(noTimeOfDay)
	}
	if seconds < math.MinInt64/perSecond+1 || seconds > math.MaxInt64/perSecond-1 {
		return 0, misfitf("the time is out of the range of %s", w.n.describe())
	}
	return seconds*perSecond + int64(t.Nanosecond())/int64(w.n.tick), nil
}

type floatWriter struct{ n *node }

// write rounds a float64: the schema asks for that. What is beyond the range of
// a float32 does not fit it.
func (w floatWriter) write(dst []byte, v any) ([]byte, error) {
	var f float32
	switch x := v.(type) {
	case float32:
		f = x
	case float64:
		f = float32(x)
		if math.IsInf(float64(f), 0) && !math.IsInf(x, 0) {
			return nil, misfitf("%g is out of the range of float", x)
		}
	default:
		i, ok := exactInteger(v, 1<<24)
		if !ok {
			return nil, expected(w.n, v)
		}
		f = float32(i)
	}
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(f)), nil
}

type doubleWriter struct{ n *node }

func (w doubleWriter) write(dst []byte, v any) ([]byte, error) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case float32:
		f = float64(x)
	default:
		i, ok := exactInteger(v, 1<<53)
		if !ok {
			return nil, expected(w.n, v)
		}
		f = float64(i)
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
}

// exactInteger gives an integer of any width that is within [-limit, limit].
func exactInteger(v any, limit int64) (int64, bool) {
	var i int64
	switch x := v.(type) {
	case int8:
		i = int64(x)
	case int16:
		i = int64(x)
	case int32:
		i = int64(x)
	case int64:
		i = x
	default:
		return 0, false
	}
	return i, -limit <= i && i <= limit
}

type stringWriter struct{ n *node }

func (w stringWriter) write(dst []byte, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, expected(w.n, v)
	}
	return appendString(dst, s)
}

func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, misfitf("the text is not UTF-8")
	}
	return append(appendLong(dst, int64(len(s))), s...), nil
}

// bytesWriter writes bytes and fixed.
type bytesWriter struct{ n *node }

func (w bytesWriter) write(dst []byte, v any) ([]byte, error) {
	b, ok := v.([]byte)
	switch {
	case !ok || b == nil:
		return nil, expected(w.n, v)
	case w.n.kind == kindBytes:
		dst = appendLong(dst, int64(len(b)))
	case len(b) != w.n.size:
		return nil, misfitf("expected %d bytes for %s, got %d", w.n.size, w.n.describe(), len(b))
	}
	return append(dst, b...), nil
}

// decimalWriter writes decimals into bytes and fixed.
type decimalWriter struct{ n *node }

func (w decimalWriter) write(dst []byte, v any) ([]byte, error) {
	d, ok := v.(connector.Decimal)
	if !ok || d.Unscaled == nil {
		return nil, expected(w.n, v)
	}
	if d.Scale != w.n.scale {
		return nil, misfitf("expected a decimal of scale %d, got one of scale %d", w.n.scale, d.Scale)
	}
	if w.n.prec > 0 && d.Unscaled.CmpAbs(pow10(w.n.prec)) >= 0 {
		return nil, misfitf("the decimal has more than the %d digits of its schema", w.n.prec)
	}
	b := d.Bytes()
	if w.n.kind == kindBytes {
		return append(appendLong(dst, int64(len(b))), b...), nil
	}
	if len(b) > w.n.size {
		return nil, misfitf("the decimal needs %d bytes, %s has %d", len(b), w.n.describe(), w.n.size)
	}
	sign := byte(0)
	if d.Unscaled.Sign() < 0 {
		sign = 0xff
	}
	for range w.n.size - len(b) {
		dst = append(dst, sign)
	}
	return append(dst, b...), nil
}

type enumWriter struct {
	n     *node
	index map[string]int
}

func newEnumWriter(n *node) *enumWriter {
	w := &enumWriter{n, make(map[string]int, len(n.symbols))}
	for i, s := range n.symbols {
		w.index[s] = i
	}
	return w
}

func (w *enumWriter) write(dst []byte, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, expected(w.n, v)
	}
	i, ok := w.index[s]
	if !ok {
		return nil, misfitf("%q is not a symbol of %s", s, w.n.describe())
	}
	return appendLong(dst, int64(i)), nil
}
