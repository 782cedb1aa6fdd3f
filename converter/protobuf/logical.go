package protobuf

import (
	"fmt"
	"math/big"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// maxScale bounds the scale of decimals that are read: a number of a few bytes
// is not to be printed as a million digits.
const maxScale = 10_000

// logic gives what reads a message that is a logical type.
func logic(f protoreflect.FieldDescriptor, s *connector.Schema) converted {
	switch f.Message().FullName() {
	case dateType:
		return readDate
	case timeType:
		return readTime
	case timestampType:
		return readTimestamp
	}
	scale, err := connector.DecimalScale(s)
	said := err == nil && protobuf.Parameters(f)[metaScale] != ""
	return func(data []byte) (any, error) {
		d, err := readDecimal(data)
		if err == nil && said && d.Scale != scale {
			return nil, fmt.Errorf("a decimal of scale %d, expected %d as the schema says", d.Scale, scale)
		}
		return d, err
	}
}

// integers reads the fields of a message that are integers.
func integers(data []byte, into ...*int64) error {
	return each(data, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
		if int(number) > len(into) || into[number-1] == nil || typ != protowire.VarintType {
			return protowire.ConsumeFieldValue(number, typ, rest), nil
		}
		bits, n := protowire.ConsumeVarint(rest)
		*into[number-1] = int64(bits)
		return n, nil
	})
}

func readDate(data []byte) (any, error) {
	var year, month, day int64
	if err := integers(data, &year, &month, &day); err != nil {
		return nil, err
	}
	t := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
	if year < 1 || year > 9999 || int64(t.Year()) != year || int64(t.Month()) != month || int64(t.Day()) != day {
		return nil, fmt.Errorf("%d-%d-%d is no date", year, month, day)
	}
	return t, nil
}

func readTime(data []byte) (any, error) {
	var hours, minutes, seconds, nanos int64
	if err := integers(data, &hours, &minutes, &seconds, &nanos); err != nil {
		return nil, err
	}
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 || nanos < 0 || nanos > 999_999_999 {
		return nil, fmt.Errorf("%d:%d:%d and %d ns is no time of day", hours, minutes, seconds, nanos)
	}
	ms := ((hours*60+minutes)*60+seconds)*1000 + nanos/1e6
	return time.UnixMilli(ms).UTC(), nil
}

// readTimestamp reads an instant, in milliseconds as Kafka Connect has them.
func readTimestamp(data []byte) (any, error) {
	var seconds, nanos int64
	if err := integers(data, &seconds, &nanos); err != nil {
		return nil, err
	}
	const first, last = -62135596800, 253402300799 // the years 1 to 9999, as Protobuf says
	if seconds < first || seconds > last || nanos < 0 || nanos > 999_999_999 {
		return nil, fmt.Errorf("%d s and %d ns is no timestamp", seconds, nanos)
	}
	return time.UnixMilli(seconds*1000 + nanos/1e6).UTC(), nil
}

func readDecimal(data []byte) (d connector.Decimal, err error) {
	var scale int64
	var digits []byte
	err = each(data, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
		switch {
		case number == 1 && typ == protowire.BytesType:
			b, n := protowire.ConsumeBytes(rest)
			digits = b
			return n, nil
		case number == 3 && typ == protowire.VarintType:
			bits, n := protowire.ConsumeVarint(rest)
			scale = int64(int32(bits))
			return n, nil
		}
		return protowire.ConsumeFieldValue(number, typ, rest), nil
	})
	if err == nil && (scale > maxScale || scale < -maxScale) {
		err = fmt.Errorf("a decimal of scale %d", scale)
	}
	return connector.DecimalFromBytes(digits, int(scale)), err
}

// appendDate writes a message google.type.Date.
func appendDate(out []byte, v any) ([]byte, error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, misfit("date", v)
	}
	t = t.UTC()
	if t.UnixMilli()%86_400_000 != 0 {
		return nil, fmt.Errorf("a date must have no time of day")
	}
	out = appendInt(out, 1, int64(t.Year()))
	out = appendInt(out, 2, int64(t.Month()))
	return appendInt(out, 3, int64(t.Day())), nil
}

// appendTime writes a message google.type.TimeOfDay.
func appendTime(out []byte, v any) ([]byte, error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, misfit("time", v)
	}
	t = t.UTC()
	if ms := t.UnixMilli(); ms < 0 || ms >= 86_400_000 {
		return nil, fmt.Errorf("a time of day must be on 1970-01-01")
	}
	out = appendInt(out, 1, int64(t.Hour()))
	out = appendInt(out, 2, int64(t.Minute()))
	out = appendInt(out, 3, int64(t.Second()))
	return appendInt(out, 4, int64(t.Nanosecond()/1e6*1e6)), nil
}

// appendTimestamp writes a message google.protobuf.Timestamp.
func appendTimestamp(out []byte, v any) ([]byte, error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, misfit("timestamp", v)
	}
	ms := t.UnixMilli()
	seconds, rest := ms/1000, ms%1000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1000
	}
	out = appendInt(out, 1, seconds)
	return appendInt(out, 2, rest*1e6), nil
}

// appendDecimal writes a message confluent.type.Decimal.
func appendDecimal(out []byte, v any) ([]byte, error) {
	d, ok := v.(connector.Decimal)
	if !ok || d.Unscaled == nil {
		return nil, misfit("decimal", v)
	}
	out = protowire.AppendTag(out, 1, protowire.BytesType)
	out = protowire.AppendBytes(out, d.Bytes())
	out = appendInt(out, 2, int64(len(new(big.Int).Abs(d.Unscaled).String()))) // its digits, as in Java
	return appendInt(out, 3, int64(d.Scale)), nil
}

// appendInt writes a field that is an integer, unless it is zero.
func appendInt(out []byte, number protowire.Number, n int64) []byte {
	if n == 0 {
		return out
	}
	out = protowire.AppendTag(out, number, protowire.VarintType)
	return protowire.AppendVarint(out, uint64(n))
}

// logicalWriter gives what writes a message that is a logical type, and whether
// it is one; nil where the value's schema says another.
func logicalWriter(d protoreflect.MessageDescriptor, from *connector.Schema) (appender, bool) {
	for name, l := range map[protoreflect.FullName]struct {
		logical string
		write   appender
	}{
		decimalType: {connector.DecimalName, appendDecimal}, dateType: {connector.DateName, appendDate},
		timeType: {connector.TimeName, appendTime}, timestampType: {connector.TimestampName, appendTimestamp},
	} {
		if d.FullName() == name {
			if from.Name() != l.logical {
				return nil, true
			}
			return checkedScale(from, l.write), true
		}
	}
	return nil, false
}

// checkedScale refuses decimals of another scale than their schema's.
func checkedScale(from *connector.Schema, write appender) appender {
	if from.Name() != connector.DecimalName {
		return write
	}
	scale, err := connector.DecimalScale(from)
	return func(out []byte, v any) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		if d, ok := v.(connector.Decimal); ok && d.Scale != scale {
			return nil, fmt.Errorf("a decimal of scale %d, expected %d as the schema says", d.Scale, scale)
		}
		return write(out, v)
	}
}
