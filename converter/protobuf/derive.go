package protobuf

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// wrapperTypes are the wrapper messages of the single types.
var wrapperTypes = map[connector.Type]string{
	connector.Int8: "Int32Value", connector.Int16: "Int32Value", connector.Int32: "Int32Value", connector.Int64: "Int64Value",
	connector.Float32: "FloatValue", connector.Float64: "DoubleValue", connector.Boolean: "BoolValue",
	connector.String: "StringValue", connector.Bytes: "BytesValue",
}

// scalarTypes are Protobuf's names of the single types.
var scalarTypes = map[connector.Type]string{
	connector.Int8: "int32", connector.Int16: "int32", connector.Int32: "int32", connector.Int64: "int64",
	connector.Float32: "float", connector.Float64: "double", connector.Boolean: "bool",
	connector.String: "string", connector.Bytes: "bytes",
}

const (
	wrappersPath  = "google/protobuf/wrappers.proto"
	metaPath      = "confluent/meta.proto"
	defaultName   = "ConnectDefault"
	wrapperPrefix = ".google.protobuf."
)

// derive gives the schema that a Connect schema maps to, as Confluent's converter does.
func derive(s *connector.Schema, o options) (string, error) {
	if isLogical(s) {
		return "", fmt.Errorf("a %s cannot be a value of its own in Protobuf: put it into a struct with the transform HoistField", s.Name())
	}
	if s.Type().Primitive() {
		return protobuf.Print(wrapperspb.File_google_protobuf_wrappers_proto)
	}
	if s.Type() != connector.Object || isUnion(s) {
		return "", fmt.Errorf("an %s cannot be a value of its own in Protobuf: put it into a struct with the transform HoistField", s.Type())
	}
	d := &deriver{options: o, imports: map[string]bool{}}
	full := d.named(s.Name())
	parts := strings.Split(full, ".")
	for i, p := range parts {
		parts[i] = o.scrubbed(p)
	}
	name := parts[len(parts)-1]
	body, err := d.message(name, s, "", 0)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("syntax = \"proto3\";\n")
	if len(parts) > 1 {
		fmt.Fprintf(&out, "package %s;\n", strings.Join(parts[:len(parts)-1], "."))
	}
	out.WriteString("\n")
	for _, path := range slices.Sorted(maps.Keys(d.imports)) {
		fmt.Fprintf(&out, "import %q;\n", path)
	}
	if len(d.imports) > 0 {
		out.WriteString("\n")
	}
	return out.String() + body, nil
}

type deriver struct {
	options options
	imports map[string]bool
	unnamed int // schemas without a name so far
}

// named gives a schema's name, or one that it is given.
func (d *deriver) named(name string) string {
	if name != "" {
		return name
	}
	d.unnamed++
	return defaultName + strconv.Itoa(d.unnamed)
}

// local gives a schema's name without its package.
func (d *deriver) local(name string) string {
	name = d.named(name)
	return d.options.scrubbed(name[strings.LastIndexByte(name, '.')+1:])
}

// block is a message that is being written.
type block struct {
	name   string
	indent string
	depth  int
	lines  []string
	inner  map[string]string // the messages and enums in it, by name
	order  []string
	used   map[int]bool // tags
	next   int
}

// define adds a message or an enum, once.
func (b *block) define(name, text string) error {
	if known, ok := b.inner[name]; ok {
		if known != text {
			return fmt.Errorf("two schemas of the name %s differ: name them differently with the transform SetSchemaMetadata", name)
		}
		return nil
	}
	b.inner[name] = text
	b.order = append(b.order, name)
	return nil
}

// tag gives a field's number: the one that it had, or the next.
func (b *block) tag(s *connector.Schema) (int, error) {
	if text, ok := s.Parameter(tagParam); ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("its parameter %s is no number", tagParam)
		}
		return n, nil
	}
	for b.next++; b.used[b.next]; b.next++ {
	}
	return b.next, nil
}

// reserve remembers the numbers that fields have.
func (b *block) reserve(fields []connector.Field) {
	for _, f := range fields {
		if text, ok := f.Schema.Parameter(tagParam); ok {
			if n, err := strconv.Atoi(text); err == nil {
				b.used[n] = true
			}
		}
		if isUnion(f.Schema) {
			b.reserve(f.Schema.Fields())
		}
	}
}

// maxNested bounds how deep structs may be nested: what reads Protobuf in Java
// and C++ goes no deeper.
const maxNested = 100

// inField gives an error its place.
func inField(name string, err error) error {
	if errors.Is(err, errNested) {
		return err
	}
	return fmt.Errorf("field %s: %w", name, err)
}

// errNested has no path, which would be long.
var errNested = fmt.Errorf("structs are nested more than %d deep, and readers of Protobuf go no deeper: flatten them with the transform Flatten, or use Avro", maxNested)

func (d *deriver) message(name string, s *connector.Schema, indent string, depth int) (string, error) {
	if depth > maxNested {
		return "", errNested
	}
	if s.Cyclic() {
		return "", fmt.Errorf("struct %s holds itself: it is not written as Protobuf: use Avro", s.Name())
	}
	b := &block{name: name, indent: indent + "  ", depth: depth, inner: map[string]string{}, used: map[int]bool{}}
	b.reserve(s.Fields())
	for _, f := range s.Fields() {
		if isUnion(f.Schema) {
			if err := d.oneof(b, f.Schema); err != nil {
				return "", inField(f.Name, err)
			}
			continue
		}
		if err := d.field(b, f.Name, f.Schema, b.indent, false); err != nil {
			return "", inField(f.Name, err)
		}
	}
	return d.close(b, indent), nil
}

func (d *deriver) close(b *block, indent string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%smessage %s {\n", indent, b.name)
	for _, l := range b.lines {
		out.WriteString(l)
	}
	for _, name := range b.order {
		out.WriteString("\n" + b.inner[name])
	}
	fmt.Fprintf(&out, "%s}\n", indent)
	return out.String()
}

func (d *deriver) oneof(b *block, s *connector.Schema) error {
	name, general := s.Parameter(generalUnion)
	if !general {
		name = d.local(strings.TrimPrefix(s.Name(), unionPrefix))
	}
	b.lines = append(b.lines, fmt.Sprintf("%soneof %s {\n", b.indent, name))
	for _, f := range s.Fields() {
		if err := d.field(b, f.Name, f.Schema, b.indent+"  ", true); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	b.lines = append(b.lines, b.indent+"}\n")
	return nil
}

func (d *deriver) field(b *block, name string, s *connector.Schema, indent string, member bool) error {
	tag, err := b.tag(s)
	if err != nil {
		return err
	}
	name = d.options.scrubbed(name)
	label := ""
	if d.options.optional && s.Optional() && !member {
		label = "optional "
	}
	if s.Type() == connector.Array {
		label, s = "repeated ", s.Elem()
		if s == nil {
			return errors.New("the array's elements have no schema")
		}
		if s.Type() == connector.Array || s.Type() == connector.Map {
			return fmt.Errorf("an array of %ss: Protobuf has none", s.Type())
		}
	}
	if s.Type() == connector.Map {
		label = "repeated "
	}
	typ, params, err := d.typeOf(b, name, s, member)
	if err != nil {
		return err
	}
	options := ""
	if len(params) > 0 {
		d.imports[metaPath] = true
		var list []string
		for _, k := range slices.Sorted(maps.Keys(params)) {
			list = append(list, fmt.Sprintf("{ key: %q, value: %q }", k, params[k]))
		}
		options = fmt.Sprintf(" [(confluent.field_meta) = { params: [%s] }]", strings.Join(list, ", "))
	}
	b.lines = append(b.lines, fmt.Sprintf("%s%s%s %s = %d%s;\n", indent, label, typ, name, tag, options))
	return nil
}

// typeOf gives a field's type, which it defines where it must, and the
// parameters that say what Protobuf does not.
func (d *deriver) typeOf(b *block, field string, s *connector.Schema, member bool) (string, map[string]string, error) {
	switch s.Name() {
	case connector.DecimalName:
		d.imports["confluent/type/decimal.proto"] = true
		params := map[string]string{}
		if scale, ok := s.Parameter("scale"); ok {
			params[metaScale] = scale
		}
		if precision, ok := s.Parameter(precisionParam); ok {
			params[metaPrecision] = precision
		}
		return "." + decimalType, params, nil
	case connector.DateName:
		d.imports["google/type/date.proto"] = true
		return "." + dateType, nil, nil
	case connector.TimeName:
		d.imports["google/type/timeofday.proto"] = true
		return "." + timeType, nil, nil
	case connector.TimestampName:
		d.imports["google/protobuf/timestamp.proto"] = true
		return "." + timestampType, nil, nil
	}
	switch s.Type() {
	case connector.Object:
		name := d.local(s.Name())
		if name == field {
			name += "Message"
		}
		text, err := d.message(name, s, b.indent, b.depth+1)
		if err != nil {
			return "", nil, err
		}
		return name, nil, b.define(name, text)
	case connector.Map:
		name := entryName(d.local(s.Name()))
		if s.Key() == nil || s.Elem() == nil || s.Elem().Type() == connector.Array || s.Elem().Type() == connector.Map {
			return "", nil, errors.New("a map must have schemas of its keys and values, and these can be neither arrays nor maps in Protobuf")
		}
		entry := &block{name: name, indent: b.indent + "  ", depth: b.depth + 1, inner: map[string]string{}, used: map[int]bool{}}
		for i, part := range []*connector.Schema{s.Key(), s.Elem()} {
			part = part.WithParameter(tagParam, strconv.Itoa(i+1))
			if err := d.field(entry, []string{"key", "value"}[i], part, entry.indent, false); err != nil {
				return "", nil, err
			}
		}
		return name, nil, b.define(name, d.close(entry, b.indent))
	}
	if name, ok := d.enumOf(s); ok {
		return name, nil, b.define(name, d.enum(name, s, b.indent))
	}
	return d.scalar(s, member)
}

// scalar gives the type of a number, a text or bytes.
func (d *deriver) scalar(s *connector.Schema, member bool) (string, map[string]string, error) {
	var params map[string]string
	if s.Type() == connector.Int8 || s.Type() == connector.Int16 {
		d.imports[metaPath] = true
		params = map[string]string{connectType: s.Type().String()}
	}
	name := scalarTypes[s.Type()]
	special, _ := s.Parameter(typeParam)
	switch special {
	case "sint32", "sfixed32", "uint32", "fixed32", "uint64", "sint64", "fixed64", "sfixed64":
		name = special
	}
	_, wraps := s.Parameter(wrapperParam)
	if d.options.wrapper && s.Optional() && (!member || wraps) {
		d.imports[wrappersPath] = true
		switch name {
		case "uint32", "fixed32":
			return wrapperPrefix + "UInt32Value", params, nil
		case "uint64", "fixed64":
			return wrapperPrefix + "UInt64Value", params, nil
		}
		return wrapperPrefix + wrapperTypes[s.Type()], params, nil
	}
	return name, params, nil
}

// enumOf gives the name of the enum that a schema stands for.
func (d *deriver) enumOf(s *connector.Schema) (string, bool) {
	if s.Type() != connector.String && s.Type() != connector.Int32 {
		return "", false
	}
	name, ok := s.Parameter(d.options.enumParam())
	if name == "" {
		name = s.Name()
	}
	return d.options.scrubbed(name[strings.LastIndexByte(name, '.')+1:]), ok && name != ""
}

func (d *deriver) enum(name string, s *connector.Schema, indent string) string {
	prefix := d.options.enumParam() + "."
	type constant struct {
		name   string
		number int
	}
	var list []constant
	for key, value := range s.Parameters() {
		symbol, ok := strings.CutPrefix(key, prefix)
		if n, err := strconv.Atoi(value); ok && err == nil {
			list = append(list, constant{symbol, n})
		}
	}
	slices.SortFunc(list, func(a, b constant) int { // zero first, which proto3 wants
		if (a.number == 0) != (b.number == 0) {
			if a.number == 0 {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
	})
	var lines strings.Builder
	alias := ""
	for i, c := range list {
		if i > 0 && list[i-1].number == c.number {
			alias = indent + "  option allow_alias = true;\n"
		}
		fmt.Fprintf(&lines, "%s  %s = %d;\n", indent, d.options.scrubbed(c.name), c.number)
	}
	return fmt.Sprintf("%senum %s {\n%s%s%s}\n", indent, name, alias, lines.String(), indent)
}

// scrubbed gives a name that Protobuf allows, where names are scrubbed: what it
// does not allow is escaped as in URLs, with underscores for the percent signs.
func (o options) scrubbed(name string) string {
	if !o.scrub {
		return name
	}
	return wire.Scrub(name, false)
}
