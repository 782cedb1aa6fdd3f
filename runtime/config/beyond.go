package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// What the definitions of single keys do not see.

// across asks a plugin what is wrong across its keys.
func (w *work) across(p connector.Plugin, prefix string) {
	validator, ok := p.(connector.Validator)
	if !ok {
		return
	}
	sub := w.props.WithPrefix(prefix)
	if prefix == "" {
		sub = w.withConverters()
	}
	found := new(connector.Problems)
	w.guarded(p, func() {
		conf, _ := p.ConfigDef().Check(sub)
		validator.Validate(conf, found)
	})
	for _, x := range found.List() {
		w.fault(strings.TrimSuffix(prefix+x.Key, "."), "%s", x.Message)
	}
}

// guarded asks a plugin something; its panic is a problem like any other.
func (w *work) guarded(p connector.Plugin, ask func()) {
	defer func() {
		if v := recover(); v != nil {
			w.fault("", "%s: the plugin panicked while it was validated: %v", p.Info().Name, v)
		}
	}()
	ask()
}

// name checks what definitions do not see of the connector's name: the spaces
// around it are part of it.
func (w *work) name() {
	name, _ := w.props.Text("name")
	if c := w.check("name"); len(c.Value.Errors) > 0 || name == strings.TrimSpace(name) {
		return
	}
	if err := connectorName("name", name); err != nil {
		w.fault("name", "Invalid value %s for configuration name: %v", name, err)
	}
}

// nulls refuses each key that is there with null, whatever its definition makes
// of it: to a definition null is a value, and a key that none has goes unseen.
func (w *work) nulls() {
	for _, key := range slices.Sorted(maps.Keys(w.raw)) {
		if w.raw[key] != nil {
			continue
		}
		if c := w.check(key); c != nil {
			c.Value.Errors = nil
		}
		w.fault(key, "Null value can not be supplied as the configuration value.")
	}
}
