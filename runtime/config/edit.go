package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Text is the configuration of one connector as people write it: the keys alone, in
// YAML with its comments, or in JSON.
type Text struct {
	JSON bool
	Data string
}

// Read gives the keys, and what is wrong with the text.
func (t Text) Read() (List, []Problem) {
	parse, name := parseYAML, "text"
	if t.JSON {
		parse = parseJSON
	}
	node, err := parse(name, []byte(t.Data))
	var p Problem
	switch {
	case errors.As(err, &p):
		return nil, []Problem{p}
	case err != nil:
		return nil, []Problem{{File: name, Message: err.Error()}}
	case node == nil:
		return nil, nil
	case node.Kind != yaml.MappingNode:
		return nil, []Problem{{File: name, Line: node.Line, Message: "must be keys with values, such as \"connector.class: file-source\""}}
	}
	f := newFlattener(name)
	f.mapping(node, "")
	return f.list, f.errs
}

// errByHand says that a key has to be changed in the text.
var errByHand = errors.New("it is written in a way that only you can change: edit the text")

// Set gives the text with another value of a key, or without it. What else is there
// stays as it is, comments too, where the value is in a line of its own.
func (t Text) Set(key string, value *string) (Text, error) {
	list, problems := t.Read()
	if len(problems) > 0 {
		return t, problems[0]
	}
	want := list.Props()
	if delete(want, key); value != nil {
		want[key] = *value
	}
	if maps.Equal(list.Props(), want) {
		return t, nil
	}
	if t.JSON {
		data, err := json.MarshalIndent(want, "", "  ")
		return Text{JSON: true, Data: string(data) + "\n"}, err
	}
	for _, edit := range []func(Text, string, *string) (string, bool){spliced, quoted, rewritten} {
		if data, ok := edit(t, key, value); ok && (Text{Data: data}).is(want) {
			return Text{Data: data}, nil
		}
	}
	return t, fmt.Errorf("%s: %w", key, errByHand)
}

// is tells whether the text says just this.
func (t Text) is(want connector.Props) bool {
	list, problems := t.Read()
	return len(problems) == 0 && maps.Equal(list.Props(), want)
}

// YAML writes a configuration as text, the name and the class first.
func YAML(props connector.Props) Text {
	root := &yaml.Node{Kind: yaml.MappingNode}
	add := func(k string) {
		v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
		if text, ok := props.Text(k); ok {
			v = &yaml.Node{}
			v.SetString(text)
			if plainly := scalar(text, 0); text != "" && !strings.Contains(text, "\n") && (Text{Data: "k: " + plainly}).is(connector.Props{"k": text}) {
				v = &yaml.Node{Kind: yaml.ScalarNode, Value: text}
			}
		}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k}, v)
	}
	first := []string{"name", "connector.class"}
	for _, k := range first {
		if _, there := props[k]; there {
			add(k)
		}
	}
	for _, k := range sortedKeys(props) {
		if k != first[0] && k != first[1] {
			add(k)
		}
	}
	return Text{Data: encoded(root)}
}

func encoded(n *yaml.Node) string {
	if len(n.Content) == 0 {
		return ""
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	_ = enc.Encode(n) // of texts, into memory
	_ = enc.Close()
	return b.String()
}

// scalar writes a text in a style of YAML.
func scalar(text string, style yaml.Style) string {
	return strings.TrimSuffix(encoded(&yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: text, Style: style}}}), "]\n")[1:]
}

// locate finds a key's pair in the mapping that has it, nil where none has.
func locate(n *yaml.Node, prefix, key string) (of *yaml.Node, i int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		full, v := prefix+n.Content[i].Value, target(n.Content[i+1])
		switch {
		case full == key && v.Kind != yaml.MappingNode:
			return n, i
		case full == key: // a converter with its keys
			return locate(v, "", "class")
		case !strings.HasPrefix(key, full+"."):
		case v.Kind == yaml.MappingNode:
			if of, i := locate(v, full+".", key); of != nil {
				return of, i
			}
		case v.Kind == yaml.SequenceNode:
			if of, i := locateInChain(v, full+".", key); of != nil {
				return of, i
			}
		}
	}
	return nil, 0
}

// locateInChain is locate for a list of transforms or predicates.
func locateInChain(list *yaml.Node, prefix, key string) (of *yaml.Node, i int) {
	for _, item := range list.Content {
		item = target(item)
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 {
			continue
		}
		body := target(item.Content[1])
		if body.Kind != yaml.MappingNode {
			continue
		}
		alias, _, _ := chainNames(body, item.Content[0])
		if inner := prefix + alias + "."; strings.HasPrefix(key, inner) {
			return locate(body, inner, key)
		}
	}
	return nil, 0
}

func spliced(t Text, key string, value *string) (string, bool) { return splice(t, key, value, 0) }

func quoted(t Text, key string, value *string) (string, bool) {
	return splice(t, key, value, yaml.DoubleQuotedStyle)
}

// splice changes the line that has a key, or adds one.
func splice(t Text, key string, value *string, style yaml.Style) (string, bool) {
	root, err := parseYAML("", []byte(t.Data))
	if err != nil || value != nil && strings.Contains(*value, "\n") {
		return "", false
	}
	lines := strings.SplitAfter(t.Data, "\n")
	if root == nil {
		return strings.TrimRight(t.Data, "\n") + "\n"[:min(1, len(strings.TrimSpace(t.Data)))] + key + ": " + scalar(*value, style) + "\n", true
	}
	of, i := locate(root, "", key)
	switch {
	case of == nil && value != nil:
		end := len(lines)
		for end > 0 && strings.TrimSpace(lines[end-1]) == "" {
			end--
		}
		indent := strings.Repeat(" ", max(0, root.Column-1))
		last := strings.TrimRight(lines[end-1], "\r\n") + "\n"
		return strings.Join(lines[:end-1], "") + last + indent + scalar(key, 0) + ": " + scalar(*value, style) + "\n" + strings.Join(lines[end:], ""), true
	case of == nil:
		return "", false
	case value == nil:
		v := of.Content[i+1]
		from := of.Content[i].Line - 1
		to := from + 1
		if oneLine := v.Kind == yaml.ScalarNode && v.Line == from+1; !oneLine && i+2 < len(of.Content) {
			to = of.Content[i+2].Line - 1
		}
		return strings.Join(lines[:from], "") + strings.Join(lines[to:], ""), true
	}
	v := of.Content[i+1]
	line := []rune(lines[v.Line-1])
	if v.Kind != yaml.ScalarNode || v.Column < 1 || v.Column-1 > len(line) {
		return "", false
	}
	head, rest := string(line[:v.Column-1]), string(line[v.Column-1:])
	n := written(v, rest)
	if n < 0 {
		return "", false
	}
	lines[v.Line-1] = head + scalar(*value, style) + rest[n:]
	return strings.Join(lines, ""), true
}

// written is how much of a line a value takes, -1 where it goes on behind it.
func written(v *yaml.Node, rest string) int {
	switch v.Style {
	case yaml.DoubleQuotedStyle:
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '"' {
				return i + 1
			}
		}
	case yaml.SingleQuotedStyle:
		for i := 1; i < len(rest); i++ {
			if rest[i] != '\'' {
				continue
			}
			if i+1 < len(rest) && rest[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	case 0:
		if strings.HasPrefix(rest, v.Value) {
			return len(v.Value)
		}
	}
	return -1
}

// rewritten changes the nodes, and writes them anew: comments stay, blank lines do not.
func rewritten(t Text, key string, value *string) (string, bool) {
	root, err := parseYAML("", []byte(t.Data))
	if err != nil || root == nil {
		return "", false
	}
	of, i := locate(root, "", key)
	switch {
	case of == nil && value == nil:
		return "", false
	case of == nil:
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, new(yaml.Node))
		of, i = root, len(root.Content)-2
	case value == nil:
		of.Content = append(of.Content[:i:i], of.Content[i+2:]...)
		return encoded(root), true
	}
	v := &yaml.Node{LineComment: of.Content[i+1].LineComment}
	v.SetString(*value)
	of.Content[i+1] = v
	return encoded(root), true
}
