package smt

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// path names a field: its steps from the outside in. With the syntax V1 it is
// one step, the whole text.
type path []string

// syntaxKey is the key of ExtractField, ownSyntaxKey that of every other
// transform that names fields.
var syntaxKey, ownSyntaxKey = syntax(false), syntax(true)

func syntax(own bool) connector.Key {
	return connector.Key{Name: "field.syntax.version", Type: connector.StringKey, Default: "V1", Importance: connector.High,
		Extension: own, Check: connector.OneOfFold("V1", "V2"),
		Doc: "Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are limited to access the elements at the root level of the struct or map. " +
			"If set to <code>V2</code>, the syntax will support accessing nested elements. To access nested elements, dotted notation is used. " +
			"If dots are already included in the field name, then backtick pairs can be used to wrap field names containing dots. " +
			"E.g. to access the subfield <code>baz</code> from a field named \"foo.bar\" in a struct/map the following format can be used to access its elements: \"<code>foo.bar</code>.baz\"."}
}

// nested tells whether the configuration has the syntax V2.
func nested(conf connector.Config) bool { return strings.EqualFold(conf.String(syntaxKey.Name), "V2") }

// parsePath reads a path: SingleFieldPath. The error is Kafka's.
func parsePath(text string, v2 bool) (path, error) {
	if !v2 {
		return path{text}, nil
	}
	var p path
	rest := text
	for rest != "" {
		if rest[0] != '`' {
			step, after, _ := strings.Cut(rest, ".")
			p, rest = append(p, step), after
			continue
		}
		step, after, ok := quotedStep(rest[1:])
		if !ok {
			return nil, fmt.Errorf("Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at position %d to escape it",
				text, len(text)-len(rest))
		}
		p, rest = append(p, step), after
	}
	if text == "" || strings.HasSuffix(text, ".") {
		p = append(p, "")
	}
	return p, nil
}

// quotedStep reads up to the backtick that a dot or the end follows.
func quotedStep(text string) (step, after string, ok bool) {
	var out strings.Builder
	start := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '`' {
			continue
		}
		end := i == len(text)-1
		escaped := i > 0 && text[i-1] == '\\'
		switch {
		case !end && text[i+1] != '.':
		case end && escaped:
			return "", "", false
		case escaped:
			out.WriteString(text[start:i-1] + "`")
			start = i + 1
		default:
			out.WriteString(text[start:i])
			return out.String(), text[min(i+2, len(text)):], true
		}
	}
	return "", "", false
}

func parsePaths(texts []string, v2 bool) ([]path, error) {
	all := make([]path, len(texts))
	for i, t := range texts {
		var err error
		if all[i], err = parsePath(t, v2); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// checkPaths reports the paths of the keys that cannot be read.
func checkPaths(conf connector.Config, p *connector.Problems, keys ...string) {
	for _, k := range keys {
		var texts []string
		switch v := conf.Value(k).(type) {
		case string:
			texts = []string{v}
		case []string:
			texts = v
		}
		for _, text := range texts {
			if _, err := parsePath(text, nested(conf)); err != nil {
				p.Add(k, "%s", err)
			}
		}
	}
}

// last gives the name of the field itself.
func (p path) last() string { return p[len(p)-1] }

// String writes the path for an error.
func (p path) String() string { return strings.Join(p, ".") }

// field finds the field in a schema.
func (p path) field(s *connector.Schema) (f connector.Field, ok bool, err error) {
	for i, step := range p {
		if s.Type() != connector.Object {
			return f, false, dataf("Cannot look up fields on non-struct type")
		}
		if f, ok = s.Field(step); !ok {
			return f, false, nil
		}
		if i < len(p)-1 {
			s = f.Schema
		}
	}
	return f, true, nil
}

const nestedAccess = "nested field access"

// value reads the field of a struct; nil where it is not there.
func (p path) value(s *connector.Struct, replaceNull bool) (any, error) {
	for _, step := range p[:len(p)-1] {
		v, _ := s.Get(step)
		if v == nil {
			return nil, nil
		}
		var err error
		if s, err = wantStruct(v, nestedAccess); err != nil {
			return nil, err
		}
	}
	f, ok := s.Schema().Field(p.last())
	if !ok {
		return nil, nil
	}
	return fieldValue(s, f.Index, replaceNull), nil
}

// entry reads the field of a map; nil where it is not there.
func (p path) entry(m map[string]any) (any, error) {
	for _, step := range p[:len(p)-1] {
		if m[step] == nil {
			return nil, nil
		}
		var err error
		if m, err = wantMap(m[step], nestedAccess); err != nil {
			return nil, err
		}
	}
	return m[p.last()], nil
}
