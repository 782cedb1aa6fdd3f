package connector

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// javaClasses are the public classes of java.lang and java.util, sorted, a name
// a line, from JDK 17.
//
//go:embed javaclasses.txt
var javaClasses string

var javaClassList = sync.OnceValue(func() []string { return strings.Fields(javaClasses) })

// abstractClasses are the interfaces of Connect's plugins.
var abstractClasses = []string{
	"org.apache.kafka.connect.connector.Connector",
	"org.apache.kafka.connect.sink.SinkConnector",
	"org.apache.kafka.connect.source.SourceConnector",
	"org.apache.kafka.connect.storage.Converter",
	"org.apache.kafka.connect.storage.HeaderConverter",
	"org.apache.kafka.connect.transforms.Transformation",
	"org.apache.kafka.connect.transforms.predicates.Predicate",
}

// pluginTypes are all types, in the order in which a name is looked for.
var pluginTypes = []PluginType{SourceType, SinkType, TransformType, PredicateType, ConverterType, HeaderConverterType}

// isClass tells whether a name is that of a plugin of any type, or of a class
// that Java would find too. There is nothing behind the latter: that it is no
// plugin is what there is to say of it, not that it is missing.
func (r *Registry) isClass(name string) bool {
	return r.classOf(name) != "" || r.abstract(name)
}

// classOf gives the whole name of a class that a name stands for, "" for none.
func (r *Registry) classOf(name string) string {
	for _, t := range pluginTypes {
		if i, ok := r.Lookup(t, name); ok {
			return cmp.Or(i.Class, i.Name)
		}
	}
	if _, there := slices.BinarySearch(javaClassList(), name); there {
		return name
	}
	return ""
}

// abstract tells whether a name is that of one of Connect's interfaces, or of
// the class that two transforms, one for keys and one for values, share.
func (r *Registry) abstract(name string) bool {
	return slices.Contains(abstractClasses, name) || len(r.halves(name)) > 0
}

// halves gives the class names of the plugins that are nested in a class.
func (r *Registry) halves(class string) []string {
	var nested []string
	for _, t := range pluginTypes {
		for _, i := range r.List(t) {
			if strings.HasPrefix(i.Class, class+"$") {
				nested = append(nested, i.Class)
			}
		}
	}
	slices.Sort(nested)
	return nested
}

// kindNames are Java's names of the interfaces, by the type of the plugin.
var kindNames = map[PluginType]string{TransformType: "Transformation", PredicateType: "Predicate", ConverterType: "Converter", HeaderConverterType: "HeaderConverter"}

// Misfit says why a name is no plugin of a type although it is the name of a
// class, in Kafka Connect's words; "" where there is no such class.
func (r *Registry) Misfit(t PluginType, name string) string {
	if r.abstract(name) {
		text := "This class is abstract and cannot be created."
		if nested := r.halves(name); len(nested) > 0 {
			text += " Did you mean " + strings.Join(nested, ", ") + "?"
		}
		return text
	}
	if class := r.classOf(name); class != "" {
		return "Class class " + class + " does not implement the " + kindNames[t] + " interface"
	}
	return ""
}
