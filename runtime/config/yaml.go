package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads one YAML document as nodes. An empty one gives nil.
func parseYAML(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxProblem(file, data)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, Problem{File: file, Line: second.Line, Message: "begins another document; use one file for each"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(file, data)
	}
	return doc.Content[0], nil
}

// maxDepth bounds nesting, which YAML's aliases could make endless.
const maxDepth = 50

// flattener turns nodes into a flat list: "a: {b: c}" is "a.b=c".
type flattener struct {
	file   string
	list   List
	places map[string]int // line of each key
	errs   []Problem
	depth  int
	merged bool // keys that are there already win over a merged mapping's
}

func newFlattener(file string) *flattener {
	return &flattener{file: file, places: map[string]int{}}
}

func (f *flattener) fail(n *yaml.Node, key, format string, args ...any) {
	f.errs = append(f.errs, Problem{File: f.file, Line: n.Line, Key: key, Message: fmt.Sprintf(format, args...)})
}

func (f *flattener) add(n *yaml.Node, key, text string, null bool) {
	if line, twice := f.places[key]; twice {
		if !f.merged {
			f.fail(n, key, "is set twice, first in line %d", line)
		}
		return
	}
	f.places[key] = n.Line
	f.list = append(f.list, Entry{Key: key, Text: text, Null: null, File: f.file, Line: n.Line})
}

// pairs calls visit for each key of a mapping, those of merged mappings last.
func (f *flattener) pairs(n *yaml.Node, visit func(key, value *yaml.Node)) {
	if f.depth++; f.depth > maxDepth {
		f.fail(n, "", "is nested more than %d deep", maxDepth)
	} else {
		var merges []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], target(n.Content[i+1])
			if k.Tag == "!!merge" {
				merges = append(merges, v)
				continue
			}
			visit(target(k), v)
		}
		was := f.merged
		f.merged = true
		for _, m := range merges {
			if m.Kind == yaml.SequenceNode {
				for _, part := range m.Content {
					f.pairs(target(part), visit)
				}
				continue
			}
			f.pairs(m, visit)
		}
		f.merged = was
	}
	f.depth--
}

// target follows a YAML alias.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// mapping flattens the keys of a mapping below prefix, "" or ending in a dot.
func (f *flattener) mapping(n *yaml.Node, prefix string) {
	f.pairs(n, func(k, v *yaml.Node) {
		if k.Kind != yaml.ScalarNode {
			f.fail(k, strings.TrimSuffix(prefix, "."), "a key must be plain text")
			return
		}
		key := prefix + k.Value
		if key == "transforms" || key == "predicates" {
			if v.Kind == yaml.SequenceNode {
				f.chain(v, key, n)
				return
			}
			if v.Kind == yaml.MappingNode {
				f.fail(k, key, "must be a list, each with its keys, such as \"- %s: {...}\"", example(key))
				return
			}
		}
		f.value(k, v, key)
	})
}

// value flattens one value. A converter's class stands beside its keys:
// "value.converter: {class: avro, subject: s}" is "value.converter=avro" and
// "value.converter.subject=s".
func (f *flattener) value(k, v *yaml.Node, key string) {
	switch v.Kind {
	case yaml.ScalarNode:
		at := *v
		at.Line = k.Line
		f.add(&at, key, v.Value, v.Tag == "!!null")
	case yaml.MappingNode:
		if key != "converter" && !strings.HasSuffix(key, ".converter") {
			f.mapping(v, key+".")
			return
		}
		rest := *v
		rest.Content = nil
		for i := 0; i+1 < len(v.Content); i += 2 {
			if v.Content[i].Value == "class" {
				f.value(v.Content[i], target(v.Content[i+1]), key)
				continue
			}
			rest.Content = append(rest.Content, v.Content[i], v.Content[i+1])
		}
		f.mapping(&rest, key+".")
	case yaml.SequenceNode:
		texts := make([]string, len(v.Content))
		for i, item := range v.Content {
			item = target(item)
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				f.fail(item, key, "an entry of this list must be plain text")
				return
			}
			if strings.Contains(item.Value, ",") {
				f.fail(item, key, "%q: an entry of a list cannot hold a comma", item.Value)
				return
			}
			texts[i] = item.Value
		}
		f.add(k, key, strings.Join(texts, ","), false)
	}
}

// chain flattens an ordered list of transforms or predicates:
// "- classify: {model: m}" gives the alias classify with
// "transforms.classify.type=classify" and "transforms.classify.model=m". With
// name: the alias is that; with type: the item's own key is the alias, and
// name: is left to the plugin. Plain texts whose types are set elsewhere are
// aliases, as in Kafka Connect.
func (f *flattener) chain(n *yaml.Node, key string, parent *yaml.Node) {
	var names []string
	var later []func()
	for _, item := range n.Content {
		item = target(item)
		typ, body := item, (*yaml.Node)(nil)
		switch {
		case item.Kind == yaml.ScalarNode && item.Tag != "!!null":
			if hasKey(parent, key+"."+item.Value+".type") || hasKey(parent, key+"."+item.Value) {
				names = append(names, item.Value)
				continue
			}
		case item.Kind == yaml.MappingNode && len(item.Content) == 2 && item.Content[0].Kind == yaml.ScalarNode:
			typ, body = item.Content[0], target(item.Content[1])
		default:
			f.fail(item, key, "an item must be one type with its keys, such as \"- %s: {...}\"", example(key))
			continue
		}
		alias, class, used := shortName(typ.Value), typ, ""
		if body != nil && body.Kind == yaml.MappingNode {
			alias, class, used = chainNames(body, typ)
		} else if body != nil && (body.Kind != yaml.ScalarNode || body.Tag != "!!null") {
			f.fail(body, key+"."+typ.Value, "wants its keys as a mapping, such as {} for none")
			continue
		}
		if slices.Contains(names, alias) {
			f.fail(item, key, "%s is there twice: give one a name of its own with \"name: ...\"", alias)
			continue
		}
		names = append(names, alias)
		prefix := key + "." + alias + "."
		later = append(later, func() {
			f.add(class, prefix+"type", class.Value, false)
			if body != nil {
				f.mapping(without(body, used), prefix)
			}
		})
	}
	f.add(n, key, strings.Join(names, ","), false)
	for _, add := range later {
		add()
	}
}

func example(key string) string {
	if key == "predicates" {
		return "tombstone"
	}
	return "classify"
}

// chainNames gives alias and type of an item with keys, and the keys that said
// so. Where there is a type:, a name: is a key of the plugin.
func chainNames(body, typ *yaml.Node) (alias string, class *yaml.Node, used string) {
	for _, used := range []string{"type", "name"} {
		for i := 0; i+1 < len(body.Content); i += 2 {
			if v := target(body.Content[i+1]); body.Content[i].Value == used {
				if used == "type" {
					return typ.Value, v, used
				}
				return v.Value, typ, used
			}
		}
	}
	return shortName(typ.Value), typ, ""
}

func without(n *yaml.Node, name string) *yaml.Node {
	rest := *n
	rest.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != name {
			rest.Content = append(rest.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &rest
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// shortName gives the last part of a Java class name.
func shortName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
