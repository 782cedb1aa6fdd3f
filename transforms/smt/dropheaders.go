package smt

import (
	"context"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Transform = (*DropHeaders)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(DropHeaders) }) }

// DropHeaders removes headers by their names.
type DropHeaders struct {
	names []string
}

// Info describes the plugin.
func (*DropHeaders) Info() connector.Info {
	return connector.Info{Name: "drop-headers", Version: Version, Class: javaPackage + "DropHeaders", Doc: "Removes headers."}
}

// ConfigDef gives Kafka's key.
func (*DropHeaders) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "headers", Type: connector.ListKey, Required: true, Importance: connector.High,
		Distinct: true, Check: connector.Distinct(false, false), Doc: "The name of the headers to be removed."})
}

// Configure notes the names.
func (t *DropHeaders) Configure(_ connector.Context, conf connector.Config) error {
	t.names = conf.List("headers")
	return nil
}

// Apply removes the headers of one record.
func (t *DropHeaders) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	dropped := func(h connector.Header) bool { return slices.Contains(t.names, h.Key) }
	if slices.ContainsFunc(r.Headers, dropped) {
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), dropped)
	}
	return r, true, nil
}
