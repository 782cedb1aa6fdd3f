package ifcbstats

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// Version is what the transform reports.
const Version = "1.0.0"

// KeySchema is the schema of the keys: one record per ROI.
var KeySchema = connector.StructOf("ifcb.stats.key",
	connector.F("pid", connector.StringSchema.WithDoc("Name of the bin, such as D20190728T212639_IFCB104.")),
	connector.F("roi", connector.Int32Schema.WithDoc("Number of the image in its bin.")),
)

// ValueSchema is the schema of the values. The four real numbers are 32-bit
// floats, as in the original's Avro schema: they round what is computed in 64.
var ValueSchema = connector.StructOf("ifcb.stats.value",
	connector.F("time", connector.Int32Schema.WithDoc("When the sample was taken, seconds since 1970 UTC.")),
	connector.F("ifcb_id", connector.StringSchema.WithDoc("Instrument, such as IFCB104.")),
	connector.F("roi", connector.Int32Schema.WithDoc("Number of the image in its bin.")),
	connector.F("name", connector.StringSchema.WithDoc("Class of the particle.")),
	connector.F("classifier", connector.StringSchema.WithDoc("Model and version that classified the image.")),
	connector.F("prob", connector.Float32Schema.WithDoc("Probability of the class, 0 to 1.")),
	connector.F("classification_time", connector.Int32Schema.WithDoc("When the image was classified, seconds since 1970 UTC.")),
	connector.F("biovolume", connector.Float32Schema.WithDoc("Biovolume, um^3.")),
	connector.F("carbon", connector.Float32Schema.WithDoc("Carbon content, pg C.")),
	connector.F("hab", connector.BooleanSchema.WithDoc("Whether the class is a harmful alga.")),
)

// scoresSchema is the schema of a model's scores by class.
var scoresSchema = connector.MapOf(connector.StringSchema, connector.Float32Schema)

var _ connector.Transform = (*Transform)(nil)
var _ connector.Validator = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform picks the ten fields of a classified and measured image, of the
// schema'd form or the original's JSON (where the time is called datetime and
// the bin's name is in the key), and makes the key.
type Transform struct {
	key     *connector.Schema
	more    []string                               // fields behind the ten
	schemas fields.Cache[shape, *connector.Schema] // of values with further fields
}

// shape is what the schema of the statistics depends on: the schema of a record, or the types of the further fields of
// one without.
type shape struct {
	schema *connector.Schema // by identity
	types  string            // a byte each
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "ifcb-stats", Version: Version, Doc: "Gives classified images the ten fields and the key of the statistics."}
}

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "fields", Type: connector.ListKey, Default: "",
			Doc: "Further fields of the record that follow the ten, such as pid and url, which lead to the image at its dashboard, or model_digest or scores of transform classify. They need a subject of their own, without use.latest.version."},
		connector.Key{Name: "key.fields", Type: connector.ListKey, Default: "pid,roi", Check: checkKey,
			Doc: "Fields of the key: pid, roi and any of the ten. With the policy per-model of transform keep-best it is pid,roi,classifier, so that a compacted topic keeps each model's classification."},
	)
}

// Validate finds fields that are there already.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	list := conf.List("fields")
	for i, f := range list {
		if _, ours := ValueSchema.Field(f); ours || f == "" || slices.Contains(list[:i], f) {
			p.Add("fields", "%s", connector.Invalid("fields", list, fmt.Sprintf("%q is empty, one of the ten or there twice", f)))
			return
		}
	}
}

func checkKey(_ string, v any) error {
	list, _ := v.([]string)
	if len(list) == 0 {
		return fmt.Errorf("it names no field")
	}
	for i, f := range list {
		if _, ours := ValueSchema.Field(f); !ours && f != "pid" || slices.Contains(list[:i], f) {
			return fmt.Errorf("%q is neither pid nor one of the ten fields, or there twice", f)
		}
	}
	return nil
}

// Configure takes the settings.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) (err error) {
	t.more, t.schemas = conf.List("fields"), fields.Cache[shape, *connector.Schema]{}
	t.key, err = keySchema(conf.List("key.fields"))
	return connector.Fatal(err)
}

// keySchema gives the schema of a key of these fields.
func keySchema(names []string) (*connector.Schema, error) {
	if slices.Equal(names, []string{"pid", "roi"}) {
		return KeySchema, nil
	}
	var list []connector.Field
	for _, name := range names {
		f, ok := KeySchema.Field(name)
		if !ok {
			f, _ = ValueSchema.Field(name)
		}
		list = append(list, connector.F(name, f.Schema))
	}
	return connector.NewStructSchema(KeySchema.Name(), list)
}

// Apply makes the statistics record of one image. A field that is missing, null
// or of another type is an error that names it and the transform that makes it.
func (t *Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	in, err := fields.Of(r.Value)
	if err != nil {
		return r, false, connector.Data(err)
	}
	ten := ValueSchema.Fields()
	values := make([]any, len(ten), len(ten)+len(t.more))
	for i, f := range ten {
		v := in.Get(f.Name)
		if v == nil && f.Name == "time" {
			v = in.Get("datetime")
		}
		if values[i], err = fit(f, v); err != nil {
			return r, false, connector.Data(err)
		}
	}
	pid, err := binOf(in.Get("pid"), r.Key)
	if err != nil {
		return r, false, connector.Data(err)
	}
	for _, name := range t.more {
		v := in.Get(name)
		if v == nil && name == "pid" {
			v = pid
		}
		values = append(values, v)
	}
	schema, err := t.schemaFor(r.Value, values[len(ten):])
	if err != nil {
		return r, false, connector.Data(err)
	}
	key := make([]any, len(t.key.Fields()))
	for i, k := range t.key.Fields() {
		if key[i] = pid; k.Name != "pid" {
			f, _ := ValueSchema.Field(k.Name)
			key[i] = values[f.Index]
		}
	}
	r.KeySchema, r.Key = t.key, connector.StructFrom(t.key, key)
	r.ValueSchema, r.Value = schema, connector.StructFrom(schema, values)
	return r, true, nil
}

// schemaFor gives the schema of a record's statistics with these further values. The records of a topic share it.
func (t *Transform) schemaFor(value any, more []any) (*connector.Schema, error) {
	if len(more) == 0 {
		return ValueSchema, nil
	}
	var of shape
	schemas := make([]*connector.Schema, len(more))
	if s, ok := value.(*connector.Struct); ok {
		of.schema = s.Schema()
		for i, name := range t.more {
			f, ok := s.Schema().Field(name)
			if !ok {
				return nil, fmt.Errorf("field %s is missing", name)
			}
			schemas[i] = f.Schema
		}
	} else {
		types := make([]byte, len(more))
		for i, v := range more {
			var err error
			if schemas[i], err = schemaOf(t.more[i], v); err != nil {
				return nil, err
			}
			types[i] = byte(schemas[i].Type())
		}
		of.types = string(types)
	}
	return t.schemas.Get(of, func() (*connector.Schema, error) {
		list := slices.Clone(ValueSchema.Fields())
		for i, name := range t.more {
			list = append(list, connector.F(name, schemas[i]))
		}
		return ValueSchema.WithFields(list)
	})
}

// schemaOf gives the schema of a further field of a record without schema: what its value tells, one for each type.
func schemaOf(name string, v any) (*connector.Schema, error) {
	switch v.(type) {
	case string:
		return connector.StringSchema, nil
	case bool:
		return connector.BooleanSchema, nil
	case int32:
		return connector.Int32Schema, nil
	case int64:
		return connector.Int64Schema, nil
	case float32:
		return connector.Float32Schema, nil
	case float64:
		return connector.Float64Schema, nil
	case map[string]any:
		return scoresSchema, nil
	case nil:
		return nil, fmt.Errorf("field %s is missing or null", name)
	}
	return nil, fmt.Errorf("field %s: a %T in a record without schema cannot be kept", name, v)
}

// madeBy names the transform that a missing field is from.
var madeBy = map[string]string{
	"name": "classify", "prob": "classify", "classifier": "classify", "classification_time": "classify",
	"biovolume": "biovolume", "carbon": "carbon", "hab": "carbon",
}

func fit(f connector.Field, v any) (any, error) {
	if v == nil {
		if t := madeBy[f.Name]; t != "" {
			return nil, fmt.Errorf("field %s is missing or null: transform %s gives it, and must come before ifcb-stats", f.Name, t)
		}
		return nil, fmt.Errorf("field %s is missing or null", f.Name)
	}
	switch f.Schema.Type() {
	case connector.Int32:
		if n, ok := fields.Int64(v); ok {
			if n < math.MinInt32 || n > math.MaxInt32 {
				return nil, fmt.Errorf("field %s: %d does not fit 32 bits", f.Name, n)
			}
			return int32(n), nil
		}
	case connector.Float32:
		switch x := v.(type) {
		case float64:
			if math.IsNaN(x) || math.Abs(x) > math.MaxFloat32 {
				return nil, fmt.Errorf("field %s: %g is not a finite 32-bit number", f.Name, x)
			}
			return float32(x), nil
		case float32:
			return x, nil
		}
	case connector.String:
		if s, ok := v.(string); ok {
			return s, nil
		}
	case connector.Boolean:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	}
	return nil, fmt.Errorf("field %s: expected %s, got %T", f.Name, f.Schema.Type(), v)
}

// binOf gives the bin's name: the field pid, or the key without its ROI number.
func binOf(pid, key any) (string, error) {
	if s, ok := pid.(string); ok && s != "" {
		return s, nil
	}
	if s, ok := key.(string); ok {
		if i := strings.LastIndexByte(s, '_'); i > 0 && i < len(s)-1 && strings.Trim(s[i+1:], "0123456789") == "" {
			return s[:i], nil
		}
		return "", fmt.Errorf("key %q is not a bin and an ROI number such as D20190728T212639_IFCB104_00002", s)
	}
	return "", fmt.Errorf("field pid is missing, and the key is a %T, not the name of an image", key)
}
