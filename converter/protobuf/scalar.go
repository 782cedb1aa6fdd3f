package protobuf

import (
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
)

// scalarWriter compiles what writes a number, a text, bytes or an enum.
func scalarWriter(fd protoreflect.FieldDescriptor, from *connector.Schema) (appender, error) {
	kind, typ := fd.Kind(), from.Type()
	integer := typ >= connector.Int8 && typ <= connector.Int64
	switch {
	case kind == protoreflect.StringKind && typ == connector.String:
		return appendText, nil
	case kind == protoreflect.BytesKind && typ == connector.Bytes:
		return func(out []byte, v any) ([]byte, error) {
			b, ok := v.([]byte)
			if !ok {
				return nil, misfit("bytes", v)
			}
			return protowire.AppendBytes(out, b), nil
		}, nil
	case kind == protoreflect.BoolKind && typ == connector.Boolean:
		return func(out []byte, v any) ([]byte, error) {
			b, ok := v.(bool)
			if !ok {
				return nil, misfit("boolean", v)
			}
			return protowire.AppendVarint(out, protowire.EncodeBool(b)), nil
		}, nil
	case kind == protoreflect.EnumKind && typ == connector.String:
		return enumWriter(fd.Enum()), nil
	case (kind == protoreflect.FloatKind || kind == protoreflect.DoubleKind) && (typ == connector.Float32 || typ == connector.Float64):
		return floatWriter(kind, typ), nil
	case integer && kind != protoreflect.StringKind && kind != protoreflect.BytesKind && kind != protoreflect.BoolKind && kind != protoreflect.FloatKind && kind != protoreflect.DoubleKind:
		return integerWriter(kind, typ), nil
	}
	return nil, fmt.Errorf("expected %s, the value's schema says %s", kind, describe(from))
}

func appendText(out []byte, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, misfit("string", v)
	}
	if !utf8.ValidString(s) {
		return nil, errNotUTF8
	}
	return protowire.AppendString(out, s), nil
}

func enumWriter(d protoreflect.EnumDescriptor) appender {
	return func(out []byte, v any) ([]byte, error) {
		name, ok := v.(string)
		if !ok {
			return nil, misfit("the name of a constant", v)
		}
		c := d.Values().ByName(protoreflect.Name(name))
		if c == nil {
			return nil, fmt.Errorf("enum %s has no constant of this name", d.Name())
		}
		return protowire.AppendVarint(out, uint64(int64(c.Number()))), nil
	}
}

// floatWriter writes a float; a double is rounded where the schema says float.
func floatWriter(kind protoreflect.Kind, typ connector.Type) appender {
	return func(out []byte, v any) ([]byte, error) {
		var f float64
		switch x := v.(type) {
		case float32:
			if f = float64(x); typ != connector.Float32 {
				return nil, misfit("float64", v)
			}
		case float64:
			if f = x; typ != connector.Float64 {
				return nil, misfit("float32", v)
			}
		default:
			return nil, misfit(typ.String(), v)
		}
		if kind == protoreflect.FloatKind {
			return protowire.AppendFixed32(out, math.Float32bits(float32(f))), nil
		}
		return protowire.AppendFixed64(out, math.Float64bits(f)), nil
	}
}

// integerWriter writes an integer that fits; those of 64 bits without a sign
// are int64 of the same bits.
func integerWriter(kind protoreflect.Kind, typ connector.Type) appender {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind, protoreflect.EnumKind:
		low, high = math.MinInt32, math.MaxInt32
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		low, high = 0, math.MaxUint32
	}
	return func(out []byte, v any) ([]byte, error) {
		n, ok := integer(v, typ)
		switch {
		case !ok:
			return nil, misfit(typ.String(), v)
		case n < low || n > high:
			return nil, fmt.Errorf("%d is beyond the range of %s", n, kind)
		}
		switch kind {
		case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
			return protowire.AppendVarint(out, protowire.EncodeZigZag(n)), nil
		case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
			return protowire.AppendFixed32(out, uint32(n)), nil
		case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
			return protowire.AppendFixed64(out, uint64(n)), nil
		}
		return protowire.AppendVarint(out, uint64(n)), nil
	}
}

// integer gives a value that is of the type that its schema says.
func integer(v any, typ connector.Type) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), typ == connector.Int8
	case int16:
		return int64(x), typ == connector.Int16
	case int32:
		return int64(x), typ == connector.Int32
	case int64:
		return x, typ == connector.Int64
	}
	return 0, false
}
