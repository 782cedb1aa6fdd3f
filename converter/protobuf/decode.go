package protobuf

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
)

// wireType gives the form that a number of a kind has.
func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	}
	return protowire.VarintType
}

func readNumber(want protowire.Type, convert func(uint64) (any, error)) one {
	return func(typ protowire.Type, data []byte) (any, int, error) {
		if typ != want {
			return nil, 0, fmt.Errorf("it has wire type %d, expected %d", typ, want)
		}
		var bits uint64
		var n int
		switch want {
		case protowire.Fixed32Type:
			var short uint32
			short, n = protowire.ConsumeFixed32(data)
			bits = uint64(short)
		case protowire.Fixed64Type:
			bits, n = protowire.ConsumeFixed64(data)
		default:
			bits, n = protowire.ConsumeVarint(data)
		}
		if n < 0 {
			return nil, 0, protowire.ParseError(n)
		}
		v, err := convert(bits)
		return v, n, err
	}
}

var errNotUTF8 = errors.New("the text is not UTF-8")

func readText(typ protowire.Type, data []byte) (any, int, error) {
	if typ != protowire.BytesType {
		return nil, 0, fmt.Errorf("it has wire type %d, expected a text", typ)
	}
	text, n := protowire.ConsumeBytes(data)
	if n < 0 {
		return nil, 0, protowire.ParseError(n)
	}
	if !utf8.Valid(text) {
		return nil, 0, errNotUTF8
	}
	return string(text), n, nil
}

func readBytes(typ protowire.Type, data []byte) (any, int, error) {
	if typ != protowire.BytesType {
		return nil, 0, fmt.Errorf("it has wire type %d, expected bytes", typ)
	}
	b, n := protowire.ConsumeBytes(data)
	if n < 0 {
		return nil, 0, protowire.ParseError(n)
	}
	return append([]byte{}, b...), n, nil
}

// value reads a message.
func (m *message) value(data []byte) (any, error) {
	switch {
	case m.logic != nil:
		return m.logic(data)
	case m.single != nil:
		v := m.unset
		err := each(data, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
			if number != 1 {
				return protowire.ConsumeFieldValue(number, typ, rest), nil
			}
			read, n, err := m.single.read(typ, rest)
			v = read
			return n, err
		})
		return v, err
	}
	return m.structOf(slices.Clone(m.empty), data)
}

// structOf reads a struct, over the values that there are: a message may come in
// pieces.
func (m *message) structOf(values []any, data []byte) (any, error) {
	err := each(data, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
		f := m.fields[number]
		if f == nil {
			return protowire.ConsumeFieldValue(number, typ, rest), nil
		}
		n, err := f.set(values, typ, rest)
		if err != nil {
			return n, fmt.Errorf("field %s: %w", f.name, err)
		}
		return n, nil
	})
	if err != nil {
		return nil, err
	}
	for _, f := range m.needed {
		if values[f.index] == nil {
			return nil, fmt.Errorf("field %s: it is required and not there", f.name)
		}
	}
	return connector.StructFrom(m.schema, values), nil
}

// each hands over every field of a message behind its tag; the function says
// how many bytes its value is.
func each(data []byte, use func(number protowire.Number, typ protowire.Type, rest []byte) (int, error)) error {
	for len(data) > 0 {
		number, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("the message is damaged: %w", protowire.ParseError(n))
		}
		size, err := use(number, typ, data[n:])
		if err != nil {
			return err
		}
		if size < 0 {
			return fmt.Errorf("the message is damaged at field %d: %w", number, protowire.ParseError(size))
		}
		data = data[n+size:]
	}
	return nil
}

// set reads a value of a field into its place.
func (f *field) set(values []any, typ protowire.Type, data []byte) (int, error) {
	switch {
	case f.key != nil:
		return f.put(values, typ, data)
	case f.list:
		return f.add(values, typ, data)
	}
	if before, ok := values[f.index].(*connector.Struct); ok && f.union == nil && f.parts != nil && typ == protowire.BytesType {
		more, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return n, nil
		}
		v, err := f.parts.structOf(slices.Clone(before.Values()), more)
		if err == nil {
			values[f.index] = v
		}
		return n, err
	}
	v, n, err := f.read(typ, data)
	if err != nil {
		return 0, err
	}
	if f.union != nil {
		members := make([]any, len(f.union.Fields()))
		members[f.member] = v
		v = connector.StructFrom(f.union, members)
	}
	values[f.index] = v
	return n, nil
}

// add reads one more value of a list, or several without their tags.
func (f *field) add(values []any, typ protowire.Type, data []byte) (int, error) {
	list, _ := values[f.index].([]any)
	if typ != protowire.BytesType || f.packed == protowire.BytesType {
		v, n, err := f.read(typ, data)
		if err != nil {
			return 0, fmt.Errorf("[%d]: %w", len(list), err)
		}
		values[f.index] = append(list, v)
		return n, nil
	}
	packed, size := protowire.ConsumeBytes(data)
	if size < 0 {
		return size, nil
	}
	for len(packed) > 0 {
		v, n, err := f.read(f.packed, packed)
		if err != nil {
			return 0, fmt.Errorf("[%d]: %w", len(list), err)
		}
		list, packed = append(list, v), packed[n:]
	}
	values[f.index] = list
	return size, nil
}

// put reads one entry of a map.
func (f *field) put(values []any, typ protowire.Type, data []byte) (int, error) {
	if typ != protowire.BytesType {
		return 0, fmt.Errorf("it has wire type %d, expected an entry of a map", typ)
	}
	entry, size := protowire.ConsumeBytes(data)
	if size < 0 {
		return size, nil
	}
	key, value := f.key.unset, f.value.unset
	err := each(entry, func(number protowire.Number, typ protowire.Type, rest []byte) (n int, err error) {
		switch number {
		case 1:
			key, n, err = f.key.read(typ, rest)
		case 2:
			value, n, err = f.value.read(typ, rest)
		default:
			n = protowire.ConsumeFieldValue(number, typ, rest)
		}
		return n, err
	})
	if err != nil {
		return 0, err
	}
	if f.texts {
		m, _ := values[f.index].(map[string]any)
		if len(m) == 0 {
			m = map[string]any{}
			values[f.index] = m
		}
		m[key.(string)] = value
		return size, nil
	}
	m, _ := values[f.index].(map[any]any)
	if len(m) == 0 {
		m = map[any]any{}
		values[f.index] = m
	}
	m[key] = value
	return size, nil
}
