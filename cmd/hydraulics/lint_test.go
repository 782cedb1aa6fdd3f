package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/runtime/cli"
)

// What would fail at once is an error of lint, and what lint advises is none.
func TestLintOfWhatWouldFail(t *testing.T) {
	const flow = "worker:\n  value.converter: {class: json, schemas.enable: false}\nconnectors:\n"
	const sink = flow + "  rows:\n    connector.class: postgres\n    topics: buoys\n    connection.url: postgres://localhost/d\n"
	const stream = "connectors:\n  classes:\n    connector.class: stream\n    topics: a\n    topic: b\n    transforms:\n      - classify: {model: "
	for _, tt := range []struct{ name, text, want string }{
		{"a model that is not there", stream + "models/none.onnx}\n", "7: classes: transforms.classify.model: no such file beside"},
		{"a model server", stream + "'http://localhost:8501/v1/models/m'}\n", ""},
		{"tables of JSON without schema", sink + "    auto.create: true\n", "4: rows: value.converter: JSON without schema (schemas.enable=false)"},
		{"as it says", sink + "    auto.create: false\n    schema.from: table\n", ""},
		{"as it says otherwise", sink + "    auto.create: true\n    value.converter: json\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flow.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			root := cli.Root("hydraulics")
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetArgs([]string{"lint", file})
			err := root.Execute()
			if (err != nil) != (tt.want != "") || !strings.Contains(out.String(), tt.want) {
				t.Errorf("%v: %s, want %s", err, out.String(), tt.want)
			}
		})
	}
}
