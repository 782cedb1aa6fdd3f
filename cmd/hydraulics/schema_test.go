package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func TestSchema(t *testing.T) {
	out, err := command(t, "schema")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(out)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	var files []string
	for _, folder := range []string{"demo", "worker", "connectors"} {
		found, err := filepath.Glob("../../configs/" + folder + "/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "demo-plankton.yaml") }); len(files) < 5 {
		t.Fatal(files)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(string(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a number that is none", "connectors: {a: {connector.class: postgres, topics: t, batch.size: [1]}}", "batch.size"},
		{"a key that is missing", "connectors: {a: {connector.class: stream, topics: t}}", "topic"},
		{"a key of a transform", "connectors: {a: {connector.class: stream, topics: t, topic: u, transforms: [{biovolume: {pixels.per.micron: []}}]}}", "transforms"},
		{"a key of the worker", "worker: {offset.flush.interval.ms: {}}", "offset.flush.interval.ms"},
	} {
		if err := check(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
