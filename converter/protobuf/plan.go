package protobuf

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
)

// message is the plan that reads a message.
type message struct {
	schema *connector.Schema
	fields map[protowire.Number]*field
	empty  []any     // the values where nothing is set
	needed []*field  // that must be set
	single *field    // of a wrapper that is read as the value in it
	unset  any       // and what that is where it is not set
	logic  converted // of a logical type
}

// converted reads a message that is a logical type.
type converted func(data []byte) (any, error)

// one reads one value of a field, and says how many bytes it was.
type one func(typ protowire.Type, data []byte) (any, int, error)

// field is how a field of a message is read.
type field struct {
	name   string
	index  int // in the struct
	read   one
	list   bool
	packed protowire.Type // of the values that a list may have without their tags; BytesType is none
	merges bool           // a message
	parts  *message       // which is read as a struct: what comes later is added
	unset  any            // what stands for it where it is not set

	key, value *field // of a map's entries
	texts      bool   // whose keys are texts

	union  *connector.Schema // of the oneof that it belongs to
	member int               // its place in there
}

// compiler compiles the messages of one schema.
type compiler struct {
	options options
	open    map[protoreflect.FullName]bool
	done    map[protoreflect.FullName]*message
}

func compile(d protoreflect.MessageDescriptor, o options) (*message, error) {
	c := &compiler{options: o, open: map[protoreflect.FullName]bool{}, done: map[protoreflect.FullName]*message{}}
	if s := wrapped(d); s != nil && o.wrapperRaw {
		return c.wrapper(d, s)
	}
	return c.message(d)
}

// wrapper compiles a message that is read as the value in it.
func (c *compiler) wrapper(d protoreflect.MessageDescriptor, s *connector.Schema) (*message, error) {
	f, err := c.scalar(d.Fields().ByNumber(1))
	if err != nil {
		return nil, err
	}
	return &message{schema: s, single: f, unset: f.unset}, nil
}

func (c *compiler) message(d protoreflect.MessageDescriptor) (*message, error) {
	name := d.FullName()
	if m := c.done[name]; m != nil {
		return m, nil
	}
	if c.open[name] {
		return nil, fmt.Errorf("message %s contains itself, which is read from Avro alone: take the converter bytes, or write it as Avro", name)
	}
	c.open[name] = true
	defer delete(c.open, name)
	m := &message{fields: map[protowire.Number]*field{}}
	var fields []connector.Field
	add := func(name string, s *connector.Schema, unset any) int {
		fields = append(fields, connector.F(name, s))
		m.empty = append(m.empty, unset)
		return len(fields) - 1
	}
	if err := c.oneofs(d, m, add); err != nil {
		return nil, err
	}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		if realOneof(fd) != nil {
			continue // which was added with its oneof
		}
		s, f, err := c.field(fd, false)
		if err != nil {
			return nil, err
		}
		unset, err := c.unset(fd, f, s.Optional())
		if err != nil {
			return nil, err
		}
		f.index = add(f.name, s, unset)
		m.fields[fd.Number()] = f
		if fd.Cardinality() == protoreflect.Required {
			m.empty[f.index] = nil
			m.needed = append(m.needed, f)
		}
	}
	var err error
	if m.schema, err = connector.NewStructSchema(c.options.name(d), fields); err != nil {
		return nil, err
	}
	c.done[name] = m
	return m, nil
}

// oneofs adds the fields of oneofs, a struct for each unless they are flattened.
func (c *compiler) oneofs(d protoreflect.MessageDescriptor, m *message, add func(string, *connector.Schema, any) int) error {
	for i := range d.Oneofs().Len() {
		oneof := d.Oneofs().Get(i)
		if oneof.IsSynthetic() {
			continue
		}
		var members []connector.Field
		var read []*field
		for j := range oneof.Fields().Len() {
			fd := oneof.Fields().Get(j)
			s, f, err := c.field(fd, true)
			if err != nil {
				return err
			}
			m.fields[fd.Number()] = f
			if c.options.flatten {
				f.index = add(f.name, s, nil)
				continue
			}
			f.member = j
			members, read = append(members, connector.F(f.name, s)), append(read, f)
		}
		if c.options.flatten {
			continue
		}
		s, err := c.options.unionSchema(oneof, members)
		if err != nil {
			return err
		}
		index := add(c.options.unionField(oneof), s, nil)
		for _, f := range read {
			f.index, f.union = index, s
		}
	}
	return nil
}

// unset gives what a field is that is not set: null where its absence says
// something and its schema allows it.
func (c *compiler) unset(fd protoreflect.FieldDescriptor, f *field, nullable bool) (any, error) {
	optional := keyword(fd) && (c.options.proto2 || fd.ParentFile().Syntax() != protoreflect.Proto2)
	switch {
	case f.list || f.key != nil:
		return f.unset, nil
	case f.merges && c.options.structs:
		v, _, err := f.read(protowire.BytesType, []byte{0})
		return v, err
	case f.merges || optional && nullable:
		return nil, nil
	}
	return f.unset, nil
}

// field compiles a field, and gives its schema.
func (c *compiler) field(fd protoreflect.FieldDescriptor, member bool) (*connector.Schema, *field, error) {
	if isEntry(fd) {
		return c.mapped(fd)
	}
	f, s, err := c.element(fd)
	if err != nil {
		return nil, nil, err
	}
	if fd.IsList() {
		f.list, f.unset = true, []any{}
		s = connector.ArrayOf(s.AsOptional())
	}
	return c.options.attributes(s, fd, member), f, nil
}

// element compiles one value of a field.
func (c *compiler) element(fd protoreflect.FieldDescriptor) (*field, *connector.Schema, error) {
	if fd.Message() == nil {
		f, err := c.scalar(fd)
		return f, c.options.scalarSchema(fd), err
	}
	f := &field{name: string(fd.Name()), merges: true, packed: protowire.BytesType}
	var m *message
	var err error
	if s := logicalSchema(fd); s != nil {
		m = &message{schema: s, logic: logic(fd, s)}
	} else if s := wrapped(fd.Message()); s != nil && c.options.wrapper {
		m, err = c.wrapper(fd.Message(), s)
	} else {
		m, err = c.message(fd.Message())
	}
	if err != nil {
		return nil, nil, err
	}
	if m.fields != nil {
		f.parts = m
	}
	group := fd.Kind() == protoreflect.GroupKind
	f.read = func(typ protowire.Type, data []byte) (any, int, error) {
		inner, n := protowire.ConsumeBytes(data)
		if group && typ == protowire.StartGroupType {
			inner, n = protowire.ConsumeGroup(fd.Number(), data)
		} else if group || typ != protowire.BytesType {
			return nil, 0, fmt.Errorf("it has wire type %d, expected a message", typ)
		}
		if n < 0 {
			return nil, 0, protowire.ParseError(n)
		}
		v, err := m.value(inner)
		return v, n, err
	}
	return f, m.schema, nil
}

// mapped compiles a map.
func (c *compiler) mapped(fd protoreflect.FieldDescriptor) (*connector.Schema, *field, error) {
	entry := fd.Message()
	if c.open[entry.FullName()] {
		return nil, nil, fmt.Errorf("map %s contains itself, which is read from Avro alone: take the converter bytes, or write it as Avro", fd.FullName())
	}
	c.open[entry.FullName()] = true
	defer delete(c.open, entry.FullName())
	f := &field{name: string(fd.Name())}
	keySchema, key, err := c.field(entry.Fields().Get(0), false)
	if err != nil {
		return nil, nil, err
	}
	valueSchema, value, err := c.field(entry.Fields().Get(1), false)
	if err != nil {
		return nil, nil, err
	}
	if key.merges {
		return nil, nil, fmt.Errorf("map %s has messages for keys", fd.FullName())
	}
	if value.merges { // an entry without a value has an empty message
		if value.unset, _, err = value.read(protowire.BytesType, []byte{0}); err != nil {
			value.unset = nil // as an empty date, which is none
		}
	}
	f.key, f.value, f.texts = key, value, keySchema.Type() == connector.String
	if f.unset = any(map[any]any{}); f.texts {
		f.unset = map[string]any{}
	}
	if keySchema.Type() == connector.Bytes {
		return nil, nil, fmt.Errorf("map %s has bytes for keys", fd.FullName())
	}
	s := connector.MapOf(keySchema, valueSchema).WithName(mapName(c.options.name(entry)))
	return c.options.attributes(s, fd, false), f, nil
}

// scalar compiles a number, a text, bytes or an enum.
func (c *compiler) scalar(fd protoreflect.FieldDescriptor) (*field, error) {
	f := &field{name: string(fd.Name()), packed: protowire.BytesType}
	def := defaultOf(fd)
	convert := func(bits uint64) (any, error) { return int64(bits), nil }
	small := c.options.scalarSchema(fd).Type()
	switch fd.Kind() {
	case protoreflect.StringKind:
		f.read, f.unset = readText, def.String()
		return f, nil
	case protoreflect.BytesKind:
		f.read, f.unset = readBytes, append([]byte{}, def.Bytes()...)
		return f, nil
	case protoreflect.EnumKind:
		convert = c.enum(fd.Enum())
		f.unset, _ = convert(uint64(int64(def.Enum())))
	case protoreflect.BoolKind:
		convert = func(bits uint64) (any, error) { return protowire.DecodeBool(bits), nil }
		f.unset = def.Bool()
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		convert = func(bits uint64) (any, error) { return narrow(int32(bits), small) }
		f.unset, _ = narrow(int32(def.Int()), small)
	case protoreflect.Sint32Kind:
		convert = func(bits uint64) (any, error) {
			return narrow(int32(protowire.DecodeZigZag(bits&math.MaxUint32)), small)
		}
		f.unset, _ = narrow(int32(def.Int()), small)
	case protoreflect.Sint64Kind:
		convert = func(bits uint64) (any, error) { return protowire.DecodeZigZag(bits), nil }
		f.unset = def.Int()
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		convert = func(bits uint64) (any, error) { return int64(uint32(bits)), nil }
		f.unset = int64(def.Uint())
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		f.unset = int64(def.Uint())
	case protoreflect.FloatKind:
		convert = func(bits uint64) (any, error) { return math.Float32frombits(uint32(bits)), nil }
		f.unset = float32(def.Float())
	case protoreflect.DoubleKind:
		convert = func(bits uint64) (any, error) { return math.Float64frombits(bits), nil }
		f.unset = def.Float()
	default:
		f.unset = def.Int()
	}
	f.packed = wireType(fd.Kind())
	f.read = readNumber(f.packed, convert)
	return f, nil
}

// narrow gives an integer of the type that the schema says.
func narrow(n int32, to connector.Type) (any, error) {
	switch {
	case to == connector.Int8 && n == int32(int8(n)):
		return int8(n), nil
	case to == connector.Int16 && n == int32(int16(n)):
		return int16(n), nil
	case to == connector.Int8 || to == connector.Int16:
		return nil, fmt.Errorf("%d is beyond the range of %s", n, to)
	}
	return n, nil
}

// enum gives the name of a constant, or its number.
func (c *compiler) enum(d protoreflect.EnumDescriptor) func(uint64) (any, error) {
	if c.options.intEnums {
		return func(bits uint64) (any, error) { return int32(bits), nil }
	}
	names := map[int32]any{}
	for i := range d.Values().Len() {
		if v := d.Values().Get(i); names[int32(v.Number())] == nil {
			names[int32(v.Number())] = string(v.Name())
		}
	}
	return func(bits uint64) (any, error) {
		if name := names[int32(bits)]; name != nil {
			return name, nil
		}
		return fmt.Sprintf("UNKNOWN_ENUM_VALUE_%s_%d", d.Name(), int32(bits)), nil // as in Java
	}
}

// defaultOf gives a scalar's default; that of a list's elements is never used.
func defaultOf(fd protoreflect.FieldDescriptor) protoreflect.Value {
	if !fd.IsList() {
		return fd.Default()
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(nil)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(0)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(false)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(0)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(0)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(0)
	}
	return protoreflect.ValueOfInt64(0)
}
