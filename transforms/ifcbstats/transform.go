package ifcbstats

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
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

var _ connector.Transform = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform picks the ten fields of a classified and measured image, of the
// schema'd form or the original's JSON (where the time is called datetime and
// the bin's name is in the key), and makes the key.
type Transform struct{}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "ifcb-stats", Version: Version, Doc: "Gives classified images the ten fields and the key of the statistics."}
}

// ConfigDef has no keys.
func (*Transform) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

// Configure has nothing to do.
func (*Transform) Configure(connector.Context, connector.Config) error { return nil }

// Apply makes the statistics record of one image. A field that is missing, null
// or of another type is an error that names it and the transform that makes it.
func (*Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	in, err := fieldsOf(r.Value)
	if err != nil {
		return r, false, connector.Data(err)
	}
	values := make([]any, len(ValueSchema.Fields()))
	for i, f := range ValueSchema.Fields() {
		v := in(f.Name)
		if v == nil && f.Name == "time" {
			v = in("datetime")
		}
		if values[i], err = fit(f, v); err != nil {
			return r, false, connector.Data(err)
		}
	}
	pid, err := binOf(in("pid"), r.Key)
	if err != nil {
		return r, false, connector.Data(err)
	}
	roi, _ := ValueSchema.Field("roi")
	r.KeySchema, r.Key = KeySchema, connector.StructFrom(KeySchema, []any{pid, values[roi.Index]})
	r.ValueSchema, r.Value = ValueSchema, connector.StructFrom(ValueSchema, values)
	return r, true, nil
}

// fieldsOf gives access to a value's fields by name; what is missing is nil.
func fieldsOf(value any) (func(string) any, error) {
	switch x := value.(type) {
	case *connector.Struct:
		return func(name string) any { v, _ := x.Get(name); return v }, nil
	case map[string]any:
		return func(name string) any { return x[name] }, nil
	case nil:
		return nil, fmt.Errorf("value is null, expected a classified image")
	}
	return nil, fmt.Errorf("value is a %T, expected a struct or map of a classified image", value)
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
		if n, ok := integer(v); ok {
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

func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	}
	return 0, false
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
