package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testedFlow = `
worker: {bootstrap.servers: "127.0.0.1:1", offset.storage.file.filename: offsets, key.converter: string, value.converter: {class: json, schemas.enable: false}}
connectors:
  out:
    connector.class: file-sink
    topics: in
    file: /nowhere/out.txt
    errors.tolerance: all
    errors.deadletterqueue.topic.name: dead
    transforms: mask,at
    transforms.mask: {type: org.apache.kafka.connect.transforms.MaskField$Value, fields: secret}
    transforms.at: {type: org.apache.kafka.connect.transforms.TimestampConverter$Value, field: at, target.type: unix}
`

func TestTest(t *testing.T) {
	const other = "worker: {}\nconnectors: {out: {connector.class: file-sink, topics: in, transforms: [{type: a, b: c}]}}\n"
	const head = "files: [flow.yaml]\nconnector: out\n"
	tests := []struct {
		name, file string
		want       []string
		fails      bool
	}{
		{"all as expected", head + `
sink: true
tests:
  - name: a
    input:
      - {key: k, value: {secret: s, at: "x"}}
      - {key: k, value: {secret: s, n: 1.0000001}, value_schema: null}
    expect:
      - {fate: dead letter, topic: dead, stage: at, reason: ""}
      - {after: {mask: {value.secret: ""}}, fields: {key: k, value.n: 1}, absent: [value.none]}
    would: ["append 1 lines to /nowhere/out.txt"]
`, []string{"ok  "}, false},
		{"nothing as expected", head + `
tests:
  - name: a
    input: [{key: k, value: {secret: s, n: 1}}]
    expect:
      - {fate: dropped, topic: t, stage: s, reason: why, after: {no: {a: 1}, mask: {value.secret: s}}, fields: {value.n: 2, key: null, value.x: 1}, absent: [value.n]}
      - {}
    would: [make topic]
`, []string{"FAIL  ", `expected "dropped", got "delivered": delivered to the sink`, `expected topic t, got ""`, `expected stage s, got ""`, `expected reason "why", got ""`,
			"after no: it did not come there", `after mask: value.secret: expected "s", got ""`, "value.n: expected 2, got 1", `key: expected null, got "k"`,
			"value.x: expected 1, got none", "value.n: expected none, got 1", "expected 2 records, got 1", `expected that it would "make topic"`}, true},
		{"a key that is none", head + "tests: [{nam: a}]", []string{`unknown field "nam"`}, true},
		{"without tests", head, []string{"a file of tests needs files (of the configuration), connector and tests"}, true},
		{"a mistake in the configuration", "files: [other.yaml]\nconnector: out\ntests: [{name: a}]", []string{"other.yaml:2: out: transforms: an item must be one type with its keys"}, true},
		{"another connector", "files: [flow.yaml]\nconnector: none\ntests: [{name: a}]", []string{"the files have no such connector, there are out"}, true},
		{"a file that is not there", head + "tests: [{name: a, input: [{value: {$file: none}}]}]", []string{"none: no such file"}, true},
		{"a key of the connector that is wrong", head + "set: {transforms.nothing: 1, topics: ''}\ntests: [{name: a}]", []string{"out: topics: Must configure one of topics or topics.regex"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"flow.yaml": testedFlow, "other.yaml": other, "a.test.yaml": tt.file} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := run(t.Context(), "test", filepath.Join(dir, "a.test.yaml"))
			if (err != nil) != tt.fails {
				t.Errorf("error is %v", err)
			}
			if err != nil {
				out += err.Error()
			}
			for _, text := range tt.want {
				if !strings.Contains(out, text) {
					t.Errorf("no %q in\n%s", text, out)
				}
			}
		})
	}
}

func TestPreviewCommand(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "flow.yaml")
	input := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	input("flow.yaml", testedFlow)
	lines, list := input("lines.json", `{"key": "k", "value": {"n": 1}} {"key_bytes": {"text": "k"}, "value_bytes": {"text": "no JSON"}}`), input("list.json", `[{"value": {"n": 1}}]`)
	tests := []struct {
		name  string
		args  []string
		want  []string
		wrong string
	}{
		{"a list", []string{"--input", list}, []string{"would append 1 lines to /nowhere/out.txt\n    {at=null, n=1, secret=null}", "1 records: 1 delivered; nothing was written"}, ""},
		{"one that would not arrive", []string{"--input", lines}, []string{"=> dead letter in topic dead: value converter (json)"}, "some records would not arrive"},
		{"for programs", []string{"--input", list, "-o", "json"}, []string{`"connector": "out"`, `"fate": "delivered"`, `"field": "value.n"`}, ""},
		{"no such connector", []string{"--connector", "none"}, nil, "--connector none: the files have no such connector, there are out"},
		{"no records", []string{"--input", input("bad.json", `[{"valu": 1}]`)}, nil, `unknown field "valu"`},
		{"two inputs", []string{"--input", list, "--last", "1"}, nil, "none of the others can be"},
		{"a bad configuration", []string{"--input", list, "--set", "connectors.out.transforms=none"}, []string{"transforms.none.type"}, ErrSaid.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t.Context(), append([]string{"preview", file}, tt.args...)...)
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("error is %v", err)
			}
			for _, text := range tt.want {
				if !strings.Contains(out, text) {
					t.Errorf("no %q in\n%s", text, out)
				}
			}
		})
	}
}
