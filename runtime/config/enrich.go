package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is the version of the runtime, reported over the REST API and for streams.
const Version = "1.0.0"

// prefixed gives a plugin's keys as they stand in a connector's configuration.
func prefixed(keys []connector.Key, prefix, group string) []connector.Key {
	out := make([]connector.Key, len(keys))
	for i, k := range keys {
		k.Name = prefix + k.Name
		if group != "" {
			k.Group, k.Order = group, 0
		}
		k.Dependents = slices.Clone(k.Dependents)
		for j := range k.Dependents {
			k.Dependents[j] = prefix + k.Dependents[j]
		}
		if recommend := k.Recommend; recommend != nil && prefix != "" {
			k.Recommend = func(values map[string]any) ([]any, bool) {
				own := map[string]any{}
				for name, v := range values {
					if short, ok := strings.CutPrefix(name, prefix); ok {
						own[short] = v
					}
				}
				return recommend(own)
			}
		}
		out[i] = k
	}
	return out
}

// aliasesOf gives the aliases of transforms or predicates, each once.
func (w *work) aliasesOf(key string) []string {
	c := w.check(key)
	if c == nil {
		return nil
	}
	list, _ := c.Value.Value.([]string)
	var once []string
	for _, a := range list {
		if a != "" && !slices.Contains(once, a) {
			once = append(once, a)
		}
	}
	return once
}

// chain adds the keys of every transform or predicate, as Kafka Connect does:
// a group for each, the class first, its own keys by name.
func (w *work) chain(key string, t connector.PluginType) {
	word, title := "transformation", "Transformation"
	if t == connector.PredicateType {
		word, title = "predicate", "Predicate"
	}
	for _, alias := range w.aliasesOf(key) {
		prefix, group := key+"."+alias+".", strings.ToUpper(key[:1])+key[1:]+": "+alias
		head := []connector.Key{
			{Name: prefix + "type", Type: connector.ClassKey, Deferred: true, Required: true, Importance: connector.High, Group: group, Width: "LONG",
				DisplayName: title + " type for " + alias, Doc: fmt.Sprintf("Class for the '%s' %s.", alias, word)},
			{Name: prefix + "plugin.version", Type: connector.StringKey, Check: versionRange, Importance: connector.High, Group: group, Width: "LONG",
				DisplayName: title + " version for " + alias, Doc: fmt.Sprintf("Version of the '%s' %s.", alias, word)},
		}
		w.add(head)
		_, negate := w.props[prefix+"negate"]
		if _, given := w.props.Text(prefix + "predicate"); negate && !given && t == connector.TransformType {
			w.fault(prefix+"type", "Config '%snegate' was provided but there is no config '%spredicate' defining a predicate to be negated.", prefix, prefix)
		}
		plugin, info := w.class(prefix+"type", t)
		if plugin == nil {
			continue
		}
		w.version(prefix+"type", prefix+"plugin.version", info)
		var keys []connector.Key
		w.guarded(plugin, func() { keys = prefixed(plugin.ConfigDef().Keys(), prefix, group) })
		if t == connector.TransformType {
			keys = slices.DeleteFunc(keys, func(k connector.Key) bool { return k.Name == prefix+"predicate" || k.Name == prefix+"negate" })
			keys = append(keys,
				connector.Key{Name: prefix + "predicate", Type: connector.StringKey, Group: group, DisplayName: "predicate",
					Doc: "The alias of a predicate used to determine whether to apply this transformation."},
				connector.Key{Name: prefix + "negate", Type: connector.BooleanKey, Default: false, Group: group, DisplayName: "negate",
					Doc: "Whether the configured predicate should be negated."})
		}
		slices.SortFunc(keys, func(a, b connector.Key) int { return cmp.Compare(a.Name, b.Name) })
		for i := range keys {
			keys[i].Order = len(head) + i
		}
		w.guarded(plugin, func() { w.add(keys) })
		w.across(plugin, prefix)
	}
}

// class looks up the plugin that a class key names, and makes the key's value
// the name by which it is reported.
func (w *work) class(key string, t connector.PluginType) (connector.Plugin, connector.Info) {
	c := w.check(key)
	if c == nil {
		return nil, connector.Info{}
	}
	for _, i := range w.v.Plugins.List(t) {
		c.Value.Recommended = append(c.Value.Recommended, ClassName(i))
	}
	text, given := w.props.Text(key)
	if !given {
		return nil, connector.Info{}
	}
	name, missing := strings.TrimSpace(text), "Class "+text+" could not be found."
	info, known := w.v.Plugins.Lookup(t, name)
	if !known {
		if why := w.v.Plugins.Misfit(t, name); why != "" {
			c.Value.Value = name
			c.Value.Errors = append(c.Value.Errors, why)
			return nil, connector.Info{}
		}
		c.Value.Value = nil
		why := missing
		if other := hint(text); other != "" {
			why += other
		} else if near := NearestPlugin(text, w.v.Plugins.List(t)); near != "" {
			why += " Did you mean " + near + "?"
		}
		c.Value.Errors = append(c.Value.Errors, connector.Invalid(key, text, why))
		return nil, connector.Info{}
	}
	c.Value.Value = ClassName(info)
	plugin, err := w.v.Plugins.New(t, name)
	if err != nil {
		c.Value.Errors = append(c.Value.Errors, err.Error())
		return nil, connector.Info{}
	}
	return plugin, info
}

// references checks what transforms say of predicates.
func (w *work) references() {
	predicates := w.aliasesOf("predicates")
	for _, alias := range w.aliasesOf("transforms") {
		prefix := "transforms." + alias + "."
		name, given := w.props.Text(prefix + "predicate")
		if given && !slices.Contains(predicates, name) {
			w.fault(prefix+"predicate", "%s", connector.Invalid(prefix+"predicate", name, "predicates does not have this alias"+didYouMean(name, predicates)))
		}
	}
}

// converterClass checks a converter key; its default is the worker's.
func (w *work) converterClass(name string) {
	key, t := name+".converter", connector.ConverterType
	if strings.HasSuffix(name, "header") {
		t = connector.HeaderConverterType
	}
	c := w.check(key)
	if c == nil {
		return
	}
	workers := strings.TrimPrefix(key, "input.")
	text, given := w.v.Worker.Text(workers)
	if given {
		c.worker = workers
	} else if k, ok := WorkerDef().Key(workers); ok {
		text, _ = k.Default.(string)
	}
	if info, ok := w.v.Plugins.Lookup(t, text); ok {
		text = ClassName(info)
	}
	c.Def.Default = text
	if _, own := w.props[key]; !own {
		c.Value.Value = text
		for _, i := range w.v.Plugins.List(t) {
			c.Value.Recommended = append(c.Value.Recommended, ClassName(i))
		}
		if info, ok := w.v.Plugins.Lookup(t, text); ok {
			w.offer(key+".plugin.version", info.Version)
			w.workersVersion(workers+".plugin.version", info)
		}
		return
	}
	if _, info := w.class(key, t); info.Version != "" {
		w.version(key, key+".plugin.version", info)
	}
}

// withConverters gives the connector's keys as a plugin may look at them: with the
// worker's converters where it chooses none, and by their class names.
func (w *work) withConverters() connector.Props {
	out := w.props.Clone()
	for _, key := range []string{"key.converter", "value.converter"} {
		if _, own := w.props.Text(key); !own {
			maps.DeleteFunc(out, func(k string, _ any) bool { return strings.HasPrefix(k, key+".") })
			for k, v := range w.v.Worker {
				if k == key || strings.HasPrefix(k, key+".") {
					out[k] = v
				}
			}
		}
		class, _ := out.Text(key)
		if info, ok := w.v.Plugins.Lookup(connector.ConverterType, strings.TrimSpace(class)); ok {
			out[key] = ClassName(info)
		}
	}
	return out
}

// converters adds the keys of the converters that the connector chooses itself.
func (w *work) converters(kind string) {
	names := []string{"key", "value", "header"}
	if kind == "stream" {
		names = append(names, "input.key", "input.value", "input.header")
	}
	for _, name := range names {
		key, t := name+".converter", connector.ConverterType
		if strings.HasSuffix(name, "header") {
			t = connector.HeaderConverterType
		}
		class, own := w.props.Text(key)
		if !own {
			continue
		}
		plugin, err := w.v.Plugins.New(t, strings.TrimSpace(class))
		if err != nil {
			continue // said already
		}
		w.converter(plugin, key+".")
	}
}

// converter adds one converter's keys.
func (w *work) converter(plugin connector.Plugin, prefix string) {
	props := w.props
	w.props = RegistryDefaults(props, w.v.Worker, prefix)
	var keys []connector.Key
	w.guarded(plugin, func() { keys = prefixed(plugin.ConfigDef().Keys(), prefix, "") })
	for i := range keys {
		if keys[i].Name == prefix+"converter.type" {
			keys[i].Required = false // the runtime says what it is used for
		}
	}
	w.guarded(plugin, func() { w.add(keys) })
	w.across(plugin, prefix)
	w.ofTheWorker(props, w.props, prefix)
	w.props = props
}

// RegistryDefaults gives props with the worker's schema.registry.* for a
// converter that names no registry, and with the worker's login at Kafka for one
// that logs in with it. prefix is what stands before its keys.
func RegistryDefaults(props, worker connector.Props, prefix string) connector.Props {
	const jaas = "sasl.jaas.config"
	_, named := props[prefix+"schema.registry.url"]
	source, _ := props.Text(prefix + "basic.auth.credentials.source")
	out := props.Clone()
	for k, v := range worker {
		wanted := strings.HasPrefix(k, "schema.registry.") && !named || k == jaas && source == "SASL_INHERIT"
		if _, own := props[prefix+k]; wanted && !own {
			out[prefix+k] = v
		}
	}
	return out
}
