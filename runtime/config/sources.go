package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Sourced is a value of a connector as it may be seen, and where it comes from.
type Sourced struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// From says what has set it: file and line, --set, a request, the worker's key, or
	// the default; and which config providers its references ask.
	From string `json:"from"`
	// Set is that the connector's own configuration has it.
	Set bool `json:"set"`
}

// Sources says where each value of a connector comes from: what its configuration sets,
// by key, then what it has from the worker or by default. entries are what the worker's
// files and flags say of it, none where it was made by a request.
func (v *Validator) Sources(props connector.Props, entries List) []Sourced {
	asWritten := Validator{Plugins: v.Plugins, Worker: v.Worker}
	r, _ := asWritten.Validate(props, Origin{}) // what is wrong with it is said elsewhere
	secrets := v.Secrets(props)
	list := []Sourced{}
	for _, key := range sortedKeys(props) {
		value, ok := props.Text(key)
		from := "a request"
		if e, there := entries.Find(key); there && e.Text == value {
			from = e.Place()
		}
		if !ok {
			value = "null"
		}
		for _, name := range v.providersOf(value) {
			from += ", by the config provider " + name
		}
		list = append(list, Sourced{Key: key, Value: secrets.Show(key, value), From: from, Set: true})
	}
	for _, c := range r.Checks {
		value, ok := c.Text()
		if _, own := props[c.Def.Name]; own || !ok || value == "" {
			continue
		}
		from := "default"
		if c.worker != "" {
			from = fmt.Sprintf("the worker's %s", c.worker)
		}
		list = append(list, Sourced{Key: c.Def.Name, Value: secrets.Show(c.Def.Name, value), From: from})
	}
	return list
}

// providersOf gives the names of the config providers that the references of a text ask.
func (v *Validator) providersOf(text string) []string {
	var names []string
	if v.Resolver == nil {
		return nil
	}
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if _, there := v.Resolver.providers[m[1]]; there {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ofTheWorker takes note of those keys that a configuration does not set and the
// worker's lays under it, below a prefix.
func (w *work) ofTheWorker(own, with connector.Props, prefix string) {
	for i := range w.report.Checks {
		c := &w.report.Checks[i]
		key, below := strings.CutPrefix(c.Def.Name, prefix)
		_, set := own[c.Def.Name]
		if _, laid := with[c.Def.Name]; below && laid && !set {
			c.worker = key
		}
	}
}
