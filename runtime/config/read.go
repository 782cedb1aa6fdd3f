package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Role says what a file is taken for.
type Role int

// The roles. A file of AnyRole says itself what it is: one with connectors: or
// worker: is a setup, one with connector.class or config a connector, any
// other the worker's.
const (
	AnyRole Role = iota
	WorkerRole
	ConnectorRole
)

// Read reads a worker's files into one setup: YAML, Java properties or JSON
// by the files' names. The error, a [Problem], says that a file cannot be read at
// all; what else is wrong is among the setup's problems.
func Read(paths ...string) (*Setup, error) {
	s := &Setup{}
	for _, path := range paths {
		if err := s.ReadFile(path, AnyRole); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ReadFile adds one file to the setup. The error is a [Problem].
func (s *Setup) ReadFile(path string, role Role) error {
	data, err := os.ReadFile(path)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return Problem{File: path, Message: "cannot be read: " + e.Err.Error()}
	} else if err != nil {
		return Problem{File: path, Message: err.Error()}
	}
	return s.Add(path, data, role)
}

// Add adds the text of a file to the setup; path says what it is, and is
// where relative paths in it start from.
func (s *Setup) Add(path string, data []byte, role Role) error {
	problems, err := s.add(path, data, role)
	if err != nil {
		return err
	}
	s.Files = append(s.Files, path)
	s.Problems = append(s.Problems, problems...)
	return nil
}

func (s *Setup) add(path string, data []byte, role Role) ([]Problem, error) {
	var node *yaml.Node
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".properties":
		list, err := parseProperties(path, data)
		if err != nil {
			return nil, err
		}
		return s.addList(list, path, role), nil
	case ".json":
		node, err = parseJSON(path, data)
	case ".yaml", ".yml":
		node, err = parseYAML(path, data)
	default:
		return nil, Problem{File: path, Message: "its name must end in .yaml, .yml, .properties or .json"}
	}
	if err != nil {
		return nil, err
	}
	if node == nil || node.Kind == yaml.MappingNode && len(node.Content) == 0 {
		return nil, Problem{File: path, Message: "holds nothing: a worker's file has \"worker:\" and \"connectors:\""}
	}
	if node.Kind != yaml.MappingNode {
		return nil, Problem{File: path, Line: node.Line, Message: "must be keys with values, such as \"worker:\" and \"connectors:\""}
	}
	return s.addNode(node, path, role), nil
}

func (s *Setup) addList(list List, path string, role Role) []Problem {
	_, isConnector := list.Find("connector.class")
	if role == ConnectorRole || role == AnyRole && isConnector {
		return s.addConnector("", list, path, 1)
	}
	s.Worker = append(s.Worker, list...)
	return nil
}

func (s *Setup) addNode(n *yaml.Node, path string, role Role) []Problem {
	if role != ConnectorRole && (hasKey(n, "connectors") || hasKey(n, "worker")) {
		return s.addSetup(n, path)
	}
	if problems := misspelt(n, path); role == AnyRole && problems != nil {
		return problems
	}
	name, body := "", n
	if config := child(n, "config"); config != nil && config.Kind == yaml.MappingNode {
		body = config // the form that is sent to POST /connectors
		if v := child(n, "name"); v != nil {
			name = v.Value
		}
	}
	f := newFlattener(path)
	f.mapping(body, "")
	if body != n {
		problems := s.addConnector(name, f.list, path, n.Line)
		if problems == nil {
			problems = s.initial(child(n, "initial_state"), path)
		}
		return append(f.errs, problems...)
	}
	return append(f.errs, s.addList(f.list, path, role)...)
}

// misspelt finds what was meant for the parts of a setup.
func misspelt(n *yaml.Node, path string) []Problem {
	var problems []Problem
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		if text := didYouMean(k.Value, []string{"worker", "connectors"}); text != "" && v.Kind == yaml.MappingNode {
			problems = append(problems, Problem{File: path, Line: k.Line, Key: k.Value, Message: "unknown part of a configuration" + text})
		}
	}
	return problems
}

func (s *Setup) addSetup(n *yaml.Node, path string) []Problem {
	s.sections = true
	var problems []Problem
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		empty := v.Kind == yaml.ScalarNode && v.Tag == "!!null"
		switch {
		case k.Tag == "!!merge", strings.HasPrefix(k.Value, "x-"):
			// a place for YAML anchors, as in compose files
		case k.Value != "worker" && k.Value != "connectors":
			problems = append(problems, Problem{File: path, Line: k.Line, Key: k.Value,
				Message: "unknown part of a configuration" + didYouMean(k.Value, []string{"worker", "connectors"})})
		case empty:
		case v.Kind != yaml.MappingNode:
			problems = append(problems, Problem{File: path, Line: k.Line, Key: k.Value, Message: "must be keys with values"})
		case k.Value == "worker":
			f := newFlattener(path)
			f.mapping(v, "")
			problems = append(problems, f.errs...)
			s.Worker = append(s.Worker, f.list...)
		default:
			problems = append(problems, s.addConnectors(v, path)...)
		}
	}
	return problems
}

func (s *Setup) addConnectors(n *yaml.Node, path string) []Problem {
	var problems []Problem
	f := newFlattener(path)
	f.pairs(n, func(k, v *yaml.Node) {
		if v.Kind != yaml.MappingNode {
			problems = append(problems, Problem{File: path, Line: k.Line, Connector: k.Value, Message: "must be keys with values"})
			return
		}
		one := newFlattener(path)
		one.mapping(v, "")
		for _, p := range one.errs {
			p.Connector = k.Value
			problems = append(problems, p)
		}
		problems = append(problems, s.addConnector(k.Value, one.list, path, k.Line)...)
	})
	return append(problems, f.errs...)
}

// addConnector adds a connector whose name may be outside or within its keys.
func (s *Setup) addConnector(name string, list List, path string, line int) []Problem {
	own, given := list.Find("name")
	switch {
	case name == "" && !given:
		return []Problem{{File: path, Line: line, Message: "the connector has no name"}}
	case name == "":
		name, line = strings.TrimSpace(own.Text), own.Line
	case !given:
		list = append(List{{Key: "name", Text: name, File: path, Line: line}}, list...)
	case strings.TrimSpace(own.Text) != name:
		return []Problem{{File: path, Line: own.Line, Connector: name, Key: "name",
			Message: fmt.Sprintf("is %q here and %q outside", own.Text, name)}}
	}
	if i := slices.IndexFunc(s.Connectors, func(c Connector) bool { return c.Name == name }); i >= 0 {
		return []Problem{{File: path, Line: line, Connector: name,
			Message: "there is another connector of this name in " + place(s.Connectors[i].File, s.Connectors[i].Line)}}
	}
	s.Connectors = append(s.Connectors, Connector{Name: name, Entries: list, File: path, Line: line})
	return nil
}

// initial takes up initial_state for the connector that was added last.
func (s *Setup) initial(n *yaml.Node, path string) []Problem {
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	c := &s.Connectors[len(s.Connectors)-1]
	var ok bool
	if c.Initial, ok = state.ParseTarget(strings.ToUpper(n.Value)); !ok {
		return []Problem{{File: path, Line: n.Line, Connector: c.Name, Message: fmt.Sprintf("initial_state %q is not RUNNING, PAUSED or STOPPED", n.Value)}}
	}
	return nil
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return target(n.Content[i+1])
		}
	}
	return nil
}
