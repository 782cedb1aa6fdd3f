package protobuf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// writer writes values of a Connect schema as a message.
type writer struct {
	indexes []byte
	message appender
}

// appender writes a value, without its tag and its length.
type appender func(out []byte, v any) ([]byte, error)

// misfit is a value that is not what its place wants. It names the type, never
// the value, which may be private.
func misfit(want string, v any) error {
	switch x := v.(type) {
	case nil:
		return fmt.Errorf("expected %s, got null", want)
	case time.Time:
		return fmt.Errorf("expected %s, got a time", want)
	case connector.Decimal:
		return fmt.Errorf("expected %s, got a decimal", want)
	case *connector.Struct:
		return fmt.Errorf("expected %s, got struct %s", want, x.Schema().Name())
	}
	return fmt.Errorf("expected %s, got %T", want, v)
}

// newWriter compiles what writes values of a Connect schema: into the message of
// its name, or into the first one.
func newWriter(file protoreflect.FileDescriptor, from *connector.Schema, o options, strict bool) (*writer, error) {
	if from == nil {
		return nil, errors.New("a value without a schema cannot be written as Protobuf")
	}
	d, err := target(file, from, o)
	if err != nil {
		return nil, err
	}
	w := &writing{options: o, strict: strict}
	append, err := w.message(d, from)
	if err != nil {
		return nil, err
	}
	return &writer{indexes: appendIndexes(nil, protobuf.Indexes(d)), message: append}, nil
}

func target(file protoreflect.FileDescriptor, from *connector.Schema, o options) (protoreflect.MessageDescriptor, error) {
	if wrapper := wrapperTypes[from.Type()]; wrapper != "" && file.Package() == "google.protobuf" {
		if d := file.Messages().ByName(protoreflect.Name(wrapper)); d != nil {
			return d, nil
		}
	}
	name := protoreflect.FullName(from.Name())
	if i := slices.Index([]byte(name), '.'); name != "" && i < 0 {
		name = file.Package().Append(protoreflect.Name(o.scrubbed(string(name))))
	}
	for i := range file.Messages().Len() {
		if d := file.Messages().Get(i); d.FullName() == name {
			return d, nil
		}
	}
	return protobuf.Message(file, nil)
}

// writing compiles writers.
type writing struct {
	options options
	strict  bool
}

// message compiles what writes a message, or a value into a wrapper.
func (w *writing) message(d protoreflect.MessageDescriptor, from *connector.Schema) (appender, error) {
	if wrapped(d) != nil && from.Type().Primitive() && !isLogical(from) {
		return w.field(d.Fields().ByNumber(1), from)
	}
	if from.Type() != connector.Object {
		return nil, fmt.Errorf("expected a struct for message %s, the value's schema says %s", d.FullName(), describe(from))
	}
	members, covered, err := w.members(d, from)
	if err != nil {
		return nil, err
	}
	for i := range d.Fields().Len() {
		if f := d.Fields().Get(i); f.Cardinality() == protoreflect.Required && !covered[f.Number()] {
			return nil, fmt.Errorf("message %s needs %s, which the value does not have", d.FullName(), f.Name())
		}
	}
	return func(out []byte, v any) ([]byte, error) {
		s, ok := v.(*connector.Struct)
		if !ok || s.Schema() != from && !sameFields(s.Schema(), from) {
			return nil, misfit("struct "+from.Name(), v)
		}
		for _, m := range members {
			if out, err = m.append(out, s); err != nil {
				return nil, err
			}
		}
		return out, nil
	}, nil
}

// sameFields tells whether structs of one schema are those of another: what
// allows the place to be null does not count.
func sameFields(a, b *connector.Schema) bool {
	return a.Name() == b.Name() && slices.EqualFunc(a.Fields(), b.Fields(), func(x, y connector.Field) bool {
		return x.Name == y.Name && x.Schema.Equal(y.Schema)
	})
}

// member is a field of a struct, and where it goes.
type member struct {
	index   int
	name    string
	from    *connector.Schema
	write   appender
	members []member // of a union
	ignore  bool     // the default
}

// members compiles the fields of a struct that the message has.
func (w *writing) members(d protoreflect.MessageDescriptor, from *connector.Schema) ([]member, map[protoreflect.FieldNumber]bool, error) {
	var list []member
	covered := map[protoreflect.FieldNumber]bool{}
	if from.Cyclic() {
		return nil, nil, fmt.Errorf("struct %s holds itself: it is not written as Protobuf: use Avro", from.Name())
	}
	for i, f := range from.Fields() {
		m := member{index: i, name: f.Name, from: f.Schema, ignore: w.options.ignoreDefault}
		fd := d.Fields().ByName(protoreflect.Name(w.options.scrubbed(f.Name)))
		switch {
		case fd != nil:
			covered[fd.Number()] = true
			var err error
			if m.write, err = w.field(fd, f.Schema); err != nil {
				if err = fmt.Errorf("field %s: %w", f.Name, err); w.strict {
					return nil, nil, err
				}
				m.write = func([]byte, any) ([]byte, error) { return nil, err }
			}
		case isUnion(f.Schema):
			var inner map[protoreflect.FieldNumber]bool
			var err error
			if m.members, inner, err = w.members(d, f.Schema); err != nil {
				return nil, nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			for number := range inner {
				covered[number] = true
			}
		default:
			continue // which the schema lacks
		}
		list = append(list, m)
	}
	return list, covered, nil
}

// append writes the field of a struct, tag and all.
func (m *member) append(out []byte, s *connector.Struct) ([]byte, error) {
	v := s.At(m.index)
	if v == nil && !m.ignore {
		v, _ = m.from.Default()
	}
	if v == nil {
		if m.from.Optional() {
			return out, nil
		}
		return nil, fmt.Errorf("field %s: %w", m.name, misfit(describe(m.from), nil))
	}
	if m.members == nil {
		out, err := m.write(out, v)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", m.name, err)
		}
		return out, nil
	}
	union, ok := v.(*connector.Struct)
	if !ok || union.Schema() != m.from && !sameFields(union.Schema(), m.from) {
		return nil, fmt.Errorf("field %s: %w", m.name, misfit("a union", v))
	}
	for _, inner := range m.members {
		if union.At(inner.index) == nil {
			continue
		}
		out, err := inner.append(out, union)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", m.name, err)
		}
		return out, nil // one at most
	}
	return out, nil
}

// field compiles what writes a field with its tag.
func (w *writing) field(fd protoreflect.FieldDescriptor, from *connector.Schema) (appender, error) {
	switch {
	case isEntry(fd):
		return w.entries(fd, from)
	case fd.IsList():
		return w.list(fd, from)
	}
	write, err := w.element(fd, from)
	if err != nil {
		return nil, err
	}
	return tagged(fd, write), nil
}

// tagged writes a value behind its tag: in proto3 not the one that stands for nothing.
func tagged(fd protoreflect.FieldDescriptor, write appender) appender {
	tag := protowire.AppendTag(nil, fd.Number(), elementType(fd))
	bare := !fd.HasPresence() && !fd.IsList()
	return func(out []byte, v any) ([]byte, error) {
		start := len(out)
		out, err := write(append(out, tag...), v)
		if err == nil && bare && nothing(out[start+len(tag):]) {
			out = out[:start]
		}
		return out, err
	}
}

// nothing tells whether a scalar is zero or empty: negative zero is neither.
func nothing(value []byte) bool {
	for _, b := range value {
		if b != 0 {
			return false
		}
	}
	return true
}

func elementType(fd protoreflect.FieldDescriptor) protowire.Type {
	switch fd.Kind() {
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	case protoreflect.MessageKind, protoreflect.StringKind, protoreflect.BytesKind:
		return protowire.BytesType
	}
	return wireType(fd.Kind())
}

func (w *writing) list(fd protoreflect.FieldDescriptor, from *connector.Schema) (appender, error) {
	if from.Type() != connector.Array || from.Elem() == nil {
		return nil, fmt.Errorf("expected an array, the value's schema says %s", describe(from))
	}
	element, err := w.element(fd, from.Elem())
	if err != nil {
		return nil, err
	}
	single, packed := tagged(fd, element), sized(func(out []byte, v any) ([]byte, error) {
		for i, e := range v.([]any) {
			if out, err = element(out, e); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	})
	tag := protowire.AppendTag(nil, fd.Number(), protowire.BytesType)
	return func(out []byte, v any) ([]byte, error) {
		list, ok := v.([]any)
		if !ok {
			return nil, misfit("an array", v)
		}
		if len(list) == 0 {
			return out, nil
		}
		if fd.IsPacked() {
			return packed(append(out, tag...), list)
		}
		var err error
		for i, e := range list {
			if out, err = single(out, e); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	}, nil
}

// entries compiles what writes a map, in the order of its keys' bytes so that
// equal maps are equal bytes.
func (w *writing) entries(fd protoreflect.FieldDescriptor, from *connector.Schema) (appender, error) {
	if from.Type() != connector.Map || from.Key() == nil || from.Elem() == nil {
		return nil, fmt.Errorf("expected a map, the value's schema says %s", describe(from))
	}
	key, err := w.field(fd.Message().Fields().Get(0), from.Key())
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	value, err := w.field(fd.Message().Fields().Get(1), from.Elem())
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	entry := func(k, v any) (both [2][]byte, err error) {
		for i, part := range []struct {
			v     any
			write appender
			from  *connector.Schema
		}{{k, key, from.Key()}, {v, value, from.Elem()}} {
			if part.v == nil && part.from.Optional() {
				continue
			}
			if both[i], err = part.write(nil, part.v); err != nil {
				return both, fmt.Errorf("[%v]: %w", k, err)
			}
		}
		return both, nil
	}
	return func(out []byte, v any) ([]byte, error) {
		var list [][2][]byte
		var err error
		add := func(k, v any) {
			if err == nil {
				var both [2][]byte
				both, err = entry(k, v)
				list = append(list, both)
			}
		}
		switch m := v.(type) {
		case map[string]any:
			for k, e := range m {
				add(k, e)
			}
		case map[any]any:
			for k, e := range m {
				add(k, e)
			}
		default:
			err = misfit("a map", v)
		}
		if err != nil {
			return nil, err
		}
		slices.SortFunc(list, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
		for _, both := range list {
			out = protowire.AppendTag(out, fd.Number(), protowire.BytesType)
			out = protowire.AppendVarint(out, uint64(len(both[0])+len(both[1])))
			out = append(append(out, both[0]...), both[1]...)
		}
		return out, nil
	}, nil
}

// sized writes a length before what is written.
func sized(write appender) appender {
	return func(out []byte, v any) ([]byte, error) {
		start := len(out)
		out, err := write(append(out, 0), v)
		if err != nil {
			return nil, err
		}
		size := uint64(len(out) - start - 1)
		if extra := protowire.SizeVarint(size) - 1; extra > 0 {
			out = append(out, make([]byte, extra)...)
			copy(out[start+1+extra:], out[start+1:])
		}
		protowire.AppendVarint(out[:start], size)
		return out, nil
	}
}

// element compiles what writes one value of a field.
func (w *writing) element(fd protoreflect.FieldDescriptor, from *connector.Schema) (appender, error) {
	if d := fd.Message(); d != nil {
		if write, ok := logicalWriter(d, from); ok {
			if write == nil {
				return nil, fmt.Errorf("expected %s, the value's schema says %s", d.FullName(), describe(from))
			}
			return sized(write), nil
		}
		write, err := w.message(d, from)
		if err != nil {
			return nil, err
		}
		if fd.Kind() == protoreflect.GroupKind {
			end := protowire.AppendTag(nil, fd.Number(), protowire.EndGroupType)
			return func(out []byte, v any) ([]byte, error) {
				out, err := write(out, v)
				return append(out, end...), err
			}, nil
		}
		return sized(write), nil
	}
	if isLogical(from) {
		return nil, fmt.Errorf("expected %s, the value's schema says %s", fd.Kind(), describe(from))
	}
	return scalarWriter(fd, from)
}

func describe(s *connector.Schema) string {
	if s.Name() != "" {
		return s.Type().String() + " " + s.Name()
	}
	return s.Type().String()
}
