package connector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// PluginType says what a plugin is; the texts are those of Connect's REST API.
type PluginType string

// The plugin types.
const (
	SourceType          PluginType = "source"
	SinkType            PluginType = "sink"
	TransformType       PluginType = "transformation"
	PredicateType       PluginType = "predicate"
	ConverterType       PluginType = "converter"
	HeaderConverterType PluginType = "header_converter"
)

// Registry holds the plugins of a worker by type and name. The package's
// Register functions fill [Plugins]; tests make their own.
type Registry struct {
	mu      sync.RWMutex
	entries map[PluginType][]*entry
}

type entry struct {
	info  Info
	make  func() Plugin
	names []string // all of the plugin
	short []string // of its classes
}

// Plugins is the registry of the process, filled by plugins' init functions.
var Plugins = new(Registry)

// RegisterSource adds a source to [Plugins].
func RegisterSource(f func() Source) { Plugins.Add(SourceType, func() Plugin { return f() }) }

// RegisterSink adds a sink to [Plugins].
func RegisterSink(f func() Sink) { Plugins.Add(SinkType, func() Plugin { return f() }) }

// RegisterTransform adds a transform to [Plugins].
func RegisterTransform(f func() Transform) { Plugins.Add(TransformType, func() Plugin { return f() }) }

// RegisterPredicate adds a predicate to [Plugins].
func RegisterPredicate(f func() Predicate) { Plugins.Add(PredicateType, func() Plugin { return f() }) }

// RegisterConverter adds a converter to [Plugins].
func RegisterConverter(f func() Converter) { Plugins.Add(ConverterType, func() Plugin { return f() }) }

// RegisterHeaderConverter adds a header converter to [Plugins].
func RegisterHeaderConverter(f func() HeaderConverter) {
	Plugins.Add(HeaderConverterType, func() Plugin { return f() })
}

// Add adds a plugin's constructor. It panics when a name or alias is taken by
// another plugin of the type: that is a mistake in the program.
func (r *Registry) Add(t PluginType, f func() Plugin) {
	info := f().Info()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[PluginType][]*entry{}
	}
	e := newEntry(info, f)
	for _, name := range e.names {
		for _, other := range r.entries[t] {
			if slices.Contains(other.names, name) {
				panic(fmt.Sprintf("connector: %s %s is registered twice", t, name))
			}
		}
	}
	r.entries[t] = append(r.entries[t], e)
}

// newEntry notes all names of a plugin, which are looked up often. As in Kafka Connect
// a class can be named by its simple name too, with or without the last word that its
// type gives it.
func newEntry(info Info, f func() Plugin) *entry {
	e := &entry{info: info, make: f}
	for _, n := range slices.Concat([]string{info.Name, info.Class}, info.Aliases) {
		if n != "" && !slices.Contains(e.names, n) {
			e.names = append(e.names, n)
			e.short = append(e.short, simpleNames(n)...)
		}
	}
	return e
}

// simpleNames gives the short forms of a Java class name: its last part, and
// that without a closing Connector, Converter, ... .
func simpleNames(class string) []string {
	i := strings.LastIndexByte(class, '.')
	if i < 0 {
		return nil
	}
	simple := class[i+1:]
	names := []string{simple}
	for _, suffix := range []string{"Connector", "Converter", "Transformation", "Predicate"} {
		if short, ok := strings.CutSuffix(simple, suffix); ok && short != "" {
			names = append(names, short)
		}
	}
	return names
}

func (r *Registry) find(t PluginType, name string) *entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, e := range r.entries[t] {
		if slices.Contains(e.names, name) {
			return e
		}
	}
	// A short form counts only when it names one plugin.
	var found *entry
	for _, e := range r.entries[t] {
		if slices.Contains(e.short, name) {
			if found != nil {
				return nil
			}
			found = e
		}
	}
	return found
}

// New makes a plugin of a type by name, alias or short class name. The error
// lists the names there are.
func (r *Registry) New(t PluginType, name string) (Plugin, error) {
	e := r.find(t, name)
	if e == nil {
		var known []string
		for _, i := range r.List(t) {
			known = append(known, i.Name)
		}
		return nil, fmt.Errorf("%s %q is not known, there are %s", t, name, strings.Join(known, ", "))
	}
	return e.make(), nil
}

// Lookup gives a plugin's description by any of its names.
func (r *Registry) Lookup(t PluginType, name string) (Info, bool) {
	e := r.find(t, name)
	if e == nil {
		return Info{}, false
	}
	return e.info, true
}

// List gives the descriptions of a type's plugins, sorted by name.
func (r *Registry) List(t PluginType) []Info {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []Info
	for _, e := range r.entries[t] {
		list = append(list, e.info)
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
