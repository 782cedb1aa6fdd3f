package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Section is where a file has a connector's keys.
type Section struct {
	Text
	Line   int // the first one, from 1
	before string
	after  string
	indent string
	file   string
	name   string
	data   []byte
}

// FindSection finds a connector in the YAML of a file. The error says why its keys
// cannot be taken out of it and put back.
func FindSection(file string, data []byte, name string) (*Section, error) {
	if ext := strings.ToLower(filepath.Ext(file)); ext != ".yaml" && ext != ".yml" {
		return nil, fmt.Errorf("%s: only YAML is written from here", file)
	}
	root, err := parseYAML(file, data)
	if err != nil {
		return nil, err
	}
	s := &Section{file: file, name: name, data: data}
	lines := strings.SplitAfter(string(data), "\n")
	from, to := 0, len(lines)
	all := (*yaml.Node)(nil)
	if root != nil && root.Kind == yaml.MappingNode {
		all = child(root, "connectors")
	}
	if all != nil {
		i := slices.IndexFunc(all.Content, func(n *yaml.Node) bool { return n.Value == name })
		if i < 0 || i%2 != 0 {
			return nil, fmt.Errorf("%s: it has no connector %s", file, name)
		}
		body := all.Content[i+1]
		if body.Kind != yaml.MappingNode || body.Style&yaml.FlowStyle != 0 || len(body.Content) == 0 || body.Content[0].Line == all.Content[i].Line {
			return nil, fmt.Errorf("%s: %s has its keys in one line", file, name)
		}
		s.indent = strings.Repeat(" ", body.Content[0].Column-1)
		from = all.Content[i].Line
		for to = from; to < len(lines) && (strings.TrimSpace(lines[to]) == "" || strings.HasPrefix(lines[to], s.indent)); to++ {
		}
		for to > from && strings.TrimSpace(lines[to-1]) == "" {
			to-- // what is between this one and the next
		}
	}
	s.Line, s.before, s.after = from+1, strings.Join(lines[:from], ""), strings.Join(lines[to:], "")
	var text strings.Builder
	for _, line := range lines[from:to] {
		text.WriteString(strings.TrimPrefix(line, s.indent))
	}
	s.Data = text.String()
	if was, err := s.connectors(data); err != nil {
		return nil, err
	} else if own, problems := s.Read(); len(problems) > 0 || !maps.Equal(named(own, name), was[name]) {
		return nil, fmt.Errorf("%s: the keys of %s cannot be read without the rest of the file", file, name)
	}
	return s, nil
}

// named gives a connector's keys as a setup has them, with its name.
func named(l List, name string) map[string]any {
	props := l.Props()
	props["name"] = name
	return props
}

// connectors reads a whole file: the keys of each connector, and below "" the worker's.
func (s *Section) connectors(data []byte) (map[string]map[string]any, error) {
	setup := new(Setup)
	if err := setup.Add(s.file, data, AnyRole); err != nil {
		return nil, err
	}
	for _, p := range setup.Problems {
		if !p.Warning {
			return nil, p
		}
	}
	all := map[string]map[string]any{"": setup.Worker.Props()}
	for _, c := range setup.Connectors {
		all[c.Name] = named(c.Entries, c.Name)
	}
	return all, nil
}

// errElse says that a change of a connector would change something else.
var errElse = errors.New("the file would say something else than the text: check its indentation")

// With gives the whole file with another text for the connector. Nothing else in it
// changes, which is checked.
func (s *Section) With(t Text) ([]byte, error) {
	list, problems := t.Read()
	if len(problems) > 0 {
		return nil, problems[0]
	}
	was, err := s.connectors(s.data)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(s.before)
	for line := range strings.Lines(strings.TrimRight(t.Data, "\n") + "\n") {
		if strings.TrimSpace(line) != "" {
			b.WriteString(s.indent)
		}
		b.WriteString(line)
	}
	b.WriteString(s.after)
	data := []byte(b.String())
	now, err := s.connectors(data)
	if err != nil {
		return nil, err
	}
	was[s.name] = named(list, s.name)
	if !maps.EqualFunc(was, now, func(a, b map[string]any) bool { return maps.Equal(a, b) }) {
		return nil, fmt.Errorf("%s: %w", s.file, errElse)
	}
	return data, nil
}
