package smt

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/number"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

var (
	_ connector.Transform = (*Cast)(nil)
	_ connector.Validator = (*Cast)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &Cast{part: p} })
	}
}

// Cast converts fields, or the whole key or value, to another type as Java
// does: an integer that is too wide loses its upper bits.
type Cast struct {
	part     part
	whole    connector.Type // 0 where fields are cast
	rewriter rewriter
	cache    schemas
}

// Info describes the plugin.
func (t *Cast) Info() connector.Info {
	return t.part.info("Cast", "cast", "Converts fields, or the whole key or value, to another type.")
}

// ConfigDef gives Kafka's keys.
func (*Cast) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "spec", Type: connector.ListKey, Required: true, Importance: connector.High,
			Check: func(_ string, v any) error {
				list, _ := v.([]string)
				_, err := parseCasts(list)
				return err
			},
			Doc: "List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. " +
				"A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string. " +
				"Note that binary fields can only be cast to string."},
		replaceNullKey, ownSyntaxKey,
	)
}

// fieldCast is the type to cast a field to, or with whole the key or value itself.
type fieldCast struct {
	field string
	whole bool
	to    connector.Type
}

const (
	castOutputs = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"
	castInputs  = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
)

// parseCasts reads field:type entries. As in Java empty parts at the end count for nothing.
func parseCasts(spec []string) ([]fieldCast, error) {
	if len(spec) == 0 {
		return nil, connector.Sentence("Must specify at least one field to cast.")
	}
	var casts []fieldCast
	whole := false
	for _, entry := range spec {
		parts := strings.Split(entry, ":")
		for len(parts) > 1 && parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		if len(parts) > 2 {
			return nil, connector.Sentence(connector.Invalid("renames", spec, "Invalid rename mapping: "+entry))
		}
		c := fieldCast{whole: len(parts) == 1}
		if !c.whole {
			c.field = strings.TrimSpace(parts[0])
		}
		name := strings.TrimSpace(parts[len(parts)-1])
		if c.to = schemaType(name); c.to == 0 {
			return nil, connector.Sentence(connector.Invalid("Invalid type found in casting spec: "+name,
				"java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type."+strings.ToUpper(name), ""))
		}
		if c.to > connector.String {
			return nil, connector.Sentence("Cast transformation does not support casting to " + strings.ToUpper(c.to.String()) +
				"; supported types are " + castOutputs)
		}
		whole = whole || c.whole
		casts = append(casts, c)
	}
	if whole && len(casts) > 1 {
		return nil, connector.Sentence("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec")
	}
	return casts, nil
}

// schemaType finds a type by its name, whatever its case; 0 is none.
func schemaType(name string) connector.Type {
	for t := connector.Int8; t <= connector.Object; t++ {
		if strings.EqualFold(t.String(), name) {
			return t
		}
	}
	return 0
}

// Validate reads the paths.
func (*Cast) Validate(conf connector.Config, p *connector.Problems) {
	casts, err := parseCasts(conf.List("spec"))
	if err != nil {
		return // it was reported
	}
	for _, c := range casts {
		if _, err := parsePath(c.field, nested(conf)); err != nil {
			p.Add("spec", "%s", err)
		}
	}
}

// Configure notes the types.
func (t *Cast) Configure(_ connector.Context, conf connector.Config) error {
	t.rewriter = rewriter{purpose: "cast types", replaceNull: conf.Bool("replace.null.with.default"), whole: true}
	casts, err := parseCasts(conf.List("spec"))
	if err != nil {
		return err
	}
	for _, c := range casts {
		if c.whole {
			t.whole = c.to
			return nil
		}
		p, err := parsePath(c.field, nested(conf))
		if err != nil {
			return err
		}
		t.rewriter.root.at(p).change = change{
			schema: func(s *connector.Schema) (*connector.Schema, error) {
				return castDefault(connector.PrimitiveSchema(c.to), s, c.to)
			},
			value: func(s *connector.Schema, v any) (any, error) { return cast(s, v, c.to) },
		}
	}
	return nil
}

// Apply casts one record's fields; a null key or value stays null.
func (t *Cast) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	if value == nil {
		return r, true, nil
	}
	if t.whole == 0 {
		if schema != nil && schema.Type() != connector.Object {
			return r, false, dataf("Cannot list fields on non-struct type")
		}
		out, err := t.rewriter.rewrite(t.part, r)
		return out, err == nil, err
	}
	var to *connector.Schema
	var err error
	if schema != nil {
		to, err = t.cache.Get(schema, func() (*connector.Schema, error) {
			return castDefault(withBasics(connector.PrimitiveSchema(t.whole), schema), schema, t.whole)
		})
		if err != nil {
			return r, false, err
		}
	}
	v, err := cast(schema, value, t.whole)
	return t.part.with(r, to, v), err == nil, err
}

// withBasics gives a schema what transforms copy from another one.
func withBasics(to, from *connector.Schema) *connector.Schema {
	to = to.WithName(from.Name()).WithVersion(from.Version()).WithDoc(from.Doc())
	for k, v := range from.Parameters() {
		to = to.WithParameter(k, v)
	}
	return to
}

// castDefault makes a schema optional where the old one is and casts its default.
func castDefault(to, from *connector.Schema, typ connector.Type) (*connector.Schema, error) {
	if from.Optional() {
		to = to.AsOptional()
	}
	def, ok := from.Default()
	if !ok || def == nil {
		return to, nil
	}
	v, err := cast(from, def, typ)
	if err != nil {
		return nil, err
	}
	return to.TryDefault(v)
}

// cast gives a value as one of another type; its schema may be nil.
func cast(s *connector.Schema, v any, to connector.Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	from := typeOf(v)
	if s != nil {
		from = s.Type()
	}
	switch {
	case from == 0:
		return nil, dataf("Cast transformation was passed a value of type class %s which is not supported by Connect's data API", tostring.Class(v))
	case from > connector.Bytes:
		return nil, dataf("Cast transformation does not support casting from %s; supported types are %s", strings.ToUpper(from.String()), castInputs)
	case to == connector.String:
		return castText(v), nil
	}
	if at, ok := v.(time.Time); ok && s != nil {
		n, err := values.Encode(s, at)
		if err != nil {
			return nil, err
		}
		if v = n; s.Type() == connector.Int32 {
			v = int32(n)
		}
	}
	switch x := v.(type) {
	case bool:
		if x {
			v = int8(1)
		} else {
			v = int8(0)
		}
	case string:
		return castFromText(x, to)
	}
	out, ok := castNumber(v, to)
	if !ok {
		return nil, dataf("Unexpected type in Cast transformation: class %s", tostring.Class(v))
	}
	return out, nil
}

// typeOf gives the type of a value that has no schema; 0 for logical types and
// what Connect does not know.
func typeOf(v any) connector.Type {
	switch v.(type) {
	case int8:
		return connector.Int8
	case int16:
		return connector.Int16
	case int32:
		return connector.Int32
	case int64:
		return connector.Int64
	case float32:
		return connector.Float32
	case float64:
		return connector.Float64
	case bool:
		return connector.Boolean
	case string:
		return connector.String
	case []byte:
		return connector.Bytes
	case []any:
		return connector.Array
	case map[string]any, map[any]any:
		return connector.Map
	case *connector.Struct:
		return connector.Object
	}
	return 0
}

func castText(v any) string {
	switch x := v.(type) {
	case time.Time:
		return values.FormatTime(x)
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	}
	return tostring.String(v)
}

func castNumber(v any, to connector.Type) (any, bool) {
	switch to {
	case connector.Int64:
		return number.Int64(v)
	case connector.Boolean:
		n, ok := number.Int64(v)
		return n != 0, ok
	case connector.Float32:
		return number.Float32(v)
	case connector.Float64:
		return number.Float64(v)
	}
	n, ok := number.Int32(v)
	switch to {
	case connector.Int8:
		return int8(n), ok
	case connector.Int16:
		return int16(n), ok
	}
	return n, ok
}

var intBits = map[connector.Type]int{connector.Int8: 8, connector.Int16: 16, connector.Int32: 32, connector.Int64: 64}

func castFromText(text string, to connector.Type) (any, error) {
	switch to {
	case connector.Boolean:
		return strings.EqualFold(text, "true"), nil
	case connector.Float32:
		if f, ok := number.ParseFloat(text, 32); ok {
			return float32(f), nil
		}
	case connector.Float64:
		if f, ok := number.ParseFloat(text, 64); ok {
			return f, nil
		}
	default:
		if n, ok := number.ParseInt(text, intBits[to]); ok {
			v, _ := castNumber(n, to)
			return v, nil
		}
	}
	return nil, connector.Data(fmt.Errorf("Value (%s) was out of range for requested data type", text))
}
