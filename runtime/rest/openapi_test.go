package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is openapi.json, for what tests ask it.
type document struct {
	paths    map[string]map[string]json.RawMessage
	compiler *jsonschema.Compiler
}

func readDocument(t *testing.T) document {
	t.Helper()
	var d struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return document{d.Paths, c}
}

// template gives the path of the document that a route is, with * for each of
// its parameters.
func template(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// TestDocumentHasTheRoutes compares paths and methods both ways.
//
// Clauses: K15.
func TestDocumentHasTheRoutes(t *testing.T) {
	want, got := map[string]bool{}, map[string]bool{}
	for _, r := range routes {
		for method := range r.methods {
			want[strings.ToLower(method)+" "+strings.Join(r.path, "/")] = true
		}
	}
	for path, item := range readDocument(t).paths {
		for method := range item {
			if method != "parameters" {
				got[method+" "+template(path)] = true
			}
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("the document has %q, the API %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// conforms tells where an answer is not as the document says. What is no path or
// method of it is not looked at.
func (d document) conforms(method, target string, status int, contentType string, body []byte) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for path, item := range d.paths {
		r := route{path: strings.Split(template(path), "/")}
		if _, ok := r.match(parts); !ok {
			continue
		}
		operation, ok := item[strings.ToLower(method)]
		if !ok {
			return nil
		}
		var o struct {
			Responses map[string]map[string]any `json:"responses"`
		}
		if err := json.Unmarshal(operation, &o); err != nil {
			return err
		}
		escaped := strings.ReplaceAll(strings.ReplaceAll(path, "~", "~0"), "/", "~1")
		place := fmt.Sprintf("/paths/%s/%s/responses/%d", url.PathEscape(escaped), strings.ToLower(method), status)
		response, ok := o.Responses[fmt.Sprint(status)]
		if !ok {
			return fmt.Errorf("%s %s: status %d is not in the document", method, path, status)
		}
		if ref, ok := response["$ref"].(string); ok {
			place, response = strings.TrimPrefix(ref, "#"), map[string]any{"content": contentType != ""}
		}
		if response["content"] == nil || contentType == "" || len(body) == 0 {
			return nil
		}
		schema, err := d.compiler.Compile("openapi.json#" + place + "/content/application~1json/schema")
		if err != nil {
			return err
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	return nil
}
