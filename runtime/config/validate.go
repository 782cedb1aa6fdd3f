package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// StreamClass is the connector.class of a stream.
const StreamClass = "stream"

// Validator checks whole connectors: the framework's keys, the plugin's, and
// those of every transform, predicate and converter. Command line, REST API and
// start-up all use it.
type Validator struct {
	Plugins  *connector.Registry
	Worker   connector.Props
	Written  connector.Props // the worker's as they were written, with their references
	Resolver *Resolver       // nil where references are not replaced
}

// Check is one key of a report: its definition and what is said of its value.
type Check struct {
	Def    connector.Key
	Value  connector.Value
	hidden bool   // the value comes out of a reference, which is shown instead
	raw    string // that reference
	worker string // the worker's key that gives the value, empty for none
}

// Text gives the value as the REST API shows it: secrets hidden, references
// as they were written.
func (c Check) Text() (string, bool) {
	if c.hidden {
		return c.raw, true
	}
	return connector.FormatValue(c.Value.Value)
}

// Report is everything that is to be said of a connector's configuration.
type Report struct {
	Kind   string // source, sink or stream; empty where the class is not known
	Info   connector.Info
	Groups []string
	Checks []Check
	// Unresolved are the keys whose references have no value here.
	Unresolved []string
	// problems of no key in particular
	loose []connector.Problem

	from       Origin
	written    connector.Props
	resolved   connector.Props   // the configuration with its references replaced
	references map[string]string // what each of them stood for
	unresolved *connector.Problems
	ttl        time.Duration
}

// Errors counts what is wrong.
func (r *Report) Errors() int {
	n := len(r.loose)
	for _, c := range r.Checks {
		n += len(c.Value.Errors)
	}
	return n
}

// TTL tells how long what the references stand for is believed, 0 for without end.
func (r *Report) TTL() time.Duration { return r.ttl }

// Problems gives everything that is wrong, in the order of the keys.
func (r *Report) Problems() []connector.Problem {
	var list []connector.Problem
	for _, c := range r.Checks {
		for _, e := range c.Value.Errors {
			list = append(list, connector.Problem{Key: c.Def.Name, Message: e})
		}
	}
	return append(list, r.loose...)
}

// Paths gives the keys whose values are paths of files or folders.
func (r *Report) Paths() []string {
	var keys []string
	for _, c := range r.Checks {
		if c.Def.Path {
			keys = append(keys, c.Def.Name)
		}
	}
	return keys
}

// paths gives the paths in the text of a key: several where it is a list.
func (r *Report) paths(key, text string) []string {
	for _, c := range r.Checks {
		if c.Def.Name != key || c.Def.Type != connector.ListKey {
			continue
		}
		list := strings.Split(text, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return list
	}
	return []string{strings.TrimSpace(text)}
}

// invalidError says everything that is wrong with a connector's configuration.
type invalidError struct{ Problems []connector.Problem }

// Error gives Kafka Connect's text.
func (e *invalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Connector configuration is invalid and contains the following %d error(s):", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n" + p.Message)
	}
	b.WriteString("\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`")
	return b.String()
}

// Err gives an [invalidError], nil where nothing is wrong.
func (r *Report) Err() error {
	if list := r.Problems(); len(list) > 0 {
		return connector.Coded("H1009", &invalidError{Problems: list})
	}
	return nil
}

// classError says that a configuration names no connector, or none there is.
type classError struct{ Text string }

// Error gives the text.
func (e *classError) Error() string { return e.Text }

// Kind gives what a connector's class is, with its description.
func (v *Validator) Kind(class string) (kind string, info connector.Info, err error) {
	class = strings.TrimSpace(class)
	if strings.EqualFold(class, StreamClass) {
		return "stream", connector.Info{Name: StreamClass, Version: Version, Doc: "Reads topics, transforms records and writes them to a topic."}, nil
	}
	if info, ok := v.Plugins.Lookup(connector.SourceType, class); ok {
		return "source", info, nil
	}
	if info, ok := v.Plugins.Lookup(connector.SinkType, class); ok {
		return "sink", info, nil
	}
	known := []string{StreamClass}
	for _, t := range []connector.PluginType{connector.SinkType, connector.SourceType} {
		for _, i := range v.Plugins.List(t) {
			known = append(known, ClassName(i))
		}
	}
	return "", connector.Info{}, &classError{fmt.Sprintf(
		"Failed to find any class that implements Connector and which name matches %s, available connectors are: %s", class, strings.Join(known, ", "))}
}

// ClassName gives the name of a plugin that the REST API reports.
func ClassName(i connector.Info) string {
	if i.Class != "" {
		return i.Class
	}
	return i.Name
}

// Plugin makes the plugin of a source or sink, nil for a stream.
func (v *Validator) plugin(kind, class string) (connector.Plugin, error) {
	switch kind {
	case "source":
		return v.Plugins.New(connector.SourceType, strings.TrimSpace(class))
	case "sink":
		return v.Plugins.New(connector.SinkType, strings.TrimSpace(class))
	}
	return nil, nil
}

// Validate checks a connector. The error is a [classError]; the report then
// holds what can be said of the framework's keys all the same.
func (v *Validator) Validate(props connector.Props, from Origin) (*Report, error) {
	w, err := v.definitions(props, from)
	w.references()
	w.name()
	w.nulls()
	w.finish()
	return w.report, err
}

// definitions says what the definitions of all keys have against a connector,
// which is what Kafka Connect's own do. To them null is a value, and what a
// transform says of a predicate is looked at when the task starts.
func (v *Validator) definitions(props connector.Props, from Origin) (*work, error) {
	r := &Report{from: from, written: props, resolved: props, unresolved: new(connector.Problems)}
	if v.Resolver != nil {
		r.resolved, r.references, r.unresolved = v.Resolver.resolve(props, from)
		r.ttl = v.Resolver.ttl(r.references)
		for _, x := range r.unresolved.List() {
			r.Unresolved = append(r.Unresolved, x.Key)
		}
	}
	w := &work{v: v, raw: props, props: r.resolved, report: r}
	class, given := w.props.Text("connector.class")
	var err error
	if !given || strings.TrimSpace(class) == "" {
		err = &classError{"Connector config " + javaMap(props) + " contains no connector type"}
	} else {
		w.report.Kind, w.report.Info, err = v.Kind(class)
	}
	kind := w.report.Kind
	if kind == "" {
		kind = "source"
	}
	w.framework(kind)
	w.chain("transforms", connector.TransformType)
	w.chain("predicates", connector.PredicateType)
	if plugin, perr := v.plugin(w.report.Kind, class); plugin != nil && perr == nil {
		w.guarded(plugin, func() { w.add(prefixed(plugin.ConfigDef().Keys(), "", "")) })
		w.across(plugin, "")
	}
	w.converters(kind)
	w.topicCreation(kind)
	w.overrides()
	return w, err
}

// Resolve gives the configuration of a connector that was validated as its
// tasks get it: references replaced, relative paths made absolute. The error
// names every key whose reference has no value.
func (v *Validator) Resolve(r *Report) (connector.Props, error) {
	if v.Resolver == nil {
		return r.resolved, nil
	}
	if err := r.unresolved.Err(); err != nil {
		return nil, err
	}
	out := r.resolved.Clone()
	return out, v.absolute(r, out)
}

// absolute makes relative paths in props start from where the connector's do.
func (v *Validator) absolute(r *Report, props connector.Props) error {
	for _, key := range r.Paths() {
		text, ok := props.Text(key)
		if !ok {
			continue
		}
		list := r.paths(key, text)
		for i, path := range list {
			var err error
			if list[i], err = v.Resolver.Path(path, r.from); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		props[key] = strings.Join(list, ",")
	}
	return nil
}

// work is one validation under way.
type work struct {
	v          *Validator
	raw, props connector.Props
	report     *Report
}

// check gives the report's check of a key, nil without one.
func (w *work) check(key string) *Check {
	for i := range w.report.Checks {
		if w.report.Checks[i].Def.Name == key {
			return &w.report.Checks[i]
		}
	}
	return nil
}

// fault adds an error to a key.
func (w *work) fault(key, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c := w.check(key); c != nil {
		c.Value.Errors = append(c.Value.Errors, text)
		return
	}
	w.report.loose = append(w.report.loose, connector.Problem{Key: key, Message: text})
}

// add validates a definition and adds its keys. Keys that are there already
// are not added again.
func (w *work) add(keys []connector.Key) {
	def := connector.NewConfigDef(keys...)
	for i, val := range def.Validate(w.props) {
		if w.check(val.Key) == nil {
			w.report.Checks = append(w.report.Checks, Check{Def: def.Keys()[i], Value: val})
		}
	}
}

func (w *work) framework(kind string) {
	var keys []connector.Key
	for _, k := range Def(kind).Keys() {
		if _, given := w.props[k.Name]; Ours(kind, k.Name) && !given {
			continue
		}
		keys = append(keys, k)
	}
	w.add(keys)
	if w.report.Info.Version != "" {
		w.version("connector.class", "connector.plugin.version", w.report.Info)
	}
	for _, name := range []string{"key", "value", "header", "input.key", "input.value", "input.header"} {
		w.converterClass(name)
	}
	if kind != "source" {
		w.topics(kind)
	}
}

func (w *work) topics(kind string) {
	topics, regex := w.check("topics"), w.check("topics.regex")
	list, _ := topics.Value.Value.([]string)
	pattern, _ := regex.Value.Value.(string)
	both := func(text string) {
		topics.Value.Errors = append(topics.Value.Errors, text)
		regex.Value.Errors = append(regex.Value.Errors, text)
	}
	switch {
	case len(list) == 0 && pattern == "":
		both("Must configure one of topics or topics.regex")
	case len(list) > 0 && pattern != "":
		both("topics and topics.regex are mutually exclusive options, but both are set.")
	}
	if letters, _ := w.check("errors.deadletterqueue.topic.name").Value.Value.(string); letters != "" {
		if slices.Contains(list, letters) {
			w.fault("topics", "The DLQ topic '%s' may not be included in the list of topics ('topics=[%s]') consumed by the connector", letters, strings.Join(list, ", "))
		}
		if matches(pattern, letters) {
			w.fault("topics.regex", "The DLQ topic '%s' may not be matched by the regex for the topics ('topics.regex=%s') consumed by the connector", letters, pattern)
		}
	}
	if kind != "stream" {
		return
	}
	if out, _ := w.check("topic").Value.Value.(string); out != "" && (slices.Contains(list, out) || matches(pattern, out)) {
		w.fault("topic", "Invalid value %s for configuration topic: it is one of the topics that are read, so that records would go in a circle", out)
	}
}

func matches(pattern, topic string) bool {
	if pattern == "" {
		return false
	}
	re, err := regex.Compile(pattern)
	if err != nil {
		return false
	}
	ok, err := re.MatchAll(topic)
	return err == nil && ok
}

// finish hides what references stand for and lists the groups.
func (w *work) finish() {
	for i := range w.report.Checks {
		c := &w.report.Checks[i]
		key := c.Def.Name
		raw, _ := w.raw[key].(string)
		value, _ := w.props[key].(string)
		if raw != value {
			c.hidden, c.raw = true, raw
			for j, e := range c.Value.Errors {
				if value != "" {
					c.Value.Errors[j] = strings.ReplaceAll(e, value, raw)
				}
			}
		}
		for _, x := range w.report.unresolved.List() {
			if x.Key == key {
				c.hidden, c.raw, c.Value.Errors = true, raw, []string{x.Message}
			}
		}
		if g := c.Def.Group; g != "" && !slices.Contains(w.report.Groups, g) {
			w.report.Groups = append(w.report.Groups, g)
		}
	}
	for _, x := range w.report.unresolved.List() {
		if w.check(x.Key) == nil {
			w.report.loose = append(w.report.loose, x)
		}
	}
}

// javaMap writes a configuration as Java prints the HashMap that it is there,
// in the order of its buckets. What may be a secret is hidden.
func javaMap(p connector.Props) string {
	keys := sortedKeys(p)
	size := uint32(1)
	for size < uint32(float64(len(keys))/0.75+1) {
		size *= 2
	}
	bucket := func(s string) uint32 {
		var h uint32
		for _, r := range s {
			h = 31*h + uint32(r)
		}
		return (h ^ h>>16) & (size - 1)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return int(bucket(a)) - int(bucket(b)) })
	parts := make([]string, len(keys))
	for i, k := range keys {
		text, ok := p.Text(k)
		switch {
		case !ok:
			text = "null"
		case SecretName(k):
			text = Hidden
		}
		parts[i] = k + "=" + text
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
