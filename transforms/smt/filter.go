package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Transform = (*Filter)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Filter) }) }

// Filter drops every record: a predicate says which ones it sees.
type Filter struct{}

// Info describes the plugin.
func (*Filter) Info() connector.Info {
	return connector.Info{Name: "filter", Version: Version, Class: javaPackage + "Filter",
		Doc: "Drops the records that its predicate lets through to it."}
}

// ConfigDef has no keys.
func (*Filter) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

// Configure has nothing to do.
func (*Filter) Configure(connector.Context, connector.Config) error { return nil }

// Apply drops the record.
func (*Filter) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	return r, false, nil
}
