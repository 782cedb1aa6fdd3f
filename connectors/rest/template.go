package rest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// template is a text with places for what a record holds, such as ${topic} and
// ${value.name}. It is parsed once; each record only fills it.
type template struct {
	text  string
	parts []part
}

// part is a text as it is, or a place.
type part struct {
	text string
	from origin
	path []string // of fields within a key or value; the name of a header
}

// origin is what of a record fills a place.
type origin int

const (
	fromText origin = iota
	fromTopic
	fromPartition
	fromOffset
	fromTimestamp
	fromKey
	fromValue
	fromHeader
)

// places are the names of what may stand in a template.
var places = map[string]origin{"topic": fromTopic, "partition": fromPartition, "offset": fromOffset, "timestamp": fromTimestamp,
	"key": fromKey, "value": fromValue, "header": fromHeader}

// parseTemplate reads a template. A $ without { is a text.
func parseTemplate(text string) (template, error) {
	t := template{text: text}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			break
		}
		place, behind, closed := strings.Cut(after, "}")
		name, path, deeper := strings.Cut(place, ".")
		from, known := places[name]
		switch {
		case !closed || !known || deeper != (path != "") || deeper && from < fromKey || !deeper && from == fromHeader:
			return t, fmt.Errorf("${%s} is no place: there are ${topic}, ${partition}, ${offset}, ${timestamp}, ${key}, ${key.field}, ${value}, ${value.field} and ${header.name}", place)
		case from == fromHeader:
			t.parts = append(t.parts, part{from: from, path: []string{path}}) // names of headers may have dots
		case deeper:
			t.parts = append(t.parts, part{from: from, path: strings.Split(path, ".")})
		default:
			t.parts = append(t.parts, part{from: from})
		}
		rest = behind
	}
	return t, nil
}

// mustTemplate takes a template that was checked with its key.
func mustTemplate(text string) template {
	t, err := parseTemplate(text)
	if err != nil {
		panic("rest: " + err.Error())
	}
	return t
}

func checkTemplate(_ string, v any) error {
	text, _ := v.(string)
	_, err := parseTemplate(text)
	return err
}

// fixed tells that no record changes the text.
func (t *template) fixed() bool {
	return !slices.ContainsFunc(t.parts, func(p part) bool { return p.from != fromText })
}

// byRecord tells that records of one topic may have several texts.
func (t *template) byRecord() bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.from > fromTopic })
}

// byKey tells that the text is of a record's key.
func (t *template) byKey() bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.from == fromKey })
}

// append adds the text for a record, what fills a place through escape. Its error
// is about the record.
func (t *template) append(out []byte, r *connector.Record, escape func(out []byte, text string) ([]byte, error)) ([]byte, error) {
	for i := range t.parts {
		p := &t.parts[i]
		if p.from == fromText {
			out = append(out, p.text...)
			continue
		}
		text, err := p.fill(r)
		if err != nil {
			return nil, err
		}
		if out, err = escape(out, text); err != nil {
			return nil, fmt.Errorf("%s %w", p, err)
		}
	}
	return out, nil
}

// String names the place.
func (p *part) String() string {
	for name, from := range places {
		if from == p.from {
			return "${" + strings.Join(append([]string{name}, p.path...), ".") + "}"
		}
	}
	return p.text
}

func (p *part) fill(r *connector.Record) (string, error) {
	switch p.from {
	case fromTopic:
		return r.Topic, nil
	case fromPartition:
		return strconv.Itoa(int(r.Origin.Partition)), nil
	case fromOffset:
		return strconv.FormatInt(r.Origin.Offset, 10), nil
	case fromTimestamp:
		return strconv.FormatInt(r.Timestamp, 10), nil
	}
	return p.primitive(p.value(r))
}

// value gives what fills a place of a key, value or header.
func (p *part) value(r *connector.Record) (schema *connector.Schema, v any) {
	switch p.from {
	case fromHeader:
		h, _ := r.Headers.Last(p.path[0])
		return h.Schema, h.Value
	case fromKey:
		schema, v = r.KeySchema, r.Key
	case fromValue:
		schema, v = r.ValueSchema, r.Value
	}
	for _, name := range p.path {
		switch whole := v.(type) {
		case *connector.Struct:
			f, _ := whole.Schema().Field(name)
			v, _ = whole.Get(name)
			schema = f.Schema
		case map[string]any:
			v, schema = whole[name], schema.Elem()
		default:
			return nil, nil
		}
	}
	return schema, v
}

// primitive gives the text of a value that has one.
func (p *part) primitive(schema *connector.Schema, v any) (string, error) {
	switch v.(type) {
	case string, bool, int8, int16, int32, int64, float32, float64, connector.Decimal:
		return tostring.String(v), nil
	}
	if text, ok := instant(schema, v); ok {
		return text, nil
	}
	return "", fmt.Errorf("%s is a %s, but only a primitive value has a place in a template", p, tostring.Class(v))
}

// instant gives a time's text as JSON has it.
func instant(schema *connector.Schema, v any) (string, bool) {
	if _, ok := v.(time.Time); !ok {
		return "", false
	}
	text, err := plainjson.Append(nil, schema, v)
	return strings.Trim(string(text), `"`), err == nil
}

// intoURL escapes for path and query alike. What would be another path is refused.
func intoURL(out []byte, text string) ([]byte, error) {
	switch text {
	case "", ".", "..":
		return nil, fmt.Errorf("is %q, which is no part of a URL", text)
	}
	return append(out, strings.ReplaceAll(url.QueryEscape(text), "+", "%20")...), nil
}

// asIs takes a text as it is.
func asIs(out []byte, text string) ([]byte, error) { return append(out, text...), nil }
