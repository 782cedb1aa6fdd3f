package avro

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// FromConnect gives the Avro schema of a Connect schema as Confluent's AvroData
// makes it. The same schema gives the same text.
func FromConnect(s *connector.Schema, o Options) (string, error) {
	if s == nil {
		return "", connector.Coded("H3010", connector.Data(fmt.Errorf("the value has no schema and Avro needs one: take a converter that reads a schema, or name a registered one with subject and use.latest.version")))
	}
	g := generator{Options: o, named: map[string]*connector.Schema{}}
	avro, err := g.schema(s)
	if err != nil {
		return "", connector.Data(fmt.Errorf("schema %s: %w", s.Name(), err))
	}
	return string(avro), nil
}

// generator writes one schema's JSON.
type generator struct {
	Options
	named   map[string]*connector.Schema // by full name
	unnamed []*connector.Schema
}

// object is a JSON object in the order that it is built.
type object struct {
	bytes.Buffer
	err error // the first of put
}

func (o *object) put(key string, value any) {
	text, err := json.Marshal(value)
	if err != nil && o.err == nil {
		o.err = err
	}
	if o.Len() > 0 {
		o.WriteByte(',')
	}
	fmt.Fprintf(o, "%q:", key)
	o.Write(text)
}

func (o *object) json() (json.RawMessage, error) {
	return json.RawMessage("{" + o.String() + "}"), o.err
}

// schema gives the JSON of a schema, with null where it is optional.
func (g *generator) schema(s *connector.Schema) (json.RawMessage, error) {
	if s == nil {
		return nil, fmt.Errorf("a part has no schema")
	}
	if s.Type() == connector.Object && isUnion(s) {
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
		o.put("type", "int")
	case connector.Int64:
		o.put("type", "long")
	case connector.Float32:
		o.put("type", "float")
	case connector.Float64:
		o.put("type", "double")
	case connector.Boolean:
		o.put("type", "boolean")
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
	o.put("type", "array")
	o.put("items", items)
	return nil
}

// mapping writes a map, as an array of entries where the keys are not strings.
func (g *generator) mapping(o *object, s *connector.Schema) error {
	if s.Key() != nil && s.Key().Type() == connector.String && (!s.Key().Optional() || g.OptionalKeys) {
		values, err := g.schema(s.Elem())
		if err != nil {
			return fmt.Errorf("values: %w", err)
		}
		o.put("type", "map")
		o.put("values", values)
		return nil
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
	param := g.enumParameter()
	name, isEnum := s.Parameter(param)
	if !isEnum || !g.Enhanced && !g.Generalized {
		o.put("type", "string")
		return g.finish(&o, s)
	}
	if g.seen(name, s) {
		return json.Marshal(g.fullName(name))
	}
	places := map[string]int{} // of the symbols, where the parameters say them
	for k, v := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(k, param+"."); ok {
			places[symbol], _ = strconv.Atoi(v)
		}
	}
	symbols := slices.SortedFunc(maps.Keys(places), func(a, b string) int { // Connect's parameters have no order
		return cmp.Or(places[a]-places[b], strings.Compare(a, b))
	})
	if err := g.head(&o, "enum", name, s); err != nil {
		return nil, err
	}
	o.put("symbols", symbols)
	return g.finish(&o, s)
}

// bytes writes bytes, or the fixed that they were.
func (g *generator) bytes(s *connector.Schema) (json.RawMessage, error) {
	var o object
	size, isFixed := s.Parameter(sizeParam)
	name := s.Name()
	if isFixed && g.Enhanced && name != "" && name != connector.DecimalName {
		if g.seen(name, s) {
			return json.Marshal(g.fullName(name))
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %q is not an integer", sizeParam, size)
		}
		if err := g.head(&o, "fixed", name, s); err != nil {
			return nil, err
		}
		o.put("size", n)
		return g.finish(&o, s)
	}
	o.put("type", "bytes")
	return g.finish(&o, s)
}

// head writes type, name and namespace.
func (g *generator) head(o *object, kind, name string, s *connector.Schema) error {
	name = g.fullName(name)
	simple, namespace := name, ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		namespace, simple = name[:i], name[i+1:]
	}
	for _, part := range strings.Split(name, ".") {
		if !validName.MatchString(part) {
			return fmt.Errorf("%q is not a name in Avro: letters, digits and _ only, no digit first; rename it with the transform SetSchemaMetadata, or set scrub.invalid.names", name)
		}
	}
	g.named[name] = s
	o.put("type", kind)
	o.put("name", simple)
	if namespace != "" {
		o.put("namespace", namespace)
	}
	return nil
}

// fullName gives the name of a type as Avro has it.
func (g *generator) fullName(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = g.scrub(p)
	}
	return strings.Join(parts, ".")
}

var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// seen tells whether a named type was written before. A default and null do not
// belong to the type.
func (g *generator) seen(name string, s *connector.Schema) bool {
	before, ok := g.named[g.fullName(name)]
	return ok && before.WithoutDefault().AsRequired().Equal(s.WithoutDefault().AsRequired())
}

func (g *generator) record(s *connector.Schema) (json.RawMessage, error) {
	name := s.Name()
	if name == "" {
		name = g.unnamedRecord(s)
	}
	if g.seen(name, s) {
		return json.Marshal(g.fullName(name))
	}
	if _, taken := g.named[g.fullName(name)]; taken {
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
	o.put("fields", fields)
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
	name := g.scrub(f.Name)
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("not a name in Avro (letters, digits and _ only, no digit first): rename it with the transform ReplaceField, or set scrub.invalid.names")
	}
	part, err := g.schema(f.Schema)
	if err != nil {
		return nil, err
	}
	var o object
	o.put("name", name)
	o.put("type", part)
	if g.FieldsOnly && f.Schema.Doc() != "" {
		o.put("doc", f.Schema.Doc())
	}
	switch def, ok := f.Schema.Default(); {
	case ok && def != nil:
		v, err := defaultJSON(f.Schema, def)
		if err != nil {
			return nil, fmt.Errorf("default: %w", err)
		}
		o.put("default", v)
	case f.Schema.Optional():
		o.put("default", nil)
	}
	return o.json()
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
	switch s.Name() {
	case connector.DecimalName:
		if err := decimalProps(o, s); err != nil {
			return nil, err
		}
	case connector.DateName:
		o.put("logicalType", date)
	case connector.TimeName:
		o.put("logicalType", timeMillis)
	case connector.TimestampName:
		o.put("logicalType", timestampMillis)
	}
	if o.Len() == bare && s.Type().Primitive() {
		if name, ok := strings.CutPrefix(o.String(), `"type":`); ok && !strings.Contains(name, ",") {
			return json.RawMessage(name), o.err
		}
	}
	return o.json()
}

func (g *generator) metadata(o *object, s *connector.Schema) error {
	if s.Doc() != "" && !g.FieldsOnly {
		o.put(propDoc, s.Doc())
	}
	if s.Version() != 0 {
		o.put(propVersion, s.Version())
	}
	params := s.Parameters()
	maps.DeleteFunc(params, func(k, _ string) bool {
		enum := g.enumParameter()
		return g.Enhanced && k == sizeParam || (g.Enhanced || g.Generalized) && (k == enum || strings.HasPrefix(k, enum+"."))
	})
	if len(params) > 0 {
		o.put(propParams, params)
	}
	if def, ok := s.Default(); ok && def != nil && !g.FieldsOnly {
		v, err := defaultJSON(s, def)
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		o.put(propDefault, v)
	}
	if s.Name() != "" {
		o.put(propName, s.Name())
	}
	if t := s.Type(); t == connector.Int8 || t == connector.Int16 {
		o.put(propType, t.String())
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
	o.put("logicalType", decimal)
	o.put("precision", precision)
	o.put("scale", scale)
	return nil
}
