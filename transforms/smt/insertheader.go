package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

var _ connector.Transform = (*InsertHeader)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(InsertHeader) }) }

// InsertHeader adds a header to each record.
type InsertHeader struct {
	name  string
	value values.Pair
}

// Info describes the plugin.
func (*InsertHeader) Info() connector.Info {
	return connector.Info{Name: "insert-header", Version: Version, Class: javaPackage + "InsertHeader", Doc: "Adds a header to each record."}
}

// ConfigDef gives Kafka's keys.
func (*InsertHeader) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "header", Type: connector.StringKey, Required: true, Importance: connector.High, Check: connector.NotNull,
			Doc: "The name of the header."},
		connector.Key{Name: "value.literal", Type: connector.StringKey, Required: true, Importance: connector.High, Check: connector.NotNull,
			Doc: "The literal value that is to be set as the header value on all records."},
	)
}

// Configure guesses what the literal means: 12 is a number.
func (t *InsertHeader) Configure(_ connector.Context, conf connector.Config) error {
	t.name, t.value = conf.String("header"), values.Parse(conf.String("value.literal"))
	return nil
}

// Apply adds the header to one record.
func (t *InsertHeader) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	r.Headers = r.Headers.With(t.name, t.value.Schema, t.value.Value)
	return r, true, nil
}
