package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// registered is a converter that asks a registry; only its keys are looked at.
type registered struct{ connector.Converter }

func (registered) Info() connector.Info { return connector.Info{Name: "registered"} }

func (registered) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "schema.registry.url", Type: connector.ListKey}, connector.Key{Name: "depth", Type: connector.IntKey, Default: int32(3)})
}

// TestSources says of each value what has set it, and shows no secret.
func TestSources(t *testing.T) {
	t.Setenv("SOURCES_TEST", "s3cret")
	plugins := new(connector.Registry)
	plugins.Add(connector.ConverterType, func() connector.Plugin { return registered{} })
	resolver, err := NewResolver(connector.Props{})
	if err != nil {
		t.Fatal(err)
	}
	v := &Validator{Plugins: plugins, Resolver: resolver, Worker: connector.Props{"key.converter": "registered", "schema.registry.url": "http://anna:hush@w:1", "group.id": "g"}}
	props := connector.Props{"connector.class": "stream", "topics": "a", "topic": "${env:SOURCES_TEST}", "tasks.max": "2", "value.converter": "registered", "x.password": "hush"}
	entries := List{{Key: "topics", Text: "a", File: "flow.yaml", Line: 7}, {Key: "topic", Text: "${env:SOURCES_TEST}", File: "flow.yaml", Line: 8},
		{Key: "tasks.max", Text: "2", File: "--set"}, {Key: "value.converter", Text: "another", File: "flow.yaml", Line: 9}}
	got := map[string]Sourced{}
	for _, s := range v.Sources(props, entries) {
		got[s.Key] = s
	}
	for _, want := range []Sourced{
		{"connector.class", "stream", "a request", true},
		{"topics", "a", "flow.yaml:7", true},
		{"topic", "${env:SOURCES_TEST}", "flow.yaml:8, by the config provider env", true},
		{"tasks.max", "2", "--set", true},
		{"value.converter", "registered", "a request", true}, // the file says something else
		{"x.password", Hidden, "a request", true},
		{"key.converter", "registered", "the worker's key.converter", false},
		{"value.converter.schema.registry.url", "http://anna:" + Hidden + "@w:1", "the worker's schema.registry.url", false},
		{"value.converter.depth", "3", "default", false},
		{"errors.tolerance", "none", "default", false},
	} {
		if d := cmp.Diff(want, got[want.Key]); d != "" {
			t.Errorf("%s: %s", want.Key, d)
		}
	}
	if s, there := got["group.id"]; there {
		t.Errorf("a key of the worker alone: %+v", s)
	}
}
