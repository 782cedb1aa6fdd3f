package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/rest"
)

// openAPI is what is read of the API's document.
type openAPI struct {
	Info struct {
		Description string
	}
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
		Schemas    map[string]schema
	}
}

type operation struct {
	Summary     string
	Parameters  []parameter
	RequestBody *struct {
		Required bool
		Content  map[string]content
	}
	Responses map[string]response
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name, In    string
	Description string
	Schema      schema
	Example     any
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]content
}

type content struct {
	Schema  schema
	Example json.RawMessage
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any    // a name, or several
	Description          string
	Enum                 []any
	Properties           map[string]schema
	AdditionalProperties json.RawMessage
	Items                *schema
	AnyOf, AllOf         []schema
	Required             []string
}

// methods are those of the API in the order in which they are shown.
var methods = []string{"get", "post", "put", "patch", "delete"}

// restPage writes the reference of the REST API from its OpenAPI document.
func restPage(root fs.FS) (string, error) {
	data, err := fs.ReadFile(root, "runtime/rest/openapi.json")
	if err != nil {
		return "", err
	}
	var d openAPI
	if err := json.Unmarshal(data, &d); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# The REST API\n\n%s\n\n%s A worker listens on `listeners` (8083 if nothing is said) and\nserves the document of this page as `/openapi.json`. "+
		"Which role a request takes matters where people log in:\n[access.md](access.md). What differs from Java's is in [kafka-connect.md](kafka-connect.md).\n", generated, d.Info.Description)
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		item := d.Paths[path]
		var shared []parameter
		if raw, ok := item["parameters"]; ok {
			if err := json.Unmarshal(raw, &shared); err != nil {
				return "", fmt.Errorf("%s: %w", path, err)
			}
		}
		for _, method := range methods {
			raw, ok := item[method]
			if !ok {
				continue
			}
			var o operation
			if err := json.Unmarshal(raw, &o); err != nil {
				return "", fmt.Errorf("%s %s: %w", method, path, err)
			}
			o.Parameters = slices.Concat(shared, o.Parameters)
			if err := d.operation(&b, method, path, o); err != nil {
				return "", err
			}
		}
	}
	b.WriteString("\n## Bodies\n")
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		s := d.Components.Schemas[name]
		fmt.Fprintf(&b, "\n### %s\n\n", name)
		if s.Description != "" {
			fmt.Fprintf(&b, "%s\n\n", s.Description)
		}
		var rows []string
		fields(&rows, "", s)
		if len(rows) == 0 {
			fmt.Fprintf(&b, "%s.\n", shape(s))
			continue
		}
		fmt.Fprintf(&b, "| field | type | always there | what it is |\n|---|---|---|---|\n%s", strings.Join(rows, ""))
	}
	return b.String(), nil
}

func (d *openAPI) operation(b *strings.Builder, method, path string, o operation) error {
	fmt.Fprintf(b, "\n## %s %s\n\n%s %s\n", strings.ToUpper(method), path, o.Summary, role(method, path))
	if len(o.Parameters) > 0 {
		b.WriteString("\n| parameter | in | type | what it is |\n|---|---|---|---|\n")
		for _, p := range o.Parameters {
			if p.Ref != "" {
				p = d.Components.Parameters[last(p.Ref)]
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(p.Name), p.In, cell(shape(p.Schema)), prose(p.Description))
		}
	}
	if o.RequestBody != nil {
		c := o.RequestBody.Content["application/json"]
		fmt.Fprintf(b, "\nThe body is %s", shape(c.Schema))
		if len(c.Example) == 0 {
			b.WriteString(".\n")
		} else {
			var indented bytes.Buffer
			if err := json.Indent(&indented, c.Example, "", "  "); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			fmt.Fprintf(b, ", such as\n\n```json\n%s\n```\n", indented.String())
		}
	}
	b.WriteString("\n| status | when | body |\n|---|---|---|\n")
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := o.Responses[status]
		if r.Ref != "" {
			r = d.Components.Responses[last(r.Ref)]
		}
		body := ""
		if c, ok := r.Content["application/json"]; ok {
			body = shape(c.Schema)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", status, prose(r.Description), cell(body))
	}
	return nil
}

// server knows the routes.
var server = rest.New(rest.Options{})

// role says which one the API asks for.
func role(method, path string) string {
	r := &http.Request{Method: strings.ToUpper(method), URL: &url.URL{Path: strings.NewReplacer("{", "", "}", "").Replace(path)}}
	if takes := server.Takes(r).String(); takes != "none" {
		return "Takes the role `" + takes + "`."
	}
	return "Nobody has to log in."
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// shape says in words what a schema is.
func shape(s schema) string {
	switch {
	case s.Ref != "":
		return fmt.Sprintf("[%s](#%s)", last(s.Ref), strings.ToLower(last(s.Ref)))
	case len(s.AnyOf) > 0:
		texts := make([]string, len(s.AnyOf))
		for i, x := range s.AnyOf {
			texts[i] = shape(x)
		}
		return strings.Join(texts, " or ")
	case len(s.AllOf) == 1:
		return shape(s.AllOf[0])
	case len(s.Enum) > 0:
		texts := make([]string, len(s.Enum))
		for i, x := range s.Enum {
			texts[i] = code(fmt.Sprint(x))
		}
		return strings.Join(texts, ", ")
	case s.Items != nil:
		return "list of " + shape(*s.Items)
	case len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{':
		var values schema
		if json.Unmarshal(s.AdditionalProperties, &values) == nil {
			return "map of texts to " + shape(values)
		}
	}
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		texts := make([]string, len(t))
		for i, x := range t {
			texts[i] = fmt.Sprint(x)
		}
		return strings.Join(texts, " or ")
	}
	return "anything"
}

// fields adds a row for each property of an object, and for those of objects within.
func fields(rows *[]string, within string, s schema) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		inner := p
		if p.Items != nil {
			inner = *p.Items
		}
		there := ""
		if slices.Contains(s.Required, name) {
			there = "yes"
		}
		*rows = append(*rows, fmt.Sprintf("| %s | %s | %s | %s |\n", code(within+name), cell(shape(p)), there, prose(p.Description)))
		fields(rows, within+name+".", inner)
	}
}
