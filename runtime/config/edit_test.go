package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

const edited = `# what it is about
connector.class: file-source   # reads lines

topic: "lines" # of text
transforms:
  - stamp: {name: when, field: 'it''s'}
value.converter: {class: json, schemas.enable: false}
topics:
  - a
  - b
`

// TestTextSet changes a key, and leaves all else as it was written.
func TestTextSet(t *testing.T) {
	str := func(s string) *string { return &s }
	for _, c := range []struct {
		name, key string
		value     *string
		was, is   string
	}{
		{"a plain value", "connector.class", str("file"), "file-source   #", "file   #"},
		{"a quoted value", "topic", str("li,nes: #1"), `"lines" #`, `'li,nes: #1' #`},
		{"what would be null", "topic", str("null"), `"lines" #`, `"null" #`},
		{"a number", "topic", str("5"), `"lines" #`, `5 #`},
		{"in a list of transforms", "transforms.when.field", str("a, b"), "'it''s'", `'a, b'`},
		{"in a mapping in a line", "value.converter.schemas.enable", str("true"), "false}", "true}"},
		{"the class of a converter", "value.converter", str("avro"), "json,", "avro,"},
		{"a new key", "tasks.max", str("2"), "  - b\n", "  - b\ntasks.max: 2\n"},
		{"a key that goes", "topic", nil, "topic: \"lines\" # of text\n", ""},
		{"the same", "topic", str("lines"), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Text{Data: edited}.Set(c.key, c.value)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Replace(edited, c.was, c.is, 1), got.Data); d != "" {
				t.Error(d)
			}
		})
	}
	for key, want := range map[string]string{"topics": "topics: c\n", "text": "text: |-\n  a\n  b\n"} {
		value := map[string]string{"topics": "c", "text": "a\nb"}[key]
		got, err := Text{Data: edited}.Set(key, &value)
		if err != nil || !strings.Contains(got.Data, want) || !strings.Contains(got.Data, "# of text") {
			t.Errorf("%s, which takes several lines: %v\n%s", key, err, got.Data)
		}
	}
	if _, err := (Text{Data: edited}).Set("transforms.when.type", str("other")); err == nil || !strings.Contains(err.Error(), "edit the text") {
		t.Errorf("what is a key of the list: %v", err)
	}
	got, err := Text{Data: ""}.Set("a", str("b"))
	if err != nil || got.Data != "a: b\n" {
		t.Errorf("an empty text: %q, %v", got.Data, err)
	}
	got, err = Text{JSON: true, Data: `{"b": "c", "t": {"x": 1}}`}.Set("a", str("b"))
	if err != nil || got.Data != "{\n  \"a\": \"b\",\n  \"b\": \"c\",\n  \"t.x\": \"1\"\n}\n" {
		t.Errorf("JSON: %s, %v", got.Data, err)
	}
}

func TestYAMLSaysTheSame(t *testing.T) {
	props := connector.Props{"name": "a", "connector.class": "stream", "n": "5", "null": "null", "empty": "", "none": nil, "text": "a\nb", "odd": "a: #b", "yes": "true"}
	text := YAML(props)
	if !text.is(props) || !strings.HasPrefix(text.Data, "name: a\nconnector.class: stream\n") || !strings.Contains(text.Data, "\nn: 5\n") {
		t.Errorf("%s", text.Data)
	}
}

const whole = `worker:
  bootstrap.servers: a:1
# two of them
connectors:
  one:   # the first
    # its class
    connector.class: file-source

    topic: lines

  # the second
  two:
    connector.class: stream
`

// TestSection takes a connector out of a file and puts it back, with all else as it was.
func TestSection(t *testing.T) {
	s, err := FindSection("flow.yaml", []byte(whole), "one")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("# its class\nconnector.class: file-source\n\ntopic: lines\n", s.Data); d != "" || s.Line != 6 {
		t.Errorf("line %d: %s", s.Line, d)
	}
	if same, err := s.With(s.Text); err != nil || string(same) != whole {
		t.Errorf("%v: %s", err, cmp.Diff(whole, string(same)))
	}
	other := "lines.of.text"
	text, err := s.Set("topic", &other)
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.With(text)
	if d := cmp.Diff(strings.Replace(whole, "topic: lines", "topic: lines.of.text", 1), string(now)); err != nil || d != "" {
		t.Errorf("%v: %s", err, d)
	}
	if _, err := s.With(Text{Data: "a: 1\n b: 2\n"}); err == nil {
		t.Error("what is no YAML is taken")
	}
	for file, want := range map[string]string{"flow.json": "only YAML", "flow.yaml": "it has no connector three"} {
		if _, err := FindSection(file, []byte(whole), "three"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	for text, want := range map[string]string{
		"connectors:\n  one: {connector.class: stream}\n":                                    "in one line",
		"x-a: &a {topic: t}\nconnectors:\n  one:\n    <<: *a\n    connector.class: stream\n": "without the rest",
	} {
		if _, err := FindSection("flow.yaml", []byte(text), "one"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	alone := "# alone\nname: one\nconnector.class: stream\n"
	if s, err := FindSection("one.yaml", []byte(alone), "one"); err != nil || s.Data != alone {
		t.Errorf("a file of one connector: %v", err)
	}
}
