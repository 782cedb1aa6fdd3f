// Package example is a transform. It adds a field that says whether a number is above
// a limit: Apply is where yours computes.
package example

import (
	"context"
	"fmt"
	"maps"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Transform = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform compares a field with a limit.
type Transform struct {
	field string
	limit float64
}

// Info names the plugin: type: example
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "example", Version: "0.1.0", Doc: "Adds the field above: whether a number is above a limit."}
}

// ConfigDef gives the keys; the worker checks them and reports every mistake at once.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "field", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Doc: "The number that is compared."},
		connector.Key{Name: "limit", Type: connector.DoubleKey, Default: 0.0, Doc: "What it is compared with."},
	)
}

// Configure takes the keys.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.field, t.limit = conf.String("field"), conf.Float64("limit")
	return nil
}

// Apply gives a record with the field more, and leaves the one that it was given as it
// is. An error that is not marked is the record's: it becomes a dead letter where the
// connector has a topic for them.
func (t *Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Value == nil {
		return r, true, nil // a tombstone
	}
	value, ok := r.Value.(map[string]any)
	if !ok {
		return r, false, fmt.Errorf("value: want an object without a schema, not %T: set schemas.enable: false of the JSON converter", r.Value)
	}
	var number float64
	switch n := value[t.field].(type) {
	case int64:
		number = float64(n)
	case float64:
		number = n
	default:
		return r, false, fmt.Errorf("field %s: want a number, not %T", t.field, n)
	}
	value = maps.Clone(value)
	value["above"] = number > t.limit
	r.Value = value
	return r, true, nil
}
