package protobuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// The names by which Confluent's ProtobufData keeps in a Connect schema what
// only Protobuf has, and the other way round.
const (
	namespace    = "io.confluent.connect.protobuf"
	enumParam    = namespace + ".Enum"
	unionPrefix  = namespace + ".Union."
	tagParam     = namespace + ".Tag"
	typeParam    = namespace + ".Type"
	wrapperParam = namespace + ".Wrapper"

	generalEnum  = "org.apache.kafka.connect.data.Enum"
	generalUnion = "org.apache.kafka.connect.data.Union"

	connectType    = "connect.type"
	precisionParam = "connect.decimal.precision"
	metaPrecision  = "precision"
	metaScale      = "scale"

	decimalType   = "confluent.type.Decimal"
	dateType      = "google.type.Date"
	timeType      = "google.type.TimeOfDay"
	timestampType = "google.protobuf.Timestamp"
	entrySuffix   = "Entry"
)

func (o options) enumParam() string {
	if o.generalized {
		return generalEnum
	}
	return enumParam
}

// name gives the name of a message or an enum.
func (o options) name(d protoreflect.Descriptor) string {
	if o.enhanced {
		return string(d.FullName())
	}
	return string(d.Name())
}

// wrapped gives the schema of what a wrapper message wraps, nil for other messages.
func wrapped(m protoreflect.MessageDescriptor) *connector.Schema {
	switch m.FullName() {
	case "google.protobuf.DoubleValue":
		return connector.Float64Schema
	case "google.protobuf.FloatValue":
		return connector.Float32Schema
	case "google.protobuf.Int64Value", "google.protobuf.UInt64Value", "google.protobuf.UInt32Value":
		return connector.Int64Schema
	case "google.protobuf.Int32Value":
		return connector.Int32Schema
	case "google.protobuf.BoolValue":
		return connector.BooleanSchema
	case "google.protobuf.StringValue":
		return connector.StringSchema
	case "google.protobuf.BytesValue":
		return connector.BytesSchema
	}
	return nil
}

// isEntry tells whether a repeated field is a map: also one whose entries are a
// message of their own, as Confluent's converter writes them.
func isEntry(f protoreflect.FieldDescriptor) bool {
	if f.IsMap() {
		return true
	}
	m := f.Message()
	if m == nil || f.Cardinality() != protoreflect.Repeated || !strings.HasSuffix(string(m.Name()), entrySuffix) || m.Fields().Len() != 2 {
		return false
	}
	key, value := m.Fields().Get(0), m.Fields().Get(1)
	return key.Name() == "key" && value.Name() == "value" && !key.IsList() && !value.IsList()
}

// realOneof gives the oneof that a field was written in.
func realOneof(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

// keyword tells whether a field is called optional.
func keyword(f protoreflect.FieldDescriptor) bool {
	return f.HasOptionalKeyword() && realOneof(f) == nil
}

// attributes gives a field's schema what its place adds to that of its type.
func (o options) attributes(s *connector.Schema, f protoreflect.FieldDescriptor, member bool) *connector.Schema {
	switch {
	case f.IsList() && s.Type() == connector.Array, s.Type() == connector.Map, f.Kind() == protoreflect.MessageKind, f.Kind() == protoreflect.EnumKind:
		s = s.AsOptional()
	}
	switch {
	case member:
		s = s.AsOptional()
		if o.wrapper && f.Message() != nil && wrapped(f.Message()) != nil {
			s = s.WithParameter(wrapperParam, "true")
		}
	case o.optional:
		if keyword(f) {
			s = s.AsOptional()
		}
	case !o.wrapper:
		s = s.AsOptional()
	}
	return s.WithParameter(tagParam, strconv.Itoa(int(f.Number())))
}

// scalarSchema gives the schema of a scalar.
func (o options) scalarSchema(f protoreflect.FieldDescriptor) *connector.Schema {
	s := connector.Int64Schema
	switch f.Kind() {
	case protoreflect.BoolKind:
		return connector.BooleanSchema
	case protoreflect.StringKind:
		return connector.StringSchema
	case protoreflect.BytesKind:
		return connector.BytesSchema
	case protoreflect.FloatKind:
		return connector.Float32Schema
	case protoreflect.DoubleKind:
		return connector.Float64Schema
	case protoreflect.EnumKind:
		return o.enumSchema(f.Enum())
	case protoreflect.Int64Kind:
		return s
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		switch protobuf.Parameters(f)[connectType] {
		case "int8":
			return connector.Int8Schema
		case "int16":
			return connector.Int16Schema
		}
		if s = connector.Int32Schema; f.Kind() == protoreflect.Int32Kind {
			return s
		}
	}
	return s.WithParameter(typeParam, f.Kind().String())
}

func (o options) enumSchema(e protoreflect.EnumDescriptor) *connector.Schema {
	s := connector.StringSchema
	if o.intEnums {
		s = connector.Int32Schema
	}
	param := o.enumParam()
	s = s.WithName(o.name(e)).WithParameter(param, string(e.Name()))
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		s = s.WithParameter(param+"."+string(v.Name()), strconv.Itoa(int(v.Number())))
	}
	return s
}

// logicalSchema gives the schema of a message that is a logical type, nil for others.
func logicalSchema(f protoreflect.FieldDescriptor) *connector.Schema {
	switch f.Message().FullName() {
	case dateType:
		return connector.DateSchema
	case timeType:
		return connector.TimeSchema
	case timestampType:
		return connector.TimestampSchema
	case decimalType:
		params := protobuf.Parameters(f)
		scale, err := strconv.Atoi(params[metaScale])
		if err != nil {
			scale = 0
		}
		s := connector.DecimalSchema(scale)
		if p := params[metaPrecision]; p != "" {
			s = s.WithParameter(precisionParam, p)
		}
		return s
	}
	return nil
}

// unionSchema gives the schema of a oneof.
func (o options) unionSchema(oneof protoreflect.OneofDescriptor, fields []connector.Field) (*connector.Schema, error) {
	if o.generalized {
		name := string(oneof.Name())
		s, err := connector.NewStructSchema(name, fields)
		if err != nil {
			return nil, err
		}
		return s.WithParameter(generalUnion, name).AsOptional(), nil
	}
	s, err := connector.NewStructSchema(unionPrefix+o.name(oneof), fields)
	if err != nil {
		return nil, err
	}
	return s.AsOptional(), nil
}

func (o options) unionField(oneof protoreflect.OneofDescriptor) string {
	if o.index {
		return fmt.Sprintf("%s_%d", oneof.Name(), oneof.Index())
	}
	return string(oneof.Name())
}

// isUnion tells whether a struct schema stands for a oneof.
func isUnion(s *connector.Schema) bool {
	_, general := s.Parameter(generalUnion)
	return s.Type() == connector.Object && (general || strings.HasPrefix(s.Name(), strings.TrimSuffix(unionPrefix, ".")))
}

// mapName gives the name of a map by that of its entries: FooBarEntry is foo_bar.
func mapName(entry string) string {
	name, ok := strings.CutSuffix(entry, entrySuffix)
	if !ok {
		return entry
	}
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && name[i-1] != '.' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// entryName gives the name of a map's entries: foo_bar has FooBarEntry.
func entryName(name string) string {
	if strings.Contains(name, "_") {
		parts := strings.Split(name, "_")
		for i, p := range parts {
			if p != "" {
				parts[i] = strings.ToUpper(p[:1]) + strings.ToLower(p[1:])
			}
		}
		name = strings.Join(parts, "")
	}
	return name + entrySuffix
}

// logicalNames are those of logical types.
var logicalNames = []string{connector.DecimalName, connector.DateName, connector.TimeName, connector.TimestampName}

func isLogical(s *connector.Schema) bool { return slices.Contains(logicalNames, s.Name()) }
