package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// FromOptions refine FromConnect.
type FromOptions struct {
	// Enhanced writes strings that were enums and bytes that were fixed as such
	// again: Confluent's enhanced.avro.schema.support.
	Enhanced bool
	// NoMetadata leaves the connect.* properties out: connect.meta.data=false.
	NoMetadata bool
}

// FromConnect gives the Avro schema of a Connect schema as Confluent's AvroData
// makes it. The same schema gives the same text.
func FromConnect(s *connector.Schema, o FromOptions) (string, error) {
	if s == nil {
		return "", connector.Data(fmt.Errorf("the value has no schema and Avro needs one: take a converter that reads a schema, or name a registered one with subject and use.latest.version"))
	}
	g := generator{FromOptions: o, named: map[string]*connector.Schema{}}
	avro, err := g.schema(s)
	if err != nil {
		return "", connector.Data(fmt.Errorf("schema %s: %w", s.Name(), err))
	}
	return string(avro), nil
}

// generator writes one schema's JSON.
type generator struct {
	FromOptions
	named   map[string]*connector.Schema // by full name
	unnamed []*connector.Schema
}

// object is a JSON object in the order that it is built.
type object struct{ bytes.Buffer }

func (o *object) put(key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if o.Len() > 0 {
		o.WriteByte(',')
	}
	fmt.Fprintf(o, "%q:", key)
	o.Write(text)
	return nil
}

func (o *object) json() json.RawMessage {
	return json.RawMessage("{" + o.String() + "}")
}

// schema gives the JSON of a schema, with null where it is optional.
func (g *generator) schema(s *connector.Schema) (json.RawMessage, error) {
	if s == nil {
		return nil, fmt.Errorf("a part has no schema")
	}
	if s.Type() == connector.Object && s.Name() == unionName {
		return g.union(s)
	}
	base, err := g.base(s)
	if err != nil || !s.Optional() {
		return base, err
	}
	if def, ok := s.Default(); ok && def != nil {
		return json.RawMessage("[" + string(base) + `,"null"]`), nil
	}
	return json.RawMessage(`["null",` + string(base) + "]"), nil
}

func (g *generator) union(s *connector.Schema) (json.RawMessage, error) {
	var branches []string
	if s.Optional() {
		branches = append(branches, `"null"`)
	}
	for _, f := range s.Fields() {
		b, err := g.schema(f.Schema.AsRequired())
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		branches = append(branches, string(b))
	}
	return json.RawMessage("[" + strings.Join(branches, ",") + "]"), nil
}

// base gives the JSON of a schema without regard to null.
func (g *generator) base(s *connector.Schema) (json.RawMessage, error) {
	var o object
	var err error
	switch s.Type() {
	case connector.Int8, connector.Int16, connector.Int32:
		err = o.put("type", "int")
	case connector.Int64:
		err = o.put("type", "long")
	case connector.Float32:
		err = o.put("type", "float")
	case connector.Float64:
		err = o.put("type", "double")
	case connector.Boolean:
		err = o.put("type", "boolean")
	case connector.String:
		return g.text(s)
	case connector.Bytes:
		return g.bytes(s)
	case connector.Array:
		err = g.array(&o, s.Elem())
	case connector.Map:
		err = g.mapping(&o, s)
	case connector.Object:
		return g.record(s)
	}
	if err != nil {
		return nil, err
	}
	return g.finish(&o, s)
}

func (g *generator) array(o *object, elem *connector.Schema) error {
	items, err := g.schema(elem)
	if err != nil {
		return fmt.Errorf("elements: %w", err)
	}
	if err := o.put("type", "array"); err != nil {
		return err
	}
	return o.put("items", items)
}

// mapping writes a map, as an array of entries where the keys are not strings.
func (g *generator) mapping(o *object, s *connector.Schema) error {
	if s.Key() != nil && s.Key().Type() == connector.String && !s.Key().Optional() {
		values, err := g.schema(s.Elem())
		if err != nil {
			return fmt.Errorf("values: %w", err)
		}
		if err := o.put("type", "map"); err != nil {
			return err
		}
		return o.put("values", values)
	}
	entry, err := connector.NewStructSchema(mapEntryName, []connector.Field{connector.F("key", s.Key()), connector.F("value", s.Elem())})
	if err != nil {
		return err
	}
	return g.array(o, entry)
}

// text writes a string, or the enum that it was.
func (g *generator) text(s *connector.Schema) (json.RawMessage, error) {
	var o object
	name, isEnum := s.Parameter(enumParameter)
	if !isEnum || !g.Enhanced {
		if err := o.put("type", "string"); err != nil {
			return nil, err
		}
		return g.finish(&o, s)
	}
	if g.seen(name, s) {
		return json.Marshal(name)
	}
	var symbols []string
	for k := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(k, enumParameter+"."); ok {
			symbols = append(symbols, symbol)
		}
	}
	slices.Sort(symbols) // Connect's parameters have no order
	if err := g.head(&o, "enum", name, s); err != nil {
		return nil, err
	}
	if err := o.put("symbols", symbols); err != nil {
		return nil, err
	}
	return g.finish(&o, s)
}

// bytes writes bytes, or the fixed that they were.
func (g *generator) bytes(s *connector.Schema) (json.RawMessage, error) {
	var o object
	size, isFixed := s.Parameter(sizeParam)
	name := s.Name()
	if isFixed && g.Enhanced && name != "" && name != connector.DecimalName {
		if g.seen(name, s) {
			return json.Marshal(name)
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %q is not an integer", sizeParam, size)
		}
		if err := g.head(&o, "fixed", name, s); err != nil {
			return nil, err
		}
		if err := o.put("size", n); err != nil {
			return nil, err
		}
		return g.finish(&o, s)
	}
	if err := o.put("type", "bytes"); err != nil {
		return nil, err
	}
	return g.finish(&o, s)
}

// head writes type, name and namespace.
func (g *generator) head(o *object, kind, name string, s *connector.Schema) error {
	simple, namespace := name, ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		namespace, simple = name[:i], name[i+1:]
	}
	for _, part := range strings.Split(name, ".") {
		if !validName.MatchString(part) {
			return fmt.Errorf("%q is not a name in Avro: letters, digits and _ only, no digit first; rename it with the transform SetSchemaMetadata", name)
		}
	}
	g.named[name] = s
	if err := o.put("type", kind); err != nil {
		return err
	}
	if err := o.put("name", simple); err != nil || namespace == "" {
		return err
	}
	return o.put("namespace", namespace)
}

var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// seen tells whether a named type was written before. A default and null do not
// belong to the type.
func (g *generator) seen(name string, s *connector.Schema) bool {
	before, ok := g.named[name]
	return ok && before.WithoutDefault().AsRequired().Equal(s.WithoutDefault().AsRequired())
}

func (g *generator) record(s *connector.Schema) (json.RawMessage, error) {
	name := s.Name()
	if name == "" {
		name = g.unnamedRecord(s)
	}
	if g.seen(name, s) {
		return json.Marshal(name)
	}
	if _, taken := g.named[name]; taken {
		return nil, fmt.Errorf("two different structs are both called %s: rename one with the transform SetSchemaMetadata", name)
	}
	var o object
	if err := g.head(&o, "record", name, s); err != nil {
		return nil, err
	}
	fields := make([]json.RawMessage, len(s.Fields()))
	for i, f := range s.Fields() {
		var err error
		if fields[i], err = g.field(f); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	if err := o.put("fields", fields); err != nil {
		return nil, err
	}
	return g.finish(&o, s)
}

// unnamedRecord gives ConnectDefault, ConnectDefault2, ...: one per schema.
func (g *generator) unnamedRecord(s *connector.Schema) string {
	n := slices.IndexFunc(g.unnamed, func(u *connector.Schema) bool {
		return u.WithoutDefault().AsRequired().Equal(s.WithoutDefault().AsRequired())
	})
	if n < 0 {
		n = len(g.unnamed)
		g.unnamed = append(g.unnamed, s)
	}
	name := confluent + "." + defaultName
	if n > 0 {
		name += strconv.Itoa(n + 1)
	}
	return name
}

func (g *generator) field(f connector.Field) (json.RawMessage, error) {
	if !validName.MatchString(f.Name) {
		return nil, fmt.Errorf("not a name in Avro (letters, digits and _ only, no digit first): rename it with the transform ReplaceField")
	}
	part, err := g.schema(f.Schema)
	if err != nil {
		return nil, err
	}
	var o object
	if err := o.put("name", f.Name); err != nil {
		return nil, err
	}
	if err := o.put("type", part); err != nil {
		return nil, err
	}
	switch def, ok := f.Schema.Default(); {
	case ok && def != nil:
		v, err := defaultJSON(f.Schema, def)
		if err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		if err := o.put("default", v); err != nil {
			return nil, err
		}
	case f.Schema.Optional():
		if err := o.put("default", nil); err != nil {
			return nil, err
		}
	}
	return o.json(), nil
}

// finish adds Connect's attributes and the logical type. A type without any is
// its bare name.
func (g *generator) finish(o *object, s *connector.Schema) (json.RawMessage, error) {
	bare := o.Len()
	if !g.NoMetadata {
		if err := g.metadata(o, s); err != nil {
			return nil, err
		}
	}
	var err error
	switch s.Name() {
	case connector.DecimalName:
		err = decimalProps(o, s)
	case connector.DateName:
		err = o.put("logicalType", date)
	case connector.TimeName:
		err = o.put("logicalType", timeMillis)
	case connector.TimestampName:
		err = o.put("logicalType", timestampMillis)
	}
	if err != nil {
		return nil, err
	}
	if o.Len() == bare && s.Type().Primitive() {
		if name, ok := strings.CutPrefix(o.String(), `"type":`); ok && !strings.Contains(name, ",") {
			return json.RawMessage(name), nil
		}
	}
	return o.json(), nil
}

func (g *generator) metadata(o *object, s *connector.Schema) error {
	if s.Doc() != "" {
		if err := o.put(propDoc, s.Doc()); err != nil {
			return err
		}
	}
	if s.Version() != 0 {
		if err := o.put(propVersion, s.Version()); err != nil {
			return err
		}
	}
	params := s.Parameters()
	maps.DeleteFunc(params, func(k, _ string) bool {
		return g.Enhanced && (k == enumParameter || strings.HasPrefix(k, enumParameter+".") || k == sizeParam)
	})
	if len(params) > 0 {
		if err := o.put(propParams, params); err != nil {
			return err
		}
	}
	if def, ok := s.Default(); ok && def != nil {
		v, err := defaultJSON(s, def)
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		if err := o.put(propDefault, v); err != nil {
			return err
		}
	}
	if s.Name() != "" {
		if err := o.put(propName, s.Name()); err != nil {
			return err
		}
	}
	if t := s.Type(); t == connector.Int8 || t == connector.Int16 {
		return o.put(propType, t.String())
	}
	return nil
}

func decimalProps(o *object, s *connector.Schema) error {
	scale, err := connector.DecimalScale(s)
	if err != nil {
		return err
	}
	precision := defaultPrecision
	if text, ok := s.Parameter(precisionParam); ok {
		if precision, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("parameter %s: %q is not an integer", precisionParam, text)
		}
	}
	for _, p := range []struct {
		key   string
		value any
	}{{"logicalType", decimal}, {"precision", precision}, {"scale", scale}} {
		if err := o.put(p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}
